"""What a file seems to be, from its beginning: the format, its columns, or why it cannot be imported."""

import re
from pathlib import Path

import msgspec

from crossdock.imports.encodings import detect_encoding, start_of_text
from crossdock.imports.formats import READERS
from crossdock.imports.items import Unreadable
from crossdock.imports.opening import open_source
from crossdock.imports.recognising import (
    SAMPLE_BYTES,
    describe,
    refuse_other_kinds,
    split_header,
)

_HINT = re.compile(r'\A"?sep=."?\s*')
"""What a spreadsheet may write before the header."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """`format` is '' where no format fits; `found` says what the file is, in words.

    `columns` are those of a table. `error` says why no format can read it.
    """

    format: str = ""
    found: str = ""
    columns: tuple[str, ...] = ()
    error: str = ""


def look_at(path: Path) -> Sample:
    """Recognise a file by its beginning; reads a few thousand bytes, unpacked if it is packed."""
    try:
        with open_source(path) as source:
            refuse_other_kinds(source.stream.peek(SAMPLE_BYTES), format_name="jsonl")
            encoding = detect_encoding(source.stream)
            start = start_of_text(source.stream, encoding=encoding)
    except Unreadable as error:
        return Sample(error=error.message.partition(". For ")[0])
    if not start:
        return Sample(error="The file is empty")
    return _described(start)


def _described(start: str) -> Sample:
    start = _HINT.sub("", start)
    found, likely = describe(start)
    name = likely.partition(" ")[0]
    is_table = found.startswith("a table")
    header = split_header(start.partition("\n")[0].rstrip("\r")) if is_table else []
    return Sample(
        format=name if name in READERS else "",
        found=likely or found,
        columns=tuple(column for column in header if column),
    )
