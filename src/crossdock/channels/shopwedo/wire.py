"""Read requests as the clients of this API really send them (spec section 2)."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from python_multipart.multipart import MultipartParser, parse_options_header

from crossdock.channels.shopwedo.errors import WireError

FIELDS_MAX = 50
_EMPTY = ("", "null", "{}", "[]")
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
        kind != b"application/x-www-form-urlencoded" and body.lstrip()[:1] == b"{"
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
    try:
        text = body.decode("utf-8-sig")
        numbers_as_text = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
        plain = json.loads(text)
    except (ValueError, RecursionError):
        raise WireError("auth_missing", "the body is not readable") from None
    if not isinstance(numbers_as_text, dict):
        raise WireError("auth_missing", "the body is not an object")
    return Call(auth=_auth(numbers_as_text.get("auth")), data=plain.get("data"))


def _auth(raw: Any) -> dict[str, str]:
    if isinstance(raw, str):
        try:
            raw = json.loads(raw, parse_int=str, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError):
            raise WireError("auth_missing", "auth is not readable") from None
    if not isinstance(raw, dict):
        raise WireError("auth_missing", "auth must be an object")
    return {name: value for name, value in raw.items() if isinstance(value, str)}


def _parsed(text: str) -> Any:
    stripped = text.strip()
    if stripped in _EMPTY:
        return {}
    for candidate in (stripped, None):
        try:
            return json.loads(double_quoted(stripped) if candidate is None else candidate)
        except (ValueError, RecursionError):
            continue
    raise WireError("data_invalid", "data is not JSON")


def double_quoted(text: str) -> str:
    """The text with single-quoted strings made double-quoted; raises ValueError for an open one.

    Only quotes outside double-quoted strings are looked at, and what is inside a single-quoted
    string is escaped for JSON; nothing is evaluated.
    """
    made: list[str] = []
    place = 0
    while place < len(text):
        sign = text[place]
        if sign not in "'\"":
            made.append(sign)
            place += 1
            continue
        end = _closing(text, place)
        inner = text[place + 1 : end]
        if sign == "'":
            inner = inner.replace("\\'", "'")
            inner = re.sub(r'(?<!\\)"', r'\\"', inner)
        made.append(f'"{inner}"')
        place = end + 1
    return "".join(made)


def _closing(text: str, start: int) -> int:
    place = start + 1
    while place < len(text):
        if text[place] == "\\":
            place += 2
            continue
        if text[place] == text[start]:
            return place
        place += 1
    raise ValueError("a string is not closed")


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
            _text(body), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError:
        raise WireError("auth_missing", "the body is not readable") from None
    return _fields(pairs)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise WireError("auth_missing", "the body is not UTF-8") from None


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
    return _fields([(name, _text(bytes(value))) for name, value in parts.found])


class _Parts:
    """Collects the parts of a multipart body."""

    def __init__(self) -> None:
        self.found: list[tuple[str, bytearray]] = []
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
        }

    def _begin(self) -> None:
        if len(self.found) >= FIELDS_MAX:
            raise WireError("auth_missing", "the body has too many parts")
        self._part_name = ""
        self._value = bytearray()

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._header))
            self._part_name = options.get(b"name", b"").decode("utf-8", "replace")
        self._name, self._header = bytearray(), bytearray()
