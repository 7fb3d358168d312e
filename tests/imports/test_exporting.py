"""An export: every attribute has its column, and what a format has no place for is told."""

import csv
import json
from datetime import UTC, datetime, timedelta

import pytest

from crossdock.imports import writing_shopify
from crossdock.imports.exporting import ExportSummary, export_catalogue
from crossdock.shop.catalogue import ProductRecord, Promotion, VariantRecord, upsert_products
from crossdock.shop.stock import StockRecord
from tests.support.processes import run_command

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def product(handle, *, variants=None, **parts):
    variants = variants or (VariantRecord(sku=f"S-{handle}", retail_minor=100),)
    return ProductRecord(
        handle=handle, name=handle, merchant="M", currency="USD", variants=variants, **parts
    )


@pytest.fixture
def exported(database, shop):
    """Write products and export them: the text and the summary."""

    async def run(records, format_name):
        async with database.begin() as tx:
            await upsert_products(tx, shop=shop, records=records, now=NOW)
        summary = ExportSummary()
        pieces = export_catalogue(database, shop=shop, format_name=format_name, summary=summary)
        return b"".join([piece async for piece in pieces]).decode(), summary

    return run


WIDE = [
    product(f"p{index}", attributes={f"A{n:04}": f"v{n}" for n in range(index, 900, 2)})
    for index in range(2)
]


@pytest.mark.parametrize("format_name", ["shopify-csv", "woocommerce-csv"])
async def test_hundreds_of_attributes_are_all_written_and_come_back(
    exported, format_name, import_, other_shop, database
):
    text, summary = await exported(WIDE, format_name)
    assert (summary.products, summary.attributes_left_out_count) == (2, 0)
    again = await import_(text, format_name, into=other_shop)
    assert (again.products_added, again.refused) == (2, 0)
    async with database.begin() as tx:
        found = await tx.all(
            "select handle, attributes from products where shop_id = %s order by handle",
            (other_shop.id,),
        )
    assert found == [(record.handle, record.attributes) for record in WIDE]


async def test_attributes_without_a_column_are_named_and_those_of_most_products_kept(
    exported, monkeypatch
):
    monkeypatch.setattr(writing_shopify, "ATTRIBUTES_MAX", 2)
    records = [
        product("a", attributes={"Rare": "1", "Usual": "1", "Some": "1", "Zero": "1"}),
        product("b", attributes={"Usual": "2", "Some": "2"}),
        product("c", attributes={"Usual": "3"}),
    ]
    text, summary = await exported(records, "shopify-csv")
    header = next(csv.reader([text.splitlines()[0]]))
    assert [name.split(" (")[0] for name in header[-2:]] == ["Some", "Usual"]
    assert list(summary.attributes_left_out) == ["Rare", "Zero"]
    assert summary.attributes_left_out_count == 2


FULL = product(
    "mug", translations={"nl": {"name": "Mok"}}, categories=(("A",), ("B",)), tags=("t",),
    option_names=("Size",), virtual=True,
    variants=(
        VariantRecord(
            sku="S", options={"Size": "S"}, retail_minor=1, vat_bp=2100, stock_status="instock", cost_minor=1,
            stock=(StockRecord(pool="own", on_hand=1, warning_level=1), StockRecord(pool="supplier", on_hand=2)),
            promotions=(Promotion(price_minor=1, starts_at=NOW, ends_at=NOW + timedelta(days=1)),),
        ),
        VariantRecord(sku="L", options={"Size": "L"}, enabled=False),
    ),
)  # fmt: skip
OFF = product("off", enabled=False)


@pytest.mark.parametrize(
    ("format_name", "left_out"),
    [
        ("jsonl", {}),
        (
            "shopify-csv",
            {"translations": 1, "categories after the first": 1, "variants.vat_bp": 1,
             "variants.stock_status": 1, "variants.promotions": 1, "variants that are disabled": 1,
             "variants.stock of the pool supplier": 1, "variants.stock but for on_hand": 1,
             "categories without a product or with more than names": 1},
        ),
        (
            "woocommerce-csv",
            {"variants.enabled": 1, "variants.stock of the pool supplier": 1,
             "translations": 1, "variants.vat_bp": 1, "variants.cost_minor": 1, "variants.promotions": 1,
             "variants.stock but for on_hand": 1},
        ),
        (
            "google-merchant",
            {"variants.cost_minor": 1,
             "translations": 1, "tags": 1, "virtual": 1, "variants.vat_bp": 1, "variants.promotions": 1,
             "variants that are disabled": 1, "products that are disabled": 1,
             "variants.stock of the pool supplier": 1, "variants.stock but for on_hand": 1},
        ),
    ],
)  # fmt: skip
async def test_what_a_format_has_no_place_for_is_counted(exported, format_name, left_out):
    _, summary = await exported([FULL, OFF], format_name)
    assert summary.left_out == left_out
    assert summary.products == (1 if format_name == "google-merchant" else 2)


async def test_a_product_whose_variants_went_elsewhere_is_left_out(exported, import_):
    await exported([product("old"), product("new")], "jsonl")
    moved = product("new", variants=(VariantRecord(sku="S-old"), VariantRecord(sku="S-new")))
    text, summary = await exported([moved], "jsonl")
    assert summary.left_out == {"products without variants": 1}
    assert (await import_(text, "jsonl")).refused == 0


async def test_the_command_tells_on_stderr_or_as_json(exported, shop, database_url, tmp_path):
    await exported([FULL], "jsonl")
    out = tmp_path / "out.csv"
    command = ("export", "--format", "shopify-csv", "--shop", shop.slug)

    def run(*arguments):
        settings = {"database_url": database_url, "data_dir": tmp_path}
        return run_command(*command, *map(str, arguments), settings=settings)

    told = run("--out", out)
    assert (told.returncode, told.stdout) == (0, "")
    assert "Exported 1 product with 1 variant" in told.stderr
    assert "translations (1)" in told.stderr.replace("\n", " ")
    summary = json.loads(run("--out", out, "--json").stdout)
    assert (summary["products"], summary["left_out"]["variants.promotions"]) == (1, 1)
    assert summary["bytes"] == out.stat().st_size
    for place, reason in ((tmp_path / "no" / "x", "no folder"), (tmp_path, "is a folder")):
        refused = run("--out", place)
        assert (refused.returncode, reason in refused.stderr) == (2, True)
        assert "Traceback" not in refused.stderr
