"""What a caller sends: a JSON body with a document, its variables and the name of an operation."""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from crossdock.channels.plumbing import json_text
from crossdock.channels.shoppo.errors import WireError

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Asked:
    """A document to run."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None


def read_asked(body: bytes) -> Asked:
    """The request in a JSON body. Raises WireError BAD_REQUEST."""
    return as_asked(_json(body))


def as_asked(document: Any) -> Asked:
    """The request that a document of JSON is. Raises WireError BAD_REQUEST."""
    if isinstance(document, list):
        raise bad_request("Batches are not taken: send one operation.")
    if not isinstance(document, dict):
        raise bad_request("The body is no JSON object.")
    query, name = document.get("query"), document.get("operationName")
    variables = document.get("variables")
    if not isinstance(query, str):
        raise bad_request("query is missing, or no string.")
    if variables is not None and not isinstance(variables, dict):
        raise bad_request("variables is no object; without any send {}, or leave it out.")
    if name is not None and not isinstance(name, str):
        raise bad_request("operationName is no string.")
    return Asked(query=query, variables=variables or {}, operation_name=name or None)


def bad_request(text: str) -> WireError:
    """The error of a request that is no GraphQL request."""
    return WireError("BAD_REQUEST", text)


def _json(body: bytes) -> Any:
    try:
        text = json_text(body.decode())
        found = json.loads(text, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise bad_request("The body is not JSON in UTF-8.") from None
    if "\\u" in text:
        refuse_odd_text(found)
    return found


def refuse_odd_text(found: Any) -> None:
    """Raises WireError BAD_REQUEST where a character cannot be written: half of a pair, or NUL.

    JSON may be nested nearly as deep as Python can call, so this calls nothing for a level.
    """
    waiting = [found]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and _NO_TEXT.search(value):
            raise bad_request("The body has a character that is none.")


def no_constant(text: str) -> NoReturn:
    """Refuses NaN and Infinity, which are no JSON. Raises ValueError."""
    raise ValueError(text)
