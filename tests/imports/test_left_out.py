"""What an export leaves out is exactly what an import into an empty shop does not bring back."""

import json
from collections import Counter

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from crossdock.imports.exporting import ExportSummary, export_catalogue
from crossdock.imports.reading_again import left_out
from crossdock.imports.writing_tables import Writer
from crossdock.shop.catalogue import Image, upsert_products
from tests.imports.test_keeping import FORMATS, FULL, NOW, whole_products
from tests.support.made_products import SHOP, read_back, use_of

FEW = hypothesis_settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
LINES = [
    {"handle": "sock", "name": "Sock", "option_names": ["size", "material", "pattern"], "variants": [
        {"sku": "SO-1", "options": {"size": "L", "pattern": "Stripe"}, "retail_minor": 900,
         "stock": [{"pool": "own", "on_hand": 3}]},
        {"sku": "SO-2", "options": {"size": "M", "material": "Wool", "pattern": "Plain"}, "retail_minor": 900,
         "stock": [{"pool": "own", "on_hand": 4}]}]},
    {"handle": "hitch", "name": "Hitch", "variants": [{"sku": "HI", "retail_minor": 1000, "sale_minor": 1200}]},
    {"handle": "ring", "name": "Ring", "option_names": ["Ring size"],
     "attributes": {"Ring size": "5; 6", "Metal": "silver"},
     "variants": [{"sku": "R5", "options": {"Ring size": "5"}, "retail_minor": 900}]},
    {"handle": "jug", "name": "Jug", "option_names": ["color"],
     "images": [{"url": "https://i.example/main.jpg"}, {"url": "https://i.example/blue.jpg"}],
     "variants": [
        {"sku": "JB", "options": {"color": "blue"}, "image": "https://i.example/blue.jpg", "retail_minor": 900},
        {"sku": "JR", "options": {"color": "red"}, "retail_minor": 900}]},
    {"handle": "kurta", "name": "Kurta", "attributes": {"gender": "female"}, "target_users": "all",
     "shipping_minor": 150, "shipping_days": [3, 10], "ships_to": ["IN", "US"], "features": ["Soft", "Light, too"],
     "shipping_terms": [{"courier": "IN19A04", "price_minor": 250, "days": [2, 4]},
                        {"courier": "US19A08", "price_minor": 0}],
     "variants": [{"sku": "KU", "retail_minor": 1000}]},
    {"handle": "free", "name": "Free", "free_shipping": True, "target_users": "men",
     "shipping_terms": [{"courier": "MY14A15", "price_minor": 400}], "variants": [{"sku": "FR", "retail_minor": 1000}]},
    {"handle": "skin", "name": "Skin", "virtual": True, "quantity_min": 2, "quantity_max": 5,
     "custom_fields": [{"name": "Character", "required": True, "regex": "^[A-Z]"}, {"name": "Level", "type": "number"}],
     "variants": [{"sku": "SK", "retail_minor": 1000}]},
    {"handle": "off", "name": "Off", "enabled": False, "variants": [{"sku": "OFF-1", "retail_minor": 1}]},
    {"type": "blog_post", "slug": "b", "title": "B", "content": "x", "language": "en",
     "published_at": "2026-01-01T00:00:00Z"},
    {"type": "merchant", "name": "Harbour Goods", "email": "a@example.com"},
]  # fmt: skip


@pytest.mark.parametrize("format_name", FORMATS)
@FEW
@given(records=whole_products())
def test_what_a_file_brings_back_is_what_the_writer_says(records, format_name, tmp_path):
    writer, reader = FORMATS[format_name]
    items = read_back(records, writer=writer, reader=reader, tmp_path=tmp_path)
    made: Writer = writer(shop=SHOP, attributes=use_of(records))
    expected = [back for record in records if (back := made.again(record))]
    found = {item.record.handle: item.record for item in items}
    assert [found[record.handle] for record in expected] == expected


@pytest.mark.parametrize("format_name", FORMATS)
async def test_left_out_is_the_difference(database, shop, other_shop, import_, export, format_name):
    await import_("\n".join(map(json.dumps, LINES)), "jsonl")
    async with database.begin() as tx:
        await upsert_products(tx, shop=shop, records=[FULL], now=NOW)
    summary = ExportSummary()
    pieces = export_catalogue(database, shop=shop, format_name=format_name, summary=summary)
    content = b"".join([piece async for piece in pieces])
    again = await import_(content, format_name)
    assert (again.products_changed, again.variants_changed, again.refused) == (0, 0, 0)
    await import_(content, format_name, into=other_shop)
    before = _products(await export("jsonl"))
    after = _products(await export("jsonl", of=other_shop))
    counted: Counter[str] = Counter()
    for handle, product in before.items():
        if handle not in after:
            counted["products that are disabled"] += 1
            continue
        counted.update(_differing(product, after[handle], ""))
        there = {variant["sku"]: variant for variant in after[handle]["variants"]}
        for variant in product["variants"]:
            if variant["sku"] in there:
                counted.update(_differing(variant, there[variant["sku"]], "variants."))
            else:
                counted["variants that are disabled"] += 1
    said = Counter(
        {
            _field(name): count
            for name, count in summary.left_out.items()
            if not name.startswith("variants.stock ")
        }
    )
    said.pop("categories without a product or with more than names", None)
    assert said == counted + Counter({"blog_posts": 1, "merchants": 1})


def _products(lines):
    found = map(json.loads, lines.splitlines())
    return {line["handle"]: line for line in found if line["type"] == "product"}


def _field(name):
    return "images" if name.startswith("images.") else name.partition(" after")[0]


def _differing(before, after, prefix):
    names = (before.keys() | after.keys()) - {"variants", "stock"}
    return [prefix + name for name in names if before.get(name) != after.get(name)]


@pytest.mark.parametrize(
    ("alt", "variant_sku", "said"),
    [
        ("Front", "", "images.variant_sku"),
        ("", "A", "images.alt"),
        ("", "", "images.alt and images.variant_sku"),
    ],
)
def test_a_picture_is_said_to_lose_what_it_loses(alt, variant_sku, said):
    whole = Image(url="https://i.example/1.jpg", alt="Front", variant_sku="A")
    back = Image(url="https://i.example/1.jpg", alt=alt, variant_sku=variant_sku)
    before, after = (msgspec.structs.replace(FULL, images=(each,)) for each in (whole, back))
    assert said in left_out(before, FULL.variants, after)


def test_a_product_that_comes_back_equal_leaves_nothing_out():
    assert list(left_out(FULL, FULL.variants, FULL)) == ["variants.stock but for on_hand"]
