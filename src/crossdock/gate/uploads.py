"""A form with files, streamed to the disk as it comes; its token is checked before any file is taken."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
from python_multipart import create_form_parser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser
from starlette.requests import Request

from crossdock.errors import Invalid, Refused
from crossdock.gate.gate import FIELDS_MAX, STRANGE_SITES, TOKEN_FIELD, Form, without_nul

FIELD_MAX_BYTES: Final = 65_536
_PIECE_BYTES: Final = 262_144


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a form: the name that its sender gave it, and where it is until the form is done with."""

    name: str
    path: Path
    size_bytes: int


class FormWithFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a form, and the files that were chosen, by the names of their fields."""

    fields: Form
    files: dict[str, Upload]


@asynccontextmanager
async def receive_form(
    request: Request, *, folder: Path, check_token: Callable[[str], None]
) -> AsyncIterator[FormWithFiles]:
    """The fields and files of a form; the files are in `folder` until the end of the block, if not moved.

    The token must come before the first file. Raises Refused `permission_denied` for a form of another
    site and by `check_token`, Invalid `invalid_input` for what is no such form.
    """
    if request.headers.get("sec-fetch-site", "") in STRANGE_SITES:
        raise Refused("permission_denied", "This form was sent by another site.")
    # A packed body would have to be unpacked in memory.
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Invalid("invalid_input", "Send the file as it is, without a Content-Encoding.")
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True, mode=0o700)
    place = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="upload-", dir=folder))
    try:
        yield await _Receiving(place, check_token).receive(request)
    finally:
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)


class _Receiving:
    def __init__(self, place: Path, check_token: Callable[[str], None]) -> None:
        self._place = place
        self._check_token = check_token
        self._is_checked = False
        self._parts = 0
        self._fields: dict[str, str] = {}
        self._files: dict[str, Upload] = {}

    async def receive(self, request: Request) -> FormWithFiles:
        """Read the body to its end, a piece at a time, written by a thread."""
        try:
            parser = self._parser(request)
            waiting = bytearray()
            async for piece in request.stream():
                waiting += piece
                if len(waiting) >= _PIECE_BYTES or not self._is_checked:
                    await asyncio.to_thread(self._write, parser, bytes(waiting))
                    waiting.clear()
            await asyncio.to_thread(self._write, parser, bytes(waiting))
            await asyncio.to_thread(parser.finalize)
        except FormParserError as error:
            raise Invalid("invalid_input", "The form cannot be read.") from error
        self._require_token()
        return FormWithFiles(fields=self._fields, files=self._files)

    def _write(self, parser: FormParser, piece: bytes) -> None:
        parser.write(piece)
        # The parser has begun a file before it had the token.
        if not self._is_checked and any(self._place.iterdir()):
            self._require_token()

    def _parser(self, request: Request) -> FormParser:
        headers = {"Content-Type": request.headers.get("content-type", "").encode("latin-1")}
        config = {
            "UPLOAD_DIR": str(self._place),
            "UPLOAD_DELETE_TMP": False,
            "MAX_MEMORY_FILE_SIZE": 0,
            "MAX_FIELD_SIZE": FIELD_MAX_BYTES,
        }
        if not headers["Content-Type"].lower().startswith(b"multipart/form-data"):
            raise Invalid("invalid_input", "The form has no file.")
        return create_form_parser(headers, self._take_field, self._take_file, config=config)

    def _take_field(self, field: Field) -> None:
        self._count()
        self._fields.setdefault(_text(field.field_name), _text(field.value))

    def _take_file(self, file: File) -> None:
        self._require_token()
        name, field = _text(file.file_name), _text(file.field_name)
        path = Path((file.actual_file_name or b"").decode())
        file.close()
        self._count()
        if name and file.size:
            self._files.setdefault(field, Upload(name=name, path=path, size_bytes=file.size))

    def _count(self) -> None:
        self._parts += 1
        if self._parts > FIELDS_MAX:
            raise Invalid("invalid_input", f"A form has at most {FIELDS_MAX} fields.")

    def _require_token(self) -> None:
        if not self._is_checked:
            self._check_token(self._fields.get(TOKEN_FIELD, ""))
            self._is_checked = True


def _text(value: bytes | None) -> str:
    return without_nul((value or b"").decode("utf-8", "replace"))
