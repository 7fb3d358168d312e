"""Uploaded files: what they seem to be, plain maps, and a step that was cut short."""

import asyncio
import gzip
import json

import pytest

from crossdock.compose import Services
from crossdock.db.runtime import Runtime
from crossdock.errors import Conflict
from crossdock.imports import batches
from crossdock.imports.plain_maps import PlainMap, read_plain_map, usual_columns, write_plain_map
from crossdock.imports.running import ImportOrder, Watcher, run_import
from crossdock.imports.sampling import Sample, look_at
from crossdock.imports.uploads import fail_step, run_step
from crossdock.shop.catalogue import (
    NewImport,
    add_import,
    begin_step,
    delete_old_uploads,
    read_import,
    refused_rows_path,
)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"Handle,Title,Variant SKU,Vendor\nmug,Mug,M,A\n",
         Sample(format="shopify-csv", found="shopify-csv",
                columns=("Handle", "Title", "Variant SKU", "Vendor"))),
        (b'{"name": "Mug", "sku": "M"}', Sample(format="jsonl", found="jsonl")),
        (b"<rss><channel/></rss>", Sample(format="google-merchant", found="google-merchant")),
        (b"sep=;\nCode;Name\n1;Mug\n",
         Sample(found="a table with the columns Code, Name", columns=("Code", "Name"))),
        (b"%PDF-1.7", Sample(error="The file is a PDF document")),
        (b"", Sample(error="The file is empty")),
    ],
)  # fmt: skip
def test_a_file_is_recognised_by_its_beginning(tmp_path, content, found):
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content))

    assert look_at(plain) == found
    assert look_at(packed) == found


def test_a_plain_map_is_written_as_it_is_read():
    chosen = PlainMap(
        columns={"Title": 'The "name"', "Body (HTML)": "a\\b = ü"}, decimal_comma=True
    )

    assert read_plain_map(write_plain_map(chosen)) == chosen
    assert write_plain_map(PlainMap()) == ""
    assert read_plain_map("") == PlainMap()


@pytest.mark.parametrize(
    "text",
    ['[fields]\n"Title" = {constant = "x"}', '[rows]\nskip = {a = "b"}', "[fields", "fields = 3",
     '[attributes]\nprefixes = ["x."]', '[file]\nencoding = "cp1252"'],
)  # fmt: skip
def test_a_map_that_says_more_is_not_plain(text):
    assert read_plain_map(text) is None


def test_the_usual_fields_have_the_columns_of_their_name():
    found = usual_columns("shopify-csv", ("handle", "TITLE", "Other"))

    assert (found["Handle"], found["Title"], found["Vendor"]) == ("handle", "TITLE", "")
    assert usual_columns("jsonl", ("a",)) == {}


@pytest.fixture
async def services(settings, database, clock):
    async with Services(Runtime(settings=settings, clock=clock, database=database)) as made:
        yield made


@pytest.fixture
def begin(shop, clock):
    """Begin a step of an import in a transaction."""

    async def now(tx, number, step):
        await begin_step(
            tx, shop_id=shop.id, import_id=number, step=step, file_format="jsonl", merchant="",
            field_map="", person="Noor", now=clock.now(),
        )  # fmt: skip

    return now


@pytest.fixture
def uploaded(services, database, clock, shop, begin):
    """Note a file of `count` products down as uploaded, and begin a step; its number."""

    async def make(count, *, step):
        folder = services.import_folder.path
        folder.mkdir(parents=True, exist_ok=True)
        lines = [{"sku": f"S{n}", "name": f"Product {n}"} for n in range(count)]
        (folder / "kept").write_text("\n".join(map(json.dumps, lines)) + "\noops")
        made = NewImport(
            origin="console", name="goods.jsonl", size_bytes=9, format="jsonl", file="kept"
        )
        async with database.begin() as tx:
            number = await add_import(
                tx, shop_id=shop.id, made=made, state="uploaded", now=clock.now()
            )
            await begin(tx, number, step)
        return number

    return make


@pytest.fixture
def read(database, shop):
    async def of(number):
        async with database.statement() as tx:
            return await read_import(tx, shop_id=shop.id, import_id=number)

    return of


class Stopping(Watcher):
    """Stops the import after its first batch, as the end of a worker does."""

    def moved(self, *, position, size):
        raise asyncio.CancelledError


async def test_a_step_that_was_cut_short_goes_on_after_the_last_batch(
    services, database, clock, shop, uploaded, read, monkeypatch
):
    monkeypatch.setattr(batches, "BATCH_VARIANTS", 10)
    number = await uploaded(25, step="importing")
    order = ImportOrder(
        path=services.import_folder.path / "kept", format="jsonl", shop=shop, merchant=shop.name
    )
    with pytest.raises(asyncio.CancelledError):
        await run_import(database, order=order, clock=clock, watcher=Stopping())

    await run_step(services, shop_id=shop.id, import_id=number, step="importing")

    found = await read(number)
    assert (found.state, found.error, found.read_bytes) == ("done", "", found.size_bytes)
    assert (found.summary["resumed_at"], found.summary["products_added"]) == (10, 15)
    assert found.summary["refused"] == 1
    rows = refused_rows_path(services.import_folder.path, "kept").read_text("utf-8-sig")
    assert [line[:10] for line in rows.splitlines() if "warning" not in line] == [
        "row,kind,f", "26,refused",
    ]  # fmt: skip


async def test_a_step_that_is_over_is_not_repeated(services, shop, uploaded, read):
    number = await uploaded(1, step="checking")
    await run_step(services, shop_id=shop.id, import_id=number, step="checking")
    before = await read(number)

    await run_step(services, shop_id=shop.id, import_id=number, step="checking")

    assert before.state == "checked"
    assert await read(number) == before


async def test_one_that_was_given_up_can_go_on(services, database, shop, uploaded, begin, read):
    number = await uploaded(1, step="importing")
    async with database.begin() as tx:
        with pytest.raises(Conflict, match="is being read"):
            await begin(tx, number, "importing")

    await fail_step(services, shop_id=shop.id, import_id=number, error="The database went away.")
    failed = await read(number)
    async with database.begin() as tx:
        await begin(tx, number, "importing")
    await run_step(services, shop_id=shop.id, import_id=number, step="importing")

    assert (failed.state, failed.error) == ("failed", "The database went away.")
    assert (await read(number)).state == "done"


async def test_a_file_that_is_gone_ends_the_step_with_the_reason(services, shop, uploaded, read):
    number = await uploaded(1, step="importing")
    (services.import_folder.path / "kept").unlink()

    await run_step(services, shop_id=shop.id, import_id=number, step="importing")

    found = await read(number)
    assert found.state == "failed"
    assert "goods.jsonl cannot be read" in found.error
    assert "kept" not in found.error


async def test_old_files_are_deleted_and_their_history_stays(
    services, database, clock, shop, uploaded, begin, read
):
    number = await uploaded(1, step="checking")
    await run_step(services, shop_id=shop.id, import_id=number, step="checking")
    folder = services.import_folder
    clock.move(folder.keep)
    await delete_old_uploads(database, folder=folder, now=clock.now())
    assert len(list(folder.path.iterdir())) == 2
    clock.move(folder.keep / 1_000)

    assert await delete_old_uploads(database, folder=folder, now=clock.now()) >= 1

    assert list(folder.path.iterdir()) == []
    found = await read(number)
    assert (found.file, found.state) == ("", "checked")
    async with database.begin() as tx:
        with pytest.raises(Conflict, match="no file here any more"):
            await begin(tx, number, "importing")
