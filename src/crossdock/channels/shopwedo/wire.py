"""Parses request bodies in the encodings that clients of this API use (spec section 2)."""

import contextlib
import json
import re
from typing import Any

import msgspec

from crossdock.channels.plumbing import (
    DEPTH_MAX,
    JsonNumber,
    Unreadable,
    is_json,
    json_text,
    kind_of,
    multipart_pairs,
    nested,
    root,
    urlencoded_pairs,
)
from crossdock.channels.shopwedo.errors import WireError

SINGLE_QUOTED_MAX = 16_384  # the official demo's hand-written form; programs send JSON
_EMPTY = ("", "null", "{}", "[]")
# What a program means by a part of `data` in another notation, or encoded twice: PHP gives it another name.
_ALMOST_DATA = re.compile(r"\s+data\s*(?:\[|$)|data[\s.%\]]")
_HALF = re.compile("[\ud800-\udfff]")
_STRING = re.compile(r"""'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"|['"]""", re.DOTALL)
_PIECE = re.compile(r"\\.|\"|[^\\\"]+", re.DOTALL)

Json = dict[str, Any]


class Unread(msgspec.Struct, frozen=True):
    """Stands for `data` that could not be read, until the caller is proven; says why."""

    reason: str


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request: `auth` with every value as the text that was sent, `data` not parsed yet.

    `data` is parsed after authentication, so that 401 takes precedence over 400 (spec 2.1, rule 7).
    """

    auth: dict[str, str]
    data: Any


def read_call(body: bytes, *, content_type: str) -> Call:
    """Split the body into `auth` and `data`, in any of the three encodings.

    A JSON text is read under any Content-Type but a multipart one, for `curl -d` and PHP's cURL
    call it a form. Raises WireError `auth_missing` where there is no readable auth object.
    """
    kind, boundary = kind_of(content_type)
    if kind == "json" or (kind != "multipart" and is_json(body)):
        return _from_json(body)
    try:
        if kind == "multipart":
            pairs, is_whole = multipart_pairs(body, boundary=boundary)
        else:
            pairs, is_whole = urlencoded_pairs(body), True
        auth = _field(pairs, "auth")
    except Unreadable as error:
        raise WireError("auth_missing", str(error)) from None
    return Call(auth=_auth(auth), data=_form_data(pairs, is_whole=is_whole))


def read_data(raw: Any) -> Json:
    """The `data` object; absent or empty in any of its spellings is {} (spec 2.1, rules 4 to 6).

    Raises WireError `data_invalid` for a list, a scalar, or text that is not an object even when its
    single quotes are read as double quotes.
    """
    if isinstance(raw, Unread):
        raise WireError("data_invalid", raw.reason)
    value = _parsed(raw) if isinstance(raw, str) else raw
    if value in (None, [], ""):
        return {}
    if not isinstance(value, dict):
        raise WireError("data_invalid", "data must be an object")
    _check_depth(value)
    return value


def _field(pairs: list[tuple[str, str]], name: str) -> Any:
    """One field, in brackets or whole; fields beside the two filter nothing and are not read."""
    return nested(pair for pair in pairs if root(pair[0]) == name).get(name)


def _form_data(pairs: list[tuple[str, str]], *, is_whole: bool) -> Any:
    if not is_whole:
        return Unread("the multipart body is cut off")
    if almost := next((name for name, _ in pairs if _ALMOST_DATA.match(name)), None):
        return Unread(f"{almost[:60]!r} is no name of a field, write data[...]")
    try:
        return _field(pairs, "data")
    except Unreadable as error:
        return Unread(str(error))


def _from_json(body: bytes) -> Call:
    """Numbers in `auth` stay text; an error in `data` alone is reported after authentication."""
    text = json_text(body.decode("utf-8", "surrogateescape"))
    whole = _as_text(text)
    if not isinstance(whole, dict):
        raise WireError("auth_missing", "the body is not an object")
    data: Any = Unread("data is not JSON")
    if not _HALF.search(text):
        with contextlib.suppress(ValueError, RecursionError):
            data = _strict(text).get("data")
    return Call(auth=_auth(whole.get("auth")), data=data)


def _auth(raw: Any) -> dict[str, str]:
    value = _as_text(json_text(raw)) if isinstance(raw, str) else raw
    if not isinstance(value, dict):
        raise WireError("auth_missing", "auth must be an object")
    return {name: text for name, text in value.items() if isinstance(text, str)}


def _as_text(text: str) -> Any:
    """Parse JSON but keep numbers as text, because the token is a hash of their text."""
    try:
        return _TEXTS.decode(text)
    except (ValueError, RecursionError):
        raise WireError("auth_missing", "auth is not readable") from None


def _strict(text: str) -> Any:
    """JSON without NaN and Infinity, which are none; a fraction stays the text that was sent."""
    return _STRICT.decode(text)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


# Made once: to make a decoder takes longer than to read a call's few fields.
_TEXTS = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_STRICT = json.JSONDecoder(parse_float=JsonNumber, parse_constant=_refuse_constant)


def _parsed(text: str) -> Any:
    stripped = json_text(text).strip()
    if stripped in _EMPTY:
        return {}
    if _HALF.search(stripped):
        raise WireError("data_invalid", "data is not UTF-8")
    for is_retry in (False, True)[: 1 + (len(stripped) <= SINGLE_QUOTED_MAX)]:
        try:
            return _strict(double_quoted(stripped) if is_retry else stripped)
        except (ValueError, RecursionError):
            continue
    raise WireError("data_invalid", "data is not JSON")


def double_quoted(text: str) -> str:
    """Convert single-quoted strings to double-quoted ones. Raises ValueError for an unclosed string.

    Only quotes outside double-quoted strings count; the contents of a single-quoted string are escaped
    for JSON, nothing is evaluated.
    """
    return _STRING.sub(_double, text)


def _double(match: re.Match[str]) -> str:
    found = match[0]
    if len(found) == 1:
        raise ValueError("a string is not closed")
    return found if found[0] == '"' else f'"{_requoted(found[1:-1])}"'


def _requoted(inner: str) -> str:
    """The contents of a single-quoted string, escaped for double quotes."""
    swapped = {'"': '\\"', "\\'": "'"}
    return "".join(swapped.get(piece, piece) for piece in _PIECE.findall(inner))


def _check_depth(value: Any, depth: int = 0) -> None:
    if depth > DEPTH_MAX:
        raise WireError("data_invalid", "data is nested too deep")
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            _check_depth(entry, depth + 1)
