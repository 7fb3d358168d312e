"""Bodies as clients send them: JSON under any name, forms, a byte order mark, text encoded twice."""

import json
from functools import lru_cache
from typing import Any, Literal, NoReturn
from urllib.parse import unquote_plus

from python_multipart.multipart import parse_options_header

from crossdock.channels.plumbing.forms import (
    Unreadable,
    multipart_pairs,
    nested,
    urlencoded_pairs,
)
from crossdock.channels.plumbing.values import JsonNumber

Kind = Literal["json", "form", "multipart", "none", "other"]

_KINDS: dict[bytes, Kind] = {
    b"": "none",
    b"application/json": "json",
    b"application/x-www-form-urlencoded": "form",
    b"multipart/form-data": "multipart",
}
_BEFORE = " \t\r\n\ufeff"
_BEFORE_BYTES = b" \t\r\n\xef\xbb\xbf"
_OPENS = (b"{", b"[", b"%7B", b"%7b", b"%5B", b"%5b", b"%257B", b"%257b")
_TIMES_ENCODED_MAX = 2


@lru_cache(maxsize=64)
def kind_of(content_type: str) -> tuple[Kind, bytes]:
    """What a Content-Type announces, and the boundary of a multipart body."""
    kind, options = parse_options_header(content_type)
    return _KINDS.get(kind, "other"), options.get(b"boundary", b"")


def is_json(body: bytes) -> bool:
    """Whether a body that was not announced as JSON is JSON all the same.

    `curl -d` and PHP's cURL send a JSON text as a form; no form begins so.
    """
    return body.lstrip(_BEFORE_BYTES).startswith(_OPENS)


def json_text(text: str) -> str:
    """A JSON text without what clients put around it: blanks, a byte order mark, percent-encoding.

    No JSON begins with a percent sign, so a text that does was encoded once too often.
    """
    found = text.lstrip(_BEFORE)
    for _ in range(_TIMES_ENCODED_MAX):
        if not found.startswith("%"):
            break
        found = unquote_plus(found, errors="surrogateescape").lstrip(_BEFORE)
    return found


def read_json(body: bytes, *, is_unique: bool = False) -> Any:
    """A JSON text; numbers with a fraction or an exponent are JsonNumber.

    Raises Unreadable for what is no UTF-8 or no JSON, NaN and Infinity among it, and with
    `is_unique` for an object that repeats a key.
    """
    try:
        text = json_text(body.decode("utf-8"))
        return json.loads(
            text,
            parse_float=JsonNumber,
            parse_constant=_no_constant,
            object_pairs_hook=_unique if is_unique else None,
        )
    except Unreadable:
        raise
    except UnicodeDecodeError:
        raise Unreadable("the body is not UTF-8") from None
    except (ValueError, RecursionError):
        raise Unreadable("the body is not JSON") from None


def read_document(body: bytes, *, content_type: str, is_unique: bool = False) -> Any:
    """The document that a body holds: JSON, or a form whose fields are those of the document.

    A body without a Content-Type is either. Raises Unreadable, also for any other type.
    """
    kind, boundary = kind_of(content_type)
    if kind == "json" or (kind in {"form", "none"} and (is_json(body) or not body.strip())):
        return read_json(body, is_unique=is_unique)
    if kind == "multipart":
        pairs, is_whole = multipart_pairs(body, boundary=boundary)
        if not is_whole:
            raise Unreadable("the multipart body is cut off")
    elif kind in {"form", "none"}:
        pairs = urlencoded_pairs(body)
    else:
        raise Unreadable("the Content-Type is neither application/json nor a form's")
    return nested(pairs, is_unique=is_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("the body repeats a key")
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(text)
