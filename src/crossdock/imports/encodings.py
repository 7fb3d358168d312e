"""Detects a file's text encoding and reads its lines with bounded length."""

import codecs
import io
from collections.abc import Iterator

from crossdock.imports.items import Unreadable

LINE_MAX = 4 * 2**20
"""Maximum length of a line, in characters or bytes."""
_SAMPLE_BYTES = 2**18
_START_BYTES = 2**12
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")


def detect_encoding(stream: io.BufferedReader) -> str:
    """The encoding, from the first bytes: the BOM, else UTF-16 by its zero bytes, else UTF-8 or cp1252.

    Consumes nothing. Raises Unreadable for UTF-32 and for binary content.
    """
    sample = _peek(stream)
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            if encoding == "utf-32":
                raise Unreadable("The file is in UTF-32; save it as UTF-8")
            return encoding
    even, odd = sample[0:512:2].count(0), sample[1:512:2].count(0)
    if max(even, odd) > len(sample[:512]) // 8:
        if min(even, odd) > max(even, odd) // 2:
            raise Unreadable("The file is not text", position="byte 0")
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8" if _is_utf8(sample) else "cp1252"


def start_of_text(stream: io.BufferedReader, *, encoding: str) -> str:
    """The next few thousand characters of the stream; consumes nothing."""
    sample = stream.peek(_START_BYTES)[:_START_BYTES]
    return sample.decode(encoding, errors="ignore").lstrip("\ufeff \t\r\n")


def bounded_lines(stream: io.BufferedReader, *, encoding: str) -> Iterator[str]:
    """The lines of the text with their line ends. Raises Unreadable at bytes that are not valid."""
    number = 0
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        while line := text.readline(LINE_MAX + 1):
            number += 1
            if len(line) > LINE_MAX:
                raise Unreadable(
                    f"A line is longer than {LINE_MAX} characters", position=f"line {number}"
                )
            yield line
    except UnicodeDecodeError as error:
        line_number = number + 1 + error.object[: error.start].count(b"\n")
        raise _not_encoded(error, encoding, position=f"line {line_number}") from error
    finally:
        _let_go(text)


def bounded_chunks(stream: io.BufferedReader, *, encoding: str) -> Iterator[str]:
    """The text in chunks of bounded size, for formats that are not line-based."""
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        while chunk := text.read(2**16):
            yield chunk
    except UnicodeDecodeError as error:
        raise _not_encoded(error, encoding) from error
    finally:
        _let_go(text)


def _let_go(text: io.TextIOWrapper) -> None:
    """Detach, so that the stream stays open for its owner."""
    if not text.closed and not text.buffer.closed:
        text.detach()


def _not_encoded(error: UnicodeDecodeError, encoding: str, *, position: str = "") -> Unreadable:
    found = error.object[error.start : error.start + 1].hex()
    return Unreadable(
        f"The text is not valid {encoding.removesuffix('-sig')} (byte {found}); save the file as UTF-8, "
        'or set its encoding in a map: [file] encoding = "cp1252"',
        position=position,
    )


def _peek(stream: io.BufferedReader) -> bytes:
    return stream.peek(_SAMPLE_BYTES)[:_SAMPLE_BYTES]


def _is_utf8(sample: bytes) -> bool:
    """Whether it is valid UTF-8, apart from a character cut at the sample's end."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return True
