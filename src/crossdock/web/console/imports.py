"""Imports: a catalogue is uploaded, looked at, checked by a dry run, then imported by the worker."""

import asyncio
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from crossdock.compose import Services
from crossdock.errors import Invalid, NotFound
from crossdock.gate import Form, Gate, Upload, receive_form
from crossdock.imports.formats import READERS, reader_of
from crossdock.imports.items import Unreadable
from crossdock.imports.mapping import parse_map
from crossdock.imports.plain_maps import (
    PlainMap,
    read_plain_map,
    usual_columns,
    write_plain_map,
)
from crossdock.imports.running import Summary
from crossdock.imports.sampling import Sample, look_at
from crossdock.kit.languages import gettext, lazy
from crossdock.kit.numbers import read_number
from crossdock.shop.catalogue import (
    CatalogueImport,
    NewImport,
    add_import,
    begin_step,
    list_imports,
    read_import,
    refused_rows_path,
)
from crossdock.shop.people import Visit
from crossdock.web.console.order_words import Word
from crossdock.web.console.rendering import HEADERS, Pages, redirect

IMPORTS: Final = "/console/imports"
FORMATS: Final = tuple(READERS)
_SHOWN: Final = 50
_NAME_MAX: Final = 200
_COLUMN: Final = "column:"
_FILE_TOKEN: Final = 24
_WAIT_S: Final = "2"
STATES: Final = {
    "uploaded": Word(lazy("Uploaded"), "wait", "○"),
    "checking": Word(lazy("Being checked"), "wait", "◐"),
    "checked": Word(lazy("Checked"), "wait", "◐"),
    "importing": Word(lazy("Being imported"), "wait", "◐"),
    "done": Word(lazy("Imported"), "good", "●"),
    "failed": Word(lazy("Failed"), "off", "✕"),
}


class ImportPages:
    """The history with the form to upload, and one import with what it would do, does, or did."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._db = services.runtime.database
        self._clock = services.runtime.clock
        self._ids = services.ids
        self._folder = services.import_folder

    async def browse(self, request: Request) -> Response:
        """The imports of the shop, the newest first."""
        visit = await self._gate.require_person(request, right="imports.manage")
        before = read_number(request.query_params.get("before", ""))
        async with self._db.statement() as tx:
            found = await list_imports(
                tx, shop_id=visit.person.shop_id, before=before, limit=_SHOWN + 1
            )
        return self._pages.page(
            "imports.html",
            visit=visit,
            imports=found[:_SHOWN],
            older=found[_SHOWN - 1].id if len(found) > _SHOWN else None,
            is_first=before is None,
            states=STATES,
            most_mb=self._folder.upload_max_bytes // 1_000_000,
        )

    async def upload(self, request: Request) -> Response:
        """Take a file in; nothing is read into the catalogue yet."""
        visit = await self._gate.require_person(request, right="imports.manage")

        def check(token: str) -> None:
            self._gate.check_form(visit, form_token=token)

        async with receive_form(request, folder=self._folder.path, check_token=check) as form:
            given = form.files.get("file")
            if given is None:
                raise Invalid("invalid_input", gettext("Choose a file that has something in it."))
            self._gate.note(request, visit=visit, form={"file": _shown_name(given.name)})
            import_id = await self._keep(visit, given)
        return redirect(f"{IMPORTS}/{import_id}")

    async def show(self, request: Request) -> Response:
        """One import: what the file seems to be, how far it is, and what came of it."""
        visit = await self._gate.require_person(request, right="imports.manage")
        found = await self._read(visit, request)
        sample = Sample()
        if found.file and not found.is_running and found.state != "done":
            sample = await asyncio.to_thread(look_at, self._folder.path / found.file)
        plain = read_plain_map(found.field_map)
        columns = usual_columns(found.format, sample.columns)
        return self._pages.page(
            "import.html",
            visit=visit,
            headers={"Refresh": _WAIT_S} if found.is_running else None,
            one=found,
            state=STATES[found.state],
            sample=sample,
            formats=FORMATS,
            summary=_summary(found),
            columns=columns | (plain.columns if plain else {}),
            is_comma=bool(plain and plain.decimal_comma),
            is_plain=plain is not None,
            percent=100 * found.read_bytes // max(found.size_bytes, 1),
            has_rows=bool(found.file) and self._rows(found).is_file() and not found.is_running,
        )

    async def check(self, request: Request) -> Response:
        """Have the worker do everything, report it, and roll it back."""
        return await self._begin(request, step="checking")

    async def start(self, request: Request) -> Response:
        """Have the worker import the file, or go on with it."""
        return await self._begin(request, step="importing")

    async def refused_rows(self, request: Request) -> Response:
        """The refused rows and the warnings of the last step as CSV."""
        visit = await self._gate.require_person(request, right="imports.manage")
        found = await self._read(visit, request)
        path = self._rows(found)
        if not found.file or not await asyncio.to_thread(path.is_file):
            raise NotFound("not_found", gettext("The list of refused rows is not kept any more."))
        name = quote(f"{Path(found.name).stem}-refused.csv")
        headers = {**HEADERS, "Content-Disposition": f"attachment; filename*=utf-8''{name}"}
        return FileResponse(path, media_type="text/csv; charset=utf-8", headers=headers)

    async def _begin(self, request: Request, *, step: Literal["checking", "importing"]) -> Response:
        visit, form = await self._gate.require_form(request, right="imports.manage")
        found = await self._read(visit, request)
        if step == "checking":
            found = _chosen(found, form)
        async with self._db.begin() as tx:
            await begin_step(
                tx,
                shop_id=visit.person.shop_id,
                import_id=found.id,
                step=step,
                file_format=found.format,
                merchant=found.merchant,
                field_map=found.field_map,
                person=visit.person.label,
                now=self._clock.now(),
            )
        return redirect(f"{IMPORTS}/{found.id}")

    async def _keep(self, visit: Visit, given: Upload) -> int:
        """Move the file to its place, and note it down."""
        file = self._ids.random_token(_FILE_TOKEN)
        sample = await asyncio.to_thread(look_at, given.path)
        await asyncio.to_thread(given.path.replace, self._folder.path / file)
        made = NewImport(
            origin="console",
            name=_shown_name(given.name),
            size_bytes=given.size_bytes,
            format=sample.format or ("shopify-csv" if sample.columns else "jsonl"),
            person=visit.person.label,
            file=file,
        )
        async with self._db.begin() as tx:
            return await add_import(
                tx,
                shop_id=visit.person.shop_id,
                made=made,
                state="uploaded",
                now=self._clock.now(),
            )

    async def _read(self, visit: Visit, request: Request) -> CatalogueImport:
        import_id = read_number(request.path_params["import"])
        if import_id is None:
            raise NotFound("not_found", gettext("There is no such import."))
        async with self._db.statement() as tx:
            return await read_import(tx, shop_id=visit.person.shop_id, import_id=import_id)

    def _rows(self, found: CatalogueImport) -> Path:
        return refused_rows_path(self._folder.path, found.file)


def _chosen(found: CatalogueImport, form: Form) -> CatalogueImport:
    """The import with the format, the merchant and the map of the form. Raises Invalid `invalid_input`."""
    file_format = form.get("format", found.format)
    text = form.get("map", "").replace("\r\n", "\n").strip()
    if "map" not in form:
        columns = {
            name.removeprefix(_COLUMN): value
            for name, value in form.items()
            if name.startswith(_COLUMN) and value
        }
        by_name = usual_columns(file_format, tuple(columns.values()))
        moved = {field: column for field, column in columns.items() if by_name.get(field) != column}
        comma = form.get("decimal_comma") == "on"
        text = write_plain_map(PlainMap(columns=moved, decimal_comma=comma))
    try:
        reader_of(file_format)
        if text:
            parse_map(text.encode(), is_from_page=True)
    except Unreadable as error:
        raise Invalid("invalid_input", f"{error.message}.") from error
    return msgspec.structs.replace(
        found,
        format=file_format,
        merchant=form.get("merchant", "").replace("\x00", "").strip()[:_NAME_MAX],
        field_map=text,
    )


def _summary(found: CatalogueImport) -> Summary | None:
    return None if found.summary is None else msgspec.convert(found.summary, Summary)


def _shown_name(name: str) -> str:
    """The file's own name, without the folders that some browsers send, and without odd characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:_NAME_MAX] or "file"
