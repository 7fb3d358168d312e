"""Recognises files of other kinds by their first bytes or the start of their text."""

import csv
import re
from collections.abc import Sequence

from crossdock.imports.items import CONTROL, Unreadable
from crossdock.imports.layouts import EXPECTED, foreign, found_names, looks_like

SAMPLE_BYTES = 512
_AS_CSV = "; save its sheet as CSV UTF-8 and import that"
_UNPACK = "; unpack it first"
_KINDS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "a PDF document"),
    (0, b"{\\rtf", "an RTF document"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"an old Office file, such as .xls{_AS_CSV}"),
    (0, b"\x89PNG\r\n", "a picture"),
    (0, b"\xff\xd8\xff", "a picture"),
    (0, b"GIF8", "a picture"),
    (0, b"RIFF", "an image or a sound"),
    (0, b"SQLite format 3\0", "an SQLite database"),
    (0, b"PAR1", "a Parquet file"),
    (0, b"7z\xbc\xaf\x27\x1c", f"a 7-Zip archive{_UNPACK}"),
    (0, b"Rar!\x1a\x07", f"a RAR archive{_UNPACK}"),
    (0, b"\xfd7zXZ\0", f"compressed with xz{_UNPACK}"),
    (4, b"1AY&SY", f"compressed with bzip2{_UNPACK}"),
    (257, b"ustar", f"a tar archive{_UNPACK}"),
    (0, b"PK\x05\x06", "an empty zip"),
    (0, b"PK\x03\x04", "compressed more than once; unpack it once"),
    (0, b"\x1f\x8b", "compressed more than once; unpack it once"),
    (0, b"\x28\xb5\x2f\xfd", "compressed more than once; unpack it once"),
)
_OFFICE = {
    "xl/workbook.xml": f"an Excel workbook{_AS_CSV}",
    "content.xml": f"an OpenDocument file{_AS_CSV}",
    "word/document.xml": "a Word document",
}
_ROOT = re.compile(r"<([a-z][\w:.-]*)", re.IGNORECASE)
FEED_ROOTS = frozenset({"rss", "feed", "rdf", "channel"})


def refuse_other_kinds(sample: bytes, *, format_name: str) -> None:
    """Raises Unreadable for a document, an image or an archive, by the content's first bytes."""
    for start, magic, kind in _KINDS:
        if sample.startswith(magic, start):
            raise Unreadable(
                f"The file is {kind}. For {format_name}, it must be {EXPECTED[format_name]}"
            )


def office_kind(members: Sequence[str]) -> str:
    """The kind of office document that a zip with these members is, or ''."""
    return next((kind for name, kind in _OFFICE.items() if name in members), "")


def refuse_markup(start: str, *, format_name: str) -> None:
    """Raises Unreadable if what should be a table is JSON or XML."""
    if start.lstrip().startswith(("{", "[", "<")):
        raise other_text(start, format_name=format_name)


def other_text(start: str, *, format_name: str) -> Unreadable:
    """The error about a text that is not in this format, by its start."""
    found, likely = describe(start.strip())
    return foreign(format_name, found=found, likely=likely)


def describe(start: str) -> tuple[str, str]:
    """What the text is, in words, and the import format that it looks like, or ''."""
    if start.startswith(("{", "[")):
        return "JSON", "jsonl"
    if not start.isprintable() and CONTROL.search(start):
        return "binary data", ""
    if start.startswith("<"):
        root = root_name(start)
        if root in FEED_ROOTS:
            return "an XML feed", "google-merchant"
        return ("an HTML page" if root == "html" else f"XML with the root <{root}>"), ""
    header = split_header(next(iter(start.splitlines()), ""))
    return f"a table with the columns {found_names(header)}", looks_like(header)


def root_name(start: str) -> str:
    """The name of the first element, lower case, without its prefix; html for an HTML DOCTYPE too."""
    if re.match(r"\s*<!doctype\s+html", start, re.IGNORECASE):
        return "html"
    match = _ROOT.search(start)
    return match[1].rpartition(":")[2].lower() if match else "?"


def find_delimiter(line: str, *, candidates: str) -> str:
    """The candidate that occurs most often in a table's first line, outside quotes."""
    outside = re.sub(r'"[^"]*"', "", line)
    return max(candidates, key=lambda sign: (outside.count(sign), -candidates.index(sign)))


def split_header(line: str) -> list[str]:
    """The names in what may be the first line of a table."""
    delimiter = find_delimiter(line, candidates=",;\t|")
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
