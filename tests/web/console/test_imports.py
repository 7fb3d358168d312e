"""Imports in the console: a file is uploaded, checked by a dry run, imported by the worker, and listed."""

import asyncio
import csv
import io
import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.shop.acts import ActFilters, list_acts
from tests.support.people import hidden_fields

IMPORTS = "/console/imports"
WAIT_S = 30
SHOPIFY = (
    "Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty\n"
    "mug,Mug,MUG-1,9.50,4\n"
    "cup,Cup,CUP-1,about 5,2\n"
    ",Nameless,NO-1,1.00,1\n"
)
OTHERS = "Code;Bezeichnung;Preis;Lager\nMUG-9;Becher;12,50;7\n"


@pytest.fixture
def upload():
    """Upload a text as a file; the answer."""

    async def send(opened, text, name="goods.csv", *, token=None, field="file"):
        fields = hidden_fields((await opened.get(IMPORTS)).text)
        if token is not None:
            fields["form_token"] = token
        files = {field: (name, text.encode(), "text/csv")}
        return await opened.client.post(IMPORTS, data=fields, files=files)

    return send


@pytest.fixture
def settled():
    """The page of an import once no step of it runs."""

    async def look(opened, address):
        async with asyncio.timeout(WAIT_S):
            while "refresh" in (page := await opened.get(address)).headers:
                await asyncio.sleep(0.2)
        assert page.status_code == 200
        return page.text

    return look


@pytest.fixture
def products(server_database: Database):
    async def of(who):
        async with server_database.statement() as tx:
            return await tx.all(
                "select p.handle, v.sku, v.retail_minor from products p join variants v"
                " on v.product_id = p.id where p.shop_id = %s order by v.sku",
                (who.person.shop_id,),
            )

    return of


def facts(page):
    """What a page's lists of pairs say."""
    return dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]*)</dd>", page))


async def test_a_file_is_checked_without_a_trace_and_then_imported(
    browser, person, upload, settled, products
):
    noor = await person(role="manager", name="Noor Haddad")
    opened = await browser(noor)

    uploaded = await upload(opened, SHOPIFY)
    address = uploaded.headers["location"]
    looked_at = (await opened.get(address)).text
    checking = await opened.submit(address, {}, to=f"{address}/check")
    checked = await settled(opened, address)
    before = await products(noor)
    starting = await opened.submit(address, {}, to=f"{address}/start")
    done = await settled(opened, address)
    history = (await opened.get(IMPORTS)).text

    assert uploaded.status_code == checking.status_code == starting.status_code == 303
    assert "It looks like <strong>shopify-csv</strong>" in looked_at
    assert facts(checked) | {
        "Products added": "2", "Variants added": "2", "Rows refused": "1", "Warnings": "2",
    } == facts(checked)  # fmt: skip
    assert before == []
    assert await products(noor) == [("cup", "CUP-1", None), ("mug", "MUG-1", 950)]
    assert facts(done)["Products added"] == "2"
    assert "Products: 2 added, 0 changed; 1 row refused" in history
    assert "Noor Haddad" in history


async def test_uploads_and_steps_are_acts_of_who_did_them(browser, person, upload, server_database):
    noor = await person(role="owner")
    opened = await browser(noor)
    address = (await upload(opened, SHOPIFY)).headers["location"]
    await opened.submit(address, {}, to=f"{address}/check")

    async with server_database.statement() as tx:
        acts, _ = await list_acts(tx, shop_id=noor.person.shop_id, filters=ActFilters())

    assert [(act.person_id, act.subject) for act in acts] == [
        (noor.id, f"{address}/check"), (noor.id, IMPORTS),
    ]  # fmt: skip
    assert acts[1].details == {"file": "goods.csv"}


async def test_refused_rows_are_downloaded_as_csv(browser, person, upload, settled):
    opened = await browser(await person(role="owner"))
    address = (await upload(opened, SHOPIFY)).headers["location"]
    await opened.submit(address, {}, to=f"{address}/check")
    page = await settled(opened, address)

    file = await opened.get(f"{address}/refused.csv")

    assert f'href="{address}/refused.csv"' in page
    assert file.headers["content-disposition"] == "attachment; filename*=utf-8''goods-refused.csv"
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert [(row["row"], row["kind"]) for row in rows if row["kind"] == "refused"] == [
        ("4", "refused")
    ]
    assert [row["value"] for row in rows if row["field"] == "Variant Price"] == ["about 5"]


async def test_columns_of_an_unknown_table_are_chosen(browser, person, upload, settled, products):
    noor = await person(role="manager")
    opened = await browser(noor)
    address = (await upload(opened, OTHERS, "lager.csv")).headers["location"]
    chosen = {
        "format": "shopify-csv", "merchant": "Acme", "decimal_comma": "on",
        "column:Handle": "Code", "column:Title": "Bezeichnung", "column:Variant SKU": "Code",
        "column:Variant Price": "Preis", "column:Variant Inventory Qty": "Lager",
    }  # fmt: skip

    looked_at = (await opened.get(address)).text
    await opened.submit(address, chosen, to=f"{address}/check")
    checked = await settled(opened, address)
    await opened.submit(address, {}, to=f"{address}/start")
    await settled(opened, address)

    assert "No format was recognised" in looked_at
    assert facts(checked)["Products added"] == "1"
    assert re.search(r'name="column:Title">.*?<option selected>Bezeichnung', checked)
    assert await products(noor) == [("MUG-9", "MUG-9", 1250)]


async def test_a_map_that_is_none_and_an_unknown_format_are_refused(browser, person, upload):
    opened = await browser(await person(role="manager"))
    address = (await upload(opened, SHOPIFY)).headers["location"]

    for fields, said in (
        ({"map": "fields = 3"}, "The map is wrong"),
        ({"map": "[fields"}, "The map is not TOML"),
        ({"map": '[fields]\nTitle = { from = "a", match = "^((a+)+)$" }'}, "`match` works in maps"),
        ({"format": "excel"}, "There is no format"),
    ):
        refused = await opened.submit(address, fields, to=f"{address}/check")
        assert refused.status_code == 400
        assert said in refused.text
    assert "Dry run" in (await opened.get(address)).text


async def test_an_upload_without_a_file_or_token_is_refused_and_leaves_nothing(
    browser, person, upload
):
    opened = await browser(await person(role="manager"))

    assert (await upload(opened, SHOPIFY, token="wrong")).status_code == 403
    assert (await upload(opened, "")).status_code == 400
    assert (await upload(opened, SHOPIFY, field="other")).status_code == 400
    assert (await opened.submit(IMPORTS, {})).status_code == 400
    packed = await opened.client.post(
        IMPORTS, content=b"x", headers={"Content-Encoding": "gzip", "Content-Type": "text/csv"}
    )
    assert packed.status_code == 400
    assert "Nothing was imported yet" in (await opened.get(IMPORTS)).text


async def test_who_may_not_import_sees_nothing_of_it(browser, person, upload):
    noor, other = await person(role="manager"), await person(role="manager")
    viewer = await person(role="viewer", shop_id=noor.person.shop_id)
    address = (await upload(await browser(noor), SHOPIFY)).headers["location"]
    looking, foreign = await browser(viewer), await browser(other)

    for path in (IMPORTS, address, f"{address}/refused.csv"):
        assert (await looking.get(path)).status_code == 403
    assert (await looking.post(f"{address}/start", {})).status_code == 403
    assert (await foreign.get(address)).status_code == 404
    assert (await foreign.get(f"{address}/refused.csv")).status_code == 404
    assert "goods.csv" not in (await foreign.get(IMPORTS)).text
    assert "/console/imports" not in (await looking.get("/console/")).text
