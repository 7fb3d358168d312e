"""Catalogues that nobody here wrote, through the formats and, where need be, a map file."""

import tarfile

import pytest
import zstandard

from tests.imports.conftest import real_data

pytestmark = pytest.mark.real_data


async def test_a_shopify_export(import_, rows):
    summary = await import_(real_data("feeds/shopify_export_packt.csv"), "shopify-csv")
    assert (summary.products_added, summary.variants_added, summary.refused) == (20, 21, 0)
    assert await rows(
        "select retail_minor, sale_minor from variants where shop_id = %s and sku = 'floor-lamp'"
    ) == [(8500, 6999)]


async def test_a_google_feed(import_, rows):
    text = real_data("feeds/google_rss_example_kanenas.md").read_text().split("```")[1].strip()
    summary = await import_(text, "google-merchant")
    assert (summary.products_added, summary.variants_added, summary.refused) == (1, 2, 0)
    assert await rows("select gtin14 from variants where shop_id = %s order by id") == [
        ("00698615070527",),
        ("00698615086467",),
    ]


async def test_consumer_goods_with_gtins(import_, rows):
    summary = await import_(
        real_data("datakick/items.csv"), "shopify-csv", map_name="datakick.toml"
    )
    assert (summary.products_added, summary.refused) == (6561, 0)
    invalid = [finding for finding in summary.findings if finding.field == "upc"]
    assert len(invalid) == 1
    assert await rows("select count(*) from variants where shop_id = %s and gtin14 is null") == [
        (1,)
    ]


async def test_an_export_of_spree(import_):
    summary = await import_(
        real_data("feeds/spree_products.csv"), "shopify-csv", map_name="spree.toml"
    )
    assert (summary.products_added, summary.variants_added, summary.refused) == (37, 87, 0)


async def test_an_export_of_bagisto(import_, rows):
    summary = await import_(
        real_data("feeds/bagisto_products.csv"), "woocommerce-csv", map_name="bagisto.toml"
    )
    assert (summary.products_added, summary.variants_added, summary.refused) == (5, 8, 0)
    assert await rows("select options from variants where shop_id = %s and sku = 'SP-005'") == [
        ({"color": "yellow", "size": "m"},)
    ]


async def test_an_export_of_bagisto_with_an_error(import_):
    path = real_data("feeds/bagisto_products_with_errors.csv")
    summary = await import_(path, "woocommerce-csv", map_name="bagisto.toml")
    assert summary.products_added == 1
    assert [(row, field) for row, field, _ in summary.refusals] == [(3, "Type")]


@pytest.mark.parametrize(
    "name", ["medusa_exported_products.csv", "medusa_exported_products_semicolon.csv"]
)
async def test_an_export_of_medusa(import_, name):
    summary = await import_(real_data(f"feeds/{name}"), "shopify-csv", map_name="medusa.toml")
    assert (summary.products_added, summary.variants_added, summary.refused) == (2, 3, 0)


async def test_configurable_products_of_magento(import_, rows, tmp_path):
    path = _from_archive(tmp_path, "ConfigurableSampleData/fixtures/products.csv")
    summary = await import_(path, "woocommerce-csv", map_name="magento.toml")
    assert (summary.products_added, summary.variants_added, summary.refused) == (147, 1847, 0)
    assert await rows(
        "select name, options from variants where shop_id = %s and sku = 'MH01-XS-Black'"
    ) == [("Chaz Kangeroo Hoodie - XS / Black", {"size": "XS", "color": "Black"})]


async def test_simple_products_of_magento(import_, tmp_path):
    path = _from_archive(
        tmp_path, "CatalogSampleData/fixtures/SimpleProduct/products_gear_bags.csv"
    )
    summary = await import_(path, "woocommerce-csv", map_name="magento-simple.toml")
    assert (summary.products_added, summary.refused) == (14, 0)


def _from_archive(folder, name):
    archive = real_data("magento/magento2-sample-data-fixtures.tar.zst")
    with (
        archive.open("rb") as packed,
        zstandard.ZstdDecompressor().stream_reader(packed) as stream,
        tarfile.open(fileobj=stream, mode="r|") as files,
    ):
        for member in files:
            if member.name.endswith(name):
                content = files.extractfile(member)
                assert content
                (folder / "table.csv").write_bytes(content.read())
    return folder / "table.csv"


async def test_electronics_with_sparse_attributes(import_, rows):
    path = real_data("icecat-chorus/products-1.json.zip")
    summary = await import_(path, "jsonl", map_name="icecat.toml")
    assert (summary.products_added, summary.refused) == (5000, 0)
    [(name, attributes, price, part)] = await rows(
        """select p.name, p.attributes, v.retail_minor, v.part_number from products p
           join variants v on v.shop_id = p.shop_id and v.product_id = p.id
           where p.shop_id = %s and p.handle = 'icecat-3920564'"""
    )
    assert (name[:15], price, part) == ("Xerox 006R90321", 4995, "006R90321")
    assert attributes["quantity_per_pack"] == "6"


async def test_products_with_category_paths(import_, rows):
    path = real_data("typesense-bestbuy/ecommerce.json.zst")
    summary = await import_(path, "jsonl", map_name="bestbuy.toml")
    assert (summary.products_added, summary.refused) == (3287, 4)
    assert await rows("select max(depth) from categories where shop_id = %s") == [(5,)]
