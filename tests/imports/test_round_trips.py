"""What is exported and imported again changes nothing, whatever the texts hold."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from crossdock.imports import fields
from crossdock.imports.google_merchant import read_google_merchant
from crossdock.imports.items import Read
from crossdock.imports.jsonl import read_jsonl
from crossdock.imports.opening import open_source
from crossdock.imports.reading import Reading
from crossdock.imports.shopify_csv import read_shopify_csv
from crossdock.imports.tables import bare_cell, guard_cell
from crossdock.imports.woocommerce_csv import read_woocommerce_csv
from crossdock.imports.writing_google import GoogleWriter
from crossdock.imports.writing_shopify import ShopifyWriter
from crossdock.imports.writing_woocommerce import WooCommerceWriter
from crossdock.shop.catalogue import (
    Image,
    ProductRecord,
    Promotion,
    ShippingTerm,
    VariantRecord,
    normalise_gtin,
    prepare,
    upsert_products,
)
from crossdock.shop.stock import StockRecord
from tests.support.made_products import products, texts, written_and_read

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ONCE = hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)  # fmt: skip


def same(found, expected):
    """Equal in everything that is stored."""
    assert found == expected
    assert [p.hash for p in prepare(found)] == [p.hash for p in prepare(expected)]


@ONCE
@given(records=products())
def test_shopify_csv_comes_back_equal_in_what_it_can_hold(records, tmp_path):
    held = [
        msgspec.structs.replace(record, categories=record.categories[:1], featured=False, sort=0)
        for record in records
    ]
    held = [r for r in held if not _is_default_option(r)]
    found = written_and_read(held, writer=ShopifyWriter, reader=read_shopify_csv, tmp_path=tmp_path)
    same(found, held)


def _is_default_option(record):
    """Shopify's own way of saying that there is no option, which cannot mean anything else."""
    return any(name.casefold() == "title" for name in record.option_names)


@ONCE
@given(records=products())
def test_woocommerce_csv_comes_back_equal_in_what_it_can_hold(records, tmp_path):
    found = written_and_read(
        records, writer=WooCommerceWriter, reader=read_woocommerce_csv, tmp_path=tmp_path
    )
    held = [_as_woocommerce_holds(record) for record in records]
    same(sorted(found, key=lambda r: r.handle), sorted(held, key=lambda r: r.handle))


def _as_woocommerce_holds(record):
    attributes = {n: t for n, t in record.attributes.items() if n not in record.option_names}
    variants = tuple(
        msgspec.structs.replace(
            v,
            stock=v.stock
            if v.origin == "SC" or not v.stock
            else (*v.stock, StockRecord(pool="supplier", on_hand=0)),
        )
        for v in record.variants
    )
    if len(variants) == 1 and not record.option_names:
        variants = (msgspec.structs.replace(variants[0], image=None, enabled=record.enabled),)
    return msgspec.structs.replace(record, attributes=attributes, variants=variants)


@ONCE
@given(records=products())
def test_a_google_feed_twice_read_comes_back_equal(records, tmp_path):
    # The second time, a variant without a picture has the product's first, which another lent it.
    def again(given):
        return written_and_read(
            given, writer=GoogleWriter, reader=read_google_merchant, tmp_path=tmp_path
        )

    settled = again(again([record for record in records if record.enabled]))
    same(again(settled), settled)


@given(texts)
def test_a_guarded_cell_starts_no_formula_and_comes_back(text):
    cell = guard_cell(text)
    assert cell[0] not in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
    assert bare_cell(cell) == text


@pytest.mark.parametrize("sign", [*"=+-@\t\r\n", *"\uff1d\uff0b\uff0d\uff20"])
def test_a_cell_that_begins_with_a_sign_of_formulas_is_guarded(sign):
    assert guard_cell(f"{sign}1+1") == f"'{sign}1+1"
    assert guard_cell(f"'{sign}1") == f"''{sign}1"
    assert bare_cell(guard_cell(f"{sign}1+1")) == f"{sign}1+1".strip()


@given(st.lists(texts, max_size=4))
def test_a_list_comes_back(parts):
    assert fields.split_list(fields.join_list(parts)) == parts


@given(st.lists(texts, min_size=1, max_size=4))
def test_a_path_comes_back(names):
    assert fields.category_path(fields.path_text(tuple(names))) == tuple(names)


FULL = ProductRecord(
    handle="mug", name="Mug", merchant="Potters & Co", currency="USD", description="<p>Hot &amp; good</p>",
    brand="P", translations={"nl": {"name": "Mok", "description": "<p>Heet</p>"}}, attributes={"a=b": "c\\d\t"},
    categories=(("Kitchen", "Cups"), ("Gifts",)), images=(Image(url="https://i.example/1.jpg", alt="x"),),
    video="https://i.example/mug.mp4",
    tags=("t", '"'), related_handles=("pot",), option_names=("Size",), enabled=True, featured=True, sort=4,
    shipping_minor=250, shipping_days=(3, 10), ships_to=("IN", "US"), target_users="women",
    shipping_terms=(ShippingTerm(courier="IN19A04", price_minor=199, days=(7, 15)),
                    ShippingTerm(courier="US19A08", price_minor=0)),
    features=("light", 'says "hi", \\ and {more}'),
    variants=(
        VariantRecord(
            sku="M-S", merchant_sku="ms", part_number="p", upc="036000291452", options={"Size": "S"},
            attributes={"k": "v"}, image="https://i.example/s.jpg", retail_minor=1000, sale_minor=900,
            sale_starts_at=NOW, sale_ends_at=NOW + timedelta(days=1), cost_minor=5, vat_bp=2100, weight_g=7,
            length_mm=1, width_mm=2, height_mm=3, origin="*", stock_status="instock",
            stock=(StockRecord(pool="own", on_hand=3, warning_level=1, best_before=NOW.date(),
                               best_before_alert="soon"),
                   StockRecord(pool="supplier", on_hand=9)),
            promotions=(Promotion(price_minor=800, starts_at=NOW, ends_at=NOW + timedelta(days=2)),),
        ),
        VariantRecord(sku="M-L", options={"Size": "L"}, enabled=False),
    ),
)  # fmt: skip


async def test_jsonl_holds_everything(database, shop, other_shop, export, import_):
    async with database.begin() as tx:
        await upsert_products(tx, shop=shop, records=[FULL], now=NOW)
    content = await export("jsonl")
    again = await import_(content, "jsonl")
    assert (again.products_unchanged, again.refused) == (1, 0)
    other = await import_(content, "jsonl", into=other_shop)
    assert other.products_added == 1
    assert await export("jsonl", of=other_shop) == content


@pytest.mark.parametrize("format_name", ["shopify-csv", "woocommerce-csv", "google-merchant"])
async def test_a_file_exported_and_imported_again_changes_nothing(
    database, shop, export, import_, rows, format_name
):
    simple = ProductRecord(
        handle="pot", name="=Pot", merchant="Potters", currency="USD",
        categories=(("Kitchen",),), variants=(VariantRecord(sku="POT", retail_minor=5, stock_managed=False),),
    )  # fmt: skip
    async with database.begin() as tx:
        await upsert_products(tx, shop=shop, records=[simple], now=NOW)
    await import_(await export(format_name), format_name)
    settled = await export(format_name)
    before = await rows("select xmin::text, id from variants where shop_id = %s")
    again = await import_(settled, format_name)
    assert (again.products_unchanged, again.refused, again.error) == (1, 0, "")
    assert await rows("select xmin::text, id from variants where shop_id = %s") == before


@ONCE
@given(records=products())
def test_jsonl_lines_come_back_equal(records, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"\n".join(map(msgspec.json.encode, records)))
    with open_source(path) as source:
        items = list(read_jsonl(source, Reading(currency="USD", merchant="Nobody")))
    found = [item.record for item in items if isinstance(item, Read)]
    hashes = [
        product.hash
        for record in found
        if isinstance(record, ProductRecord)
        for product in prepare([record])
    ]
    assert hashes == [product.hash for product in prepare(records)]


def test_what_is_compared_is_a_gtin():
    assert normalise_gtin("4006381333931")
