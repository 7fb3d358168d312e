"""Read requests as the clients of this API really send them (spec section 2)."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from python_multipart.multipart import MultipartParser, parse_options_header

from crossdock.channels.shopwedo.errors import WireError

FIELDS_MAX = 50
SINGLE_QUOTED_MAX = 16_384  # written by hand, as in the official demo; programs write JSON
_UNREADABLE = "not JSON"  # stands for `data` that could not be read, until the caller is proven
_BEFORE_JSON = b" \t\r\n\xef\xbb\xbf"
_EMPTY = ("", "null", "{}", "[]")
_HALF = re.compile("[\ud800-\udfff]")
_STRING = re.compile(r"""'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"|['"]""", re.DOTALL)
_PIECE = re.compile(r"\\.|\"|[^\\\"]+", re.DOTALL)
_ARRAY_KEY = re.compile(r"(auth|data)\[([^\[\]]{1,64})\]")

Json = dict[str, Any]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request: `auth` with every value as the text that was sent, `data` still unread.

    `data` is read after authentication, so that 401 goes before 400 (spec 2.1, rule 7).
    """

    auth: dict[str, str]
    data: Any


def read_call(body: bytes, *, content_type: str) -> Call:
    """Split the body into `auth` and `data`, in any of the three encodings.

    Raises WireError `auth_missing` where there is no readable auth object.
    """
    kind, options = parse_options_header(content_type)
    if kind == b"multipart/form-data":
        fields = _multipart(body, boundary=options.get(b"boundary", b""))
    elif kind == b"application/json" or (
        kind != b"application/x-www-form-urlencoded" and body.lstrip(_BEFORE_JSON)[:1] == b"{"
    ):
        return _from_json(body)
    else:
        fields = _urlencoded(body)
    return Call(auth=_auth(fields.get("auth")), data=fields.get("data"))


def read_data(raw: Any) -> Json:
    """The `data` object; absent and empty in any of its spellings are {} (spec 2.1, rules 4 to 6).

    Raises WireError `data_invalid` for a list, a scalar, or text that is no object even when
    its single quotes are read as double quotes.
    """
    value = _parsed(raw) if isinstance(raw, str) else raw
    if value in (None, [], ""):
        return {}
    if not isinstance(value, dict):
        raise WireError("data_invalid", "data must be an object")
    _check_depth(value)
    return value


def _from_json(body: bytes) -> Call:
    """Numbers in `auth` stay text; what is wrong with `data` alone is told after authentication."""
    text = _text(body).lstrip(" \t\r\n\ufeff")
    whole = _as_text(text)
    if not isinstance(whole, dict):
        raise WireError("auth_missing", "the body is not an object")
    try:
        data = _UNREADABLE if _HALF.search(text) else _strict(text).get("data")
    except (ValueError, RecursionError):
        data = _UNREADABLE
    return Call(auth=_auth(whole.get("auth")), data=data)


def _auth(raw: Any) -> dict[str, str]:
    value = _as_text(raw) if isinstance(raw, str) else raw
    if not isinstance(value, dict):
        raise WireError("auth_missing", "auth must be an object")
    return {name: text for name, text in value.items() if isinstance(text, str)}


def _as_text(text: str) -> Any:
    """JSON whose numbers are left as they were written, for the token is made of their text."""
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise WireError("auth_missing", "auth is not readable") from None


def _strict(text: str) -> Any:
    """JSON without NaN and Infinity, which are none."""
    return json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _parsed(text: str) -> Any:
    stripped = text.strip()
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
    """The text with single-quoted strings made double-quoted; raises ValueError for an open one.

    Only quotes outside double-quoted strings are looked at, and what is inside a single-quoted
    string is escaped for JSON; nothing is evaluated.
    """
    return _STRING.sub(_double, text)


def _double(match: re.Match[str]) -> str:
    found = match[0]
    if len(found) == 1:
        raise ValueError("a string is not closed")
    return found if found[0] == '"' else f'"{_requoted(found[1:-1])}"'


def _requoted(inner: str) -> str:
    """What stands between single quotes, as it is written between double ones."""
    swapped = {'"': '\\"', "\\'": "'"}
    return "".join(swapped.get(piece, piece) for piece in _PIECE.findall(inner))


def _check_depth(value: Any, depth: int = 0) -> None:
    if depth > 16:
        raise WireError("data_invalid", "data is nested too deep")
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            _check_depth(entry, depth + 1)


def _urlencoded(body: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(
            _text(body),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError:
        raise WireError("auth_missing", "the body is not readable") from None
    return _fields(pairs)


def _text(raw: bytes) -> str:
    """UTF-8; a byte that is none stays behind as half a character, which `auth` and `data` refuse."""
    return raw.decode("utf-8", "surrogateescape")


def _fields(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The fields by name; `auth[shopid]=1` is read as PHP reads it."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if match := _ARRAY_KEY.fullmatch(name):
            held = found.setdefault(match[1], {})
            if isinstance(held, dict):
                held[match[2]] = value
        else:
            found[name] = value
    return found


def _multipart(body: bytes, *, boundary: bytes) -> dict[str, Any]:
    parts = _Parts()
    if not boundary:
        raise WireError("auth_missing", "the multipart body has no boundary")
    try:
        parser = MultipartParser(boundary, parts.callbacks(), max_size=len(body) + 1)
        parser.write(body)
        parser.finalize()
    except ValueError:
        raise WireError("auth_missing", "the multipart body is not readable") from None
    fields = _fields([(name, _text(bytes(value))) for name, value in parts.found])
    return fields if parts.is_whole else fields | {"data": _UNREADABLE}


class _Parts:
    """Collects the parts of a multipart body."""

    def __init__(self) -> None:
        self.found: list[tuple[str, bytearray]] = []
        self.is_whole = False
        self._name = bytearray()
        self._header = bytearray()
        self._value = bytearray()

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_part_data": lambda data, start, end: self._value.extend(data[start:end]),
            "on_part_end": lambda: self.found.append((self._part_name, self._value)),
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.found) >= FIELDS_MAX:
            raise WireError("auth_missing", "the body has too many parts")
        self._part_name = ""
        self._value = bytearray()

    def _end(self) -> None:
        self.is_whole = True

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._header))
            self._part_name = options.get(b"name", b"").decode("utf-8", "replace")
        self._name, self._header = bytearray(), bytearray()
