"""A file changes what it speaks of, and leaves everything else as it is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from crossdock.imports.google_merchant import read_google_merchant
from crossdock.imports.shopify_csv import read_shopify_csv
from crossdock.imports.woocommerce_csv import read_woocommerce_csv
from crossdock.imports.writing_google import GoogleWriter
from crossdock.imports.writing_shopify import ShopifyWriter
from crossdock.imports.writing_woocommerce import WooCommerceWriter
from crossdock.shop.catalogue import (
    CustomField,
    ExtraHandling,
    Image,
    ProductRecord,
    Promotion,
    ShippingTerm,
    VariantRecord,
    upsert_products,
)
from crossdock.shop.catalogue.merging import completed
from crossdock.shop.stock import StockRecord
from tests.support.made_products import (
    NASTY,
    SHOP,
    products,
    read_back,
    texts,
    urls,
    use_of,
    words,
)

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
MANY = hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)  # fmt: skip
FORMATS: dict[str, tuple[Any, Any]] = {
    "shopify-csv": (ShopifyWriter, read_shopify_csv),
    "woocommerce-csv": (WooCommerceWriter, read_woocommerce_csv),
    "google-merchant": (GoogleWriter, read_google_merchant),
}


@st.composite
def whole_products(draw):
    """Products with something in every field, some of it beyond what any table holds."""
    return [draw(whole(record)) for record in draw(products())]


@st.composite
def whole(draw, record):
    names = record.option_names
    names += tuple(name for name in ("o3", "o4") if names and name not in names)
    return msgspec.structs.replace(
        record,
        option_names=names,
        variants=tuple(draw(whole_variant(v, names)) for v in record.variants),
        translations={"nl": {"name": draw(words)}},
        attributes=record.attributes | draw(st.sampled_from([{}, dict.fromkeys(names, "x")])),
        categories=(("A",), ("B", "C")),
        images=tuple(
            msgspec.structs.replace(image, alt=draw(texts), variant_sku="v") for image in record.images
        ),
        related_handles=("other",),
        extra_handling=ExtraHandling(price_minor=5),
        sold_without_stock=draw(st.booleans()),
        requires_serial=True,
        shipping_minor=draw(st.integers(0, 900)),
        free_shipping=draw(st.booleans()),
        shipping_days=draw(st.sampled_from([None, (3, 10), (0, 1_000)])),
        shipping_terms=draw(st.lists(terms(), max_size=3, unique_by=lambda term: term.courier).map(tuple)),
        ships_to=draw(st.lists(st.sampled_from(["US", "IN", "BE"]), max_size=3, unique=True).map(tuple)),
        target_users=draw(st.sampled_from(["all", "men", "women", "unknown"])),
        features=tuple(draw(st.lists(words, max_size=5, unique=True))),
        quantity_min=draw(st.sampled_from([None, 1, 7])),
        quantity_max=draw(st.sampled_from([None, 7, 10_000])),
        custom_fields=tuple(draw(st.lists(custom_fields(), max_size=3, unique_by=lambda field: field.name.lower()))),
    )  # fmt: skip


@st.composite
def custom_fields(draw):
    """What a buyer fills in, in texts that a table writes in some other way."""
    return CustomField(
        name=draw(st.sampled_from([text for text in NASTY if text.isprintable()])),
        type=draw(st.sampled_from(["text", "textarea", "number", "checkbox"])),
        required=draw(st.booleans()),
        placeholder=draw(texts),
        regex=draw(st.sampled_from(["", "^[A-Z]+$", "^\\d{2},\\d$", '"|\\\\'])),
    )


@st.composite
def terms(draw):
    """A shipping term to one of three countries by one of three couriers."""
    return ShippingTerm(
        courier=draw(st.sampled_from(["US", "IN", "MY"])) + draw(st.sampled_from(["19A04", "X", "US"])),
        price_minor=draw(st.integers(0, 10**6)),
        days=draw(st.sampled_from([None, (0, 0), (3, 10)])),
    )  # fmt: skip


@st.composite
def whole_variant(draw, variant, names):
    starts_at, ends_at = draw(
        st.sampled_from([(None, None), (NOW, LATER), (NOW, None), (None, LATER)])
    )
    return msgspec.structs.replace(
        variant,
        options=variant.options | {name: "x" for name in names if name not in variant.options},
        merchant_sku="m",
        attributes={"k": "v"},
        retail_minor=draw(st.sampled_from([None, variant.retail_minor])),
        sale_minor=draw(st.sampled_from([None, 1, variant.retail_minor, variant.retail_minor + 1])),
        sale_starts_at=starts_at,
        sale_ends_at=ends_at,
        cost_minor=7,
        vat_bp=2100,
        length_mm=3,
        stock_status=draw(st.sampled_from([None, "instock", "outofstock", "onbackorder"])),
        enabled=draw(st.booleans()),
        image=draw(st.one_of(st.none(), urls)),
        promotions=(Promotion(price_minor=1, starts_at=NOW, ends_at=LATER),),
    )


def differences(found, expected):
    """What differs of two products or their variants, their stock aside."""
    pairs = [(found, expected), *zip(found.variants, expected.variants, strict=True)]
    return [
        (name, getattr(one, name), getattr(other, name))
        for one, other in pairs
        for name in one.__struct_fields__
        if name not in {"variants", "stock"} and getattr(one, name) != getattr(other, name)
    ]


@pytest.mark.parametrize("format_name", FORMATS)
@MANY
@given(records=whole_products())
def test_what_was_written_and_read_is_completed_to_what_it_was(records, format_name, tmp_path):
    if format_name == "shopify-csv" and any(
        "title" in map(str.casefold, r.option_names) for r in records
    ):
        return  # Shopify's own way of saying that there is no option  # fmt: skip
    writer, reader = FORMATS[format_name]
    items = read_back(records, writer=writer, reader=reader, tmp_path=tmp_path)
    stored = {record.handle: record for record in records}
    shows = writer(shop=SHOP, attributes=use_of(records)).again
    for item in items:
        record = stored[item.record.handle]
        held = {variant.sku for variant in item.record.variants}
        kept = tuple(variant for variant in record.variants if variant.sku in held)
        found = completed(
            item.record,
            stored=record,
            variants=kept,
            parts=msgspec.structs.replace(item.parts, shows=shows),
        )
        expected = msgspec.structs.replace(record, variants=kept)
        assert differences(found, expected) == []
        assert len(kept) == len(record.variants) or not all(v.enabled for v in record.variants)


FULL = ProductRecord(
    handle="mug", name="Mug", merchant="Potters", currency="USD", description="<p>Hot</p>", brand="P",
    translations={"nl": {"name": "Mok"}}, attributes={"Glaze": "matt"}, categories=(("Kitchen",), ("Gifts",)),
    images=(Image(url="https://i.example/1.jpg", alt="Front"),), tags=("t",), option_names=("Size",),
    related_handles=("pot",), sort=4, featured=True, quantity_min=2, quantity_max=9,
    custom_fields=(CustomField(name="Name on it", required=True, regex="^[A-Z]"),),
    variants=(
        VariantRecord(sku="OFF", options={"Size": "XS"}, enabled=False, retail_minor=9),
        VariantRecord(
            sku="S", merchant_sku="ms", options={"Size": "S"}, retail_minor=1000, sale_minor=900, vat_bp=2100,
            sale_starts_at=NOW, sale_ends_at=LATER, cost_minor=5, weight_g=7, length_mm=1, origin="*",
            stock=(StockRecord(pool="own", on_hand=3, warning_level=1, best_before=LATER.date()),
                   StockRecord(pool="supplier", on_hand=9)),
            promotions=(Promotion(price_minor=800, starts_at=NOW, ends_at=LATER),),
        ),
        VariantRecord(sku="L", options={"Size": "L"}, retail_minor=1100),
    ),
)  # fmt: skip
TABLES = (
    "variants",
    "product_categories",
    "promotions",
    "stock_levels",
    "stock_entries",
    "events",
    "categories",
)


async def everything(rows):
    """Every row with the transaction that wrote it; products without the hash of what wrote them."""
    found = {
        table: sorted(await rows(f"select t.xmin::text, t::text from {table} t where shop_id = %s"))
        for table in TABLES
    }
    found["products"] = await rows(
        "select (to_jsonb(t) - 'source_hash')::text from products t where shop_id = %s order by id"
    )
    return found


@pytest.fixture
async def full(database, shop):
    """The mug and a pot, in the shop."""
    pot = ProductRecord(
        handle="pot", name="Pot", merchant="Potters", currency="USD", sold_without_stock=True,
        variants=(VariantRecord(sku="POT", sale_minor=4, stock_managed=False, image="https://i.example/p.jpg"),),
    )  # fmt: skip
    async with database.begin() as tx:
        await upsert_products(tx, shop=shop, records=[FULL, pot], now=NOW)


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("format_name", [*FORMATS, "jsonl"])
async def test_an_export_imported_again_changes_no_row(export, import_, rows, format_name):
    before = await everything(rows)
    content = await export(format_name)
    for _ in range(2):
        summary = await import_(content, format_name)
        assert (summary.products_unchanged, summary.refused, summary.error) == (2, 0, "")
        assert await everything(rows) == before


async def test_white_space_and_repeats_that_a_table_loses_are_no_change(
    database, shop, export, import_
):
    loose = msgspec.structs.replace(
        FULL, description="<p>Hot</p>\n", brand=" P", tags=("t", "u", "t"), related_handles=("a", "a"),
        option_names=("Size", "Never"), attributes={"Empty": ""},
    )  # fmt: skip
    async with database.begin() as tx:
        await upsert_products(tx, shop=shop, records=[loose], now=NOW)
    for format_name in FORMATS:
        assert (await import_(await export(format_name), format_name)).products_unchanged == 1


@pytest.mark.usefixtures("full")
async def test_columns_that_a_table_lacks_leave_their_fields_alone(import_, rows, export):
    unhashed = (
        "select (to_jsonb(t) - 'source_hash')::text from products t where shop_id = %s order by id"
    )
    before = await rows(unhashed)
    table = "Handle,Title,Merchant,Variant SKU,Variant Price\nmug,Mug,Potters,S,12.50\nmug,,,L,13\n"
    summary = await import_(table, "shopify-csv")
    assert (summary.products_changed, summary.variants_changed, summary.refused) == (1, 2, 0)
    assert await rows(
        "select sku, retail_minor, sale_minor, vat_bp, options, enabled from variants "
        "where shop_id = %s and sku <> 'POT' order by position"
    ) == [
        ("OFF", 9, None, 0, {"Size": "XS"}, False),
        ("S", 1250, 900, 2100, {"Size": "S"}, True),
        ("L", 1300, None, 0, {"Size": "L"}, True),
    ]
    assert await rows(unhashed) == before
    assert len(await rows("select 1 from promotions where shop_id = %s")) == 1


@pytest.mark.usefixtures("full")
async def test_an_empty_cell_of_a_column_empties_the_field(import_, rows):
    table = (
        "SKU,Type,Name,Description,Tags,Meta: _merchant,Meta: _handle,Stock\n"
        "POT,simple,Pot,,new,Potters,pot,8\nPAN,simple,Pan,,,,,\n"
    )
    summary = await import_(table, "woocommerce-csv")
    assert [(finding.row, finding.reason) for finding in summary.findings] == [
        (2, "has no column; prices stay as they are, and new variants are not listed")
    ]
    await import_(table.replace(",new,", ",,"), "woocommerce-csv")
    assert await rows(
        "select description, tags, sold_without_stock from products where shop_id = %s and handle = 'pot'"
    ) == [("", [], True)]
    assert await rows(
        "select sale_minor, stock_managed, image from variants where shop_id = %s and sku = 'POT'"
    ) == [(4, True, "https://i.example/p.jpg")]


@pytest.mark.usefixtures("full")
async def test_a_count_leaves_warning_levels_and_dates_alone(export, import_, rows):
    text = (await export("shopify-csv")).decode().replace(",shopify,3,", ",shopify,8,")
    summary = await import_(text, "shopify-csv")
    assert (summary.stock_changed, summary.products_unchanged) == (1, 2)
    assert await rows(
        "select pool, on_hand, warning_level, best_before from stock_levels where shop_id = %s order by pool"
    ) == [("own", 8, 1, LATER.date()), ("supplier", 9, 0, None)]


@pytest.mark.usefixtures("full")
async def test_a_variant_that_moves_to_another_product_keeps_its_other_parts(import_, rows):
    table = "Handle,Title,Merchant,Variant SKU,Variant Price\njug,Jug,Potters,S,5\n"
    await import_(table, "shopify-csv")
    assert await rows(
        """select p.handle, v.retail_minor, v.cost_minor, v.vat_bp from variants v
           join products p on p.shop_id = v.shop_id and p.id = v.product_id where v.shop_id = %s and sku = 'S'"""
    ) == [("jug", 500, 5, 2100)]


@pytest.mark.usefixtures("full")
async def test_variants_in_another_order_are_written_in_it(import_, rows):
    table = (
        "Handle,Title,Merchant,Option1 Name,Option1 Value,Variant SKU\n"
        "mug,Mug,Potters,Size,L,L\nmug,,,,S,S\nmug,,,,M,M\n"
    )
    await import_(table, "shopify-csv")
    order = "select sku from variants where shop_id = %s and enabled and sku <> 'POT' order by position, id"
    assert await rows(order) == [("L",), ("S",), ("M",)]


async def test_goods_of_two_merchants_with_one_handle_stay_apart(
    database, shop, other_shop, export, import_, rows
):
    twins = [
        msgspec.structs.replace(FULL, merchant=merchant, name=f"Mug of {merchant}")
        for merchant in ("Potters", "Glaziers")
    ]
    async with database.begin() as tx:
        await upsert_products(tx, shop=shop, records=twins, now=NOW)
    for format_name in (*FORMATS, "jsonl"):
        content = await export(format_name)
        assert (await import_(content, format_name)).products_unchanged == 2
        summary = await import_(content, format_name, into=other_shop)
        assert (summary.records, summary.refused) == (2 if format_name in FORMATS else 6, 0)
    assert await rows("select count(*) from products where shop_id = %s") == [(2,)]


async def test_another_title_under_the_same_handle_is_refused(import_, rows):
    table = (
        "Handle,Title,Variant SKU,Variant Price\n"
        "a,A,A,1\na,Another,B,2\na,A,C,3\na,,D,\n"
    )  # fmt: skip
    summary = await import_(table, "shopify-csv")
    assert summary.refusals == [(3, "Title", "is not that of row 2, which has the same handle")]
    assert await rows("select sku, retail_minor from variants where shop_id = %s order by sku") == [
        ("A", 100),
        ("C", 300),
        ("D", None),
    ]
