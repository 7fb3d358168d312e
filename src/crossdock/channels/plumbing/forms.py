"""Forms as PHP reads them: `data[items][0][sku]=1` is nested, and `data[id][]=1` takes the next index.

What cannot be read is refused and never left out: a filter lost on the way would answer everything.
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from python_multipart.multipart import MultipartParser, parse_options_header

FIELDS_MAX = 2_000
DEPTH_MAX = 16
_NAME_LENGTH_MAX = 1_000
_NAME = re.compile(r"([^\[]+)((?:\[[^\]]*\])*)")
_KEY = re.compile(r"\[([^\]]*)\]")
_INDEX = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_HALF = re.compile("[\ud800-\udfff]")
_BOM = b"\xef\xbb\xbf"

Pair = tuple[str, str]


class Unreadable(ValueError):
    """A body, or a part of one, that cannot be read; the text says why, for whoever sent it."""


def urlencoded_pairs(body: bytes) -> list[Pair]:
    """The fields in their order. Bytes that are no UTF-8 stay behind as half a character.

    Raises Unreadable for more than FIELDS_MAX.
    """
    text = body.removeprefix(_BOM).decode("utf-8", "surrogateescape")
    try:
        return parse_qsl(
            text, keep_blank_values=True, errors="surrogateescape", max_num_fields=FIELDS_MAX
        )
    except ValueError:
        raise _too_many() from None


def multipart_pairs(body: bytes, *, boundary: bytes) -> tuple[list[Pair], bool]:
    """The parts in their order, and whether the body came to its end.

    Raises Unreadable for what is no multipart body, and for more than FIELDS_MAX parts.
    """
    if not boundary:
        raise Unreadable("the multipart body has no boundary")
    parts = _Parts()
    try:
        parser = MultipartParser(boundary, parts.callbacks(), max_size=len(body) + 1)
        parser.write(body)
        parser.finalize()
    except Unreadable:
        raise
    except ValueError:
        raise Unreadable("the multipart body is not readable") from None
    found = [(name, bytes(value).decode("utf-8", "surrogateescape")) for name, value in parts.found]
    return found, parts.is_whole


def root(name: str) -> str:
    """The field that a name in brackets is a part of: `data` for `data[items][0]`."""
    return name.partition("[")[0]


def nested(pairs: Iterable[Pair], *, is_unique: bool = False) -> dict[str, Any]:
    """The fields as PHP nests them; every value is text.

    An array whose keys are 0, 1, 2 ... is a list, as PHP's json_encode would write it; any other
    is a dict, whose keys are text. The last of two equal names counts, as in PHP, unless
    `is_unique`. Raises Unreadable for broken brackets, for more than DEPTH_MAX levels, for what is
    no UTF-8, and for a name that is a value and an array at once, of which PHP drops the first.
    """
    tree = _Array()
    for name, text in pairs:
        first, *rest = _path(name)
        if not text.isascii() and _HALF.search(text):
            raise Unreadable(f"{name} is not UTF-8")
        place, key = tree, first
        for following in rest:
            place, key = place.inner(key, name=name), following
        place.put(key, text, name=name, is_unique=is_unique)
    return {key: _plain(value) for key, value in tree.items()}


class _Array(dict[str, Any]):
    """PHP's array: knows the index that `[]` stands for."""

    _next = 0

    def inner(self, written: str, *, name: str) -> "_Array":
        found = self.setdefault(self._key(written), _Array())
        if not isinstance(found, _Array):
            raise Unreadable(f"{name} is both a value and an array")
        return found

    def put(self, written: str, text: str, *, name: str, is_unique: bool) -> None:
        key = self._key(written)
        if isinstance(self.get(key), _Array):
            raise Unreadable(f"{name} is both a value and an array")
        if is_unique and key in self:
            raise Unreadable(f"{name} comes twice")
        self[key] = text

    def _key(self, written: str) -> str:
        key = written or str(self._next)
        if _INDEX.fullmatch(key):
            self._next = max(self._next, int(key) + 1)
        return key


def _path(name: str) -> list[str]:
    """The keys of a name: `a[b][]` is a, b and ''."""
    if "[" not in name and "]" not in name and name:
        found = [name]
    else:
        match = _NAME.fullmatch(name) if len(name) <= _NAME_LENGTH_MAX else None
        if match is None:
            raise Unreadable(f"{name[:60]!r} is no name of a field")
        found = [match[1], *_KEY.findall(match[2])]
    if len(found) > DEPTH_MAX + 1:
        raise Unreadable(f"{name[:60]} is nested deeper than {DEPTH_MAX}")
    if not name.isascii() and _HALF.search(name):
        raise Unreadable("a field's name is not UTF-8")
    return found


def _plain(value: Any) -> Any:
    if not isinstance(value, _Array):
        return value
    inner = {key: _plain(entry) for key, entry in value.items()}
    is_list = all(key == str(place) for place, key in enumerate(inner))
    return list(inner.values()) if is_list else inner


def _too_many() -> Unreadable:
    return Unreadable(f"the body has more than {FIELDS_MAX:,} fields")


class _Parts:
    """Collects the parts of a multipart body."""

    def __init__(self) -> None:
        self.found: list[tuple[str, bytearray]] = []
        self.is_whole = False
        self._part_name = ""
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
            raise _too_many()
        self._part_name = ""
        self._value = bytearray()

    def _end(self) -> None:
        self.is_whole = True

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._header))
            self._part_name = options.get(b"name", b"").decode("utf-8", "replace")
        self._name, self._header = bytearray(), bytearray()
