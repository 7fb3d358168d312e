"""Multipart requests: a document with a file (spec section 10).

The form is that of the GraphQL multipart request convention: `operations`, `map`, then the files. A
form without `operations` may have `query`, `variables`, `operationName` and one file. Read as it comes;
a part that nobody named is dropped at once.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from crossdock.channels.shoppo.files import SCALAR, UploadedFile
from crossdock.channels.shoppo.limits import BODY_BYTES, UPLOADS_AT_ONCE, UPLOADS_PER_VIEWER
from crossdock.channels.shoppo.requests import (
    Asked,
    as_asked,
    bad_request,
    no_constant,
    read_asked,
    refuse_odd_text,
)
from crossdock.errors import CrossdockError, Unavailable

PARTS_MAX: Final = 20
_FIELDS: Final = frozenset({"operations", "map", "query", "variables", "operationName"})
_FILE_VARIABLE: Final = re.compile(rf"\$([_A-Za-z][_0-9A-Za-z]*)\s*:\s*{SCALAR}\b")
_DEFAULT_NAME: Final = "file"
_BUSY_S: Final = 2
_DIGITS_MAX: Final = 10

Map = Mapping[str, list[str]]
"""The paths among the variables by the name of the part that goes there."""


class Uploads:
    """Reads multipart requests, so many at once in one process, and of one caller."""

    def __init__(self, *, file_max_bytes: int) -> None:
        self._file_max_bytes = file_max_bytes
        self._reading: Counter[str] = Counter()

    async def read(self, request: Request, *, boundary: bytes, viewer: str) -> Asked:
        """The request with its file among the variables.

        Raises WireError BAD_REQUEST, CrossdockError `too_large`, and Unavailable `busy`.
        """
        if not boundary:
            raise bad_request("The multipart body has no boundary.")
        with self._turn(viewer):
            form = _Form(self._file_max_bytes)
            try:
                parser = MultipartParser(boundary, form.callbacks())
                async for piece in request.stream():
                    parser.write(piece)
                parser.finalize()
            except ValueError:
                raise bad_request("The multipart body is not readable.") from None
            return form.asked()

    @contextmanager
    def _turn(self, viewer: str) -> Iterator[None]:
        is_full = self._reading.total() >= UPLOADS_AT_ONCE
        if is_full or self._reading[viewer] >= UPLOADS_PER_VIEWER:
            raise Unavailable("busy", data={"retry_after_s": _BUSY_S})
        self._reading[viewer] += 1
        try:
            yield
        finally:
            self._reading[viewer] -= 1
            self._reading += Counter()  # drops those at zero


class _Form:
    """Collects the parts that are wanted."""

    def __init__(self, file_max_bytes: int) -> None:
        self._file_max_bytes = file_max_bytes
        self._fields: dict[str, bytearray] = {}
        self._files: dict[str, bytearray] = {}
        self._map: Map | None = None
        self._early: set[str] = set()
        self._count = 0
        self._is_whole = False
        self._header, self._value = bytearray(), bytearray()
        self._name, self._is_file = "", False
        self._into: bytearray | None = None

    def callbacks(self) -> Any:
        """What the parser calls."""
        return {
            "on_part_begin": self._part_begins,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._part_ends,
            "on_end": self._ends,
        }

    def asked(self) -> Asked:
        """The request that the form makes. Raises WireError BAD_REQUEST."""
        if not self._is_whole:
            raise bad_request("The multipart body is cut off.")
        if "operations" not in self._fields:
            return self._plain()
        if self._map is None:
            raise bad_request("The part map is missing.")
        asked = read_asked(bytes(self._fields["operations"]))
        for name, paths in self._map.items():
            if name in self._early:
                raise bad_request(f"The part {name} comes before map.")
            if name not in self._files:
                raise bad_request(f"The part {name} is missing.")
            for path in paths:
                _bind(asked.variables, path, self._file(name))
        return asked

    def _plain(self) -> Asked:
        """The request of a form without `operations`."""
        texts = {name: _text(value, name=name) for name, value in self._fields.items()}
        document: dict[str, Any] = {
            name: texts[name] for name in ("query", "operationName") if name in texts
        }
        if "variables" in texts:
            document["variables"] = _json(texts["variables"], name="variables")
        refuse_odd_text(document)
        asked = as_asked(document)
        declared = _FILE_VARIABLE.findall(asked.query)
        for name in self._files:
            target = name
            if name == _DEFAULT_NAME and name not in declared and len(declared) == 1:
                target = declared[0]
            if target in declared:
                asked.variables.setdefault(target, None)
                _bind(asked.variables, f"variables.{target}", self._file(name))
        return asked

    def _file(self, name: str) -> UploadedFile:
        body = self._files[name]
        if len(body) > self._file_max_bytes:
            return UploadedFile(b"", is_too_large=True)
        return UploadedFile(bytes(body))

    def _part_begins(self) -> None:
        self._count += 1
        if self._count > PARTS_MAX:
            raise bad_request(f"The form has more than {PARTS_MAX} parts.")
        self._name, self._is_file, self._into = "", False, None

    def _header_ends(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
            self._is_file = b"filename" in options
        self._header, self._value = bytearray(), bytearray()

    def _headers_end(self) -> None:
        kept: dict[str, bytearray] | None = None
        if self._name in _FIELDS and not self._is_file:
            kept = self._fields
        elif self._wants_file():
            kept = self._files
        if kept is None:
            return
        if self._name in kept:
            raise bad_request(f"The part {self._name} comes twice.")
        self._into = kept[self._name] = bytearray()

    def _wants_file(self) -> bool:
        if self._map is not None:
            return self._name in self._map
        if "operations" in self._fields:
            self._early.add(self._name)
            return False
        return self._is_file and not self._files

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._into is None:
            return
        if self._into is self._files.get(self._name):
            room = self._file_max_bytes + 1 - len(self._into)
            self._into += data[start : min(end, start + room)]
            return
        self._into += data[start:end]
        if sum(map(len, self._fields.values())) > BODY_BYTES:
            raise CrossdockError("too_large")

    def _part_ends(self) -> None:
        if self._into is not self._fields.get(self._name) or self._into is None:
            return
        if self._name == "operations" and self._files:
            raise bad_request("The part operations comes first.")
        if self._name == "map":
            self._map = _read_map(self._into)

    def _ends(self) -> None:
        self._is_whole = True


def _read_map(written: bytearray) -> Map:
    """The map. Raises WireError BAD_REQUEST."""
    found = _json(_text(written, name="map"), name="map")
    if not isinstance(found, dict) or not all(
        isinstance(paths, list) and all(isinstance(path, str) for path in paths)
        for paths in found.values()
    ):
        raise bad_request("map is no object of lists of paths.")
    if len(found) > 1:
        raise bad_request("One file is taken at a time.")
    return found


def _bind(variables: dict[str, Any], path: str, file: UploadedFile) -> None:
    """Put a file in its place, which must be there and null. Raises WireError BAD_REQUEST."""
    first, *keys = path.split(".")
    place: Any = variables
    if first != "variables" or not keys:
        raise bad_request(f"The path {path} is not below variables.")
    for key in keys[:-1]:
        place = _inner(place, key, path=path)
    if _inner(place, keys[-1], path=path) is not None:
        raise bad_request(f"The path {path} is not null.")
    place[int(keys[-1]) if isinstance(place, list) else keys[-1]] = file


def _inner(place: Any, key: str, *, path: str) -> Any:
    if isinstance(place, dict) and key in place:
        return place[key]
    if isinstance(place, list) and _is_place(key) and int(key) < len(place):
        return place[int(key)]
    raise bad_request(f"The path {path} does not exist.")


def _is_place(key: str) -> bool:
    """Whether it is a number, of few enough digits for Python to read."""
    return key.isascii() and key.isdigit() and len(key) < _DIGITS_MAX


def _text(written: bytearray, *, name: str) -> str:
    try:
        return written.decode()
    except UnicodeDecodeError:
        raise bad_request(f"The part {name} is not UTF-8.") from None


def _json(text: str, *, name: str) -> Any:
    try:
        found = json.loads(text, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise bad_request(f"The part {name} is not JSON.") from None
    refuse_odd_text(found)
    return found
