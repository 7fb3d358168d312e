"""What a caller sends: a JSON body with a document, its variables and the name of an operation."""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from crossdock.channels.shoppo.errors import WireError

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Asked:
    """A document to run."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None


def read_asked(body: bytes) -> Asked:
    """The request in a JSON body. Raises WireError BAD_REQUEST."""
    document = _json(body)
    if isinstance(document, list):
        raise bad_request("Batches are not taken: send one operation.")
    if not isinstance(document, dict):
        raise bad_request("The body is no JSON object.")
    query, name = document.get("query"), document.get("operationName")
    variables = document.get("variables")
    if not isinstance(query, str):
        raise bad_request("query is missing, or no string.")
    if variables is not None and not isinstance(variables, dict):
        raise bad_request("variables is no object.")
    if name is not None and not isinstance(name, str):
        raise bad_request("operationName is no string.")
    return Asked(query=query, variables=variables or {}, operation_name=name or None)


def bad_request(text: str) -> WireError:
    """The error of a request that is no GraphQL request."""
    return WireError("BAD_REQUEST", text)


def _json(body: bytes) -> Any:
    try:
        text = body.removeprefix(_BOM).decode()
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise bad_request("The body is not JSON in UTF-8.") from None
    if "\\u" in text and not _is_text(found):
        raise bad_request("The body has a character that is none.")
    return found


def _is_text(found: Any) -> bool:
    """Whether every character can be written: no half of a pair, no NUL."""
    if isinstance(found, dict):
        return all(_is_text(key) and _is_text(value) for key, value in found.items())
    if isinstance(found, list):
        return all(map(_is_text, found))
    return not isinstance(found, str) or _NO_TEXT.search(found) is None


def _no_constant(text: str) -> NoReturn:
    raise ValueError(text)
