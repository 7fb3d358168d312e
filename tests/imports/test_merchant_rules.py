"""A Google export passes the receiver's rules, and says which of them the catalogue does not meet."""

import re

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from crossdock.imports.google_merchant import read_google_merchant
from crossdock.imports.reading_again import left_out
from crossdock.imports.writing_google import GoogleWriter, is_public_gtin
from crossdock.shop.catalogue import Image, ProductRecord, VariantRecord
from tests.imports.test_keeping import NOW, whole_products
from tests.support.made_products import SHOP, use_of, written_and_read
from tests.support.merchant_rules import broken_rules

SOLD = msgspec.structs.replace(SHOP, product_url="https://shop.example/p/{handle}?v={sku}")


def feed_of(records, shop=SOLD):
    writer = GoogleWriter(shop=shop, attributes=use_of(records))
    lacks = [name for record in records for name in writer.missing(record)]
    text = writer.start() + "".join(map(writer.product, records)) + writer.end()
    return text.encode(), lacks


@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records=whole_products())
def test_every_broken_rule_is_one_that_the_export_tells(records):
    feed, lacks = feed_of(records)
    broken = broken_rules(feed)
    assert {reason for _, _, reason in broken} <= {"is missing"}, broken
    needed = {"link", "description", "image_link", "price", "availability_date"}
    assert {field for _, field, _ in broken} <= needed
    assert sorted(field for _, field, _ in broken) == sorted(lacks)


def test_a_complete_product_breaks_no_rule():
    product = ProductRecord(
        handle="jug & cup", name="J" * 200, merchant="M", currency="USD", description="<p>x</p>" * 1_000,
        brand="B", attributes={"condition": "worn", "gender": "male", "Empty": "", "Glaze": "matt",
                               "availability_date": "2026-12-24"},
        images=tuple(Image(url=f"https://i.example/{n}.jpg") for n in range(15)), option_names=("Size",),
        variants=(
            VariantRecord(sku="A", retail_minor=900, upc="2000000000008", cost_minor=5, length_mm=305,
                          width_mm=5, options={"Size": "S"}, stock_status="onbackorder", sale_minor=800),
            VariantRecord(sku="B", retail_minor=900, upc="4006381333931", weight_g=7),
        ),
    )  # fmt: skip
    feed, lacks = feed_of([product])
    assert (broken_rules(feed), lacks) == ([], [])
    for text in (
        b"<g:link>https://shop.example/p/jug%20%26%20cup?v=A</g:link>",
        b"<g:shipping_length>30.5 cm</g:shipping_length>",
        b"<g:gtin>4006381333931</g:gtin>",
        b"<g:condition>new</g:condition>",
        b"<g:availability>out_of_stock</g:availability>",
        b"<g:availability>backorder</g:availability>",
        b"<g:availability_date>2026-12-24</g:availability_date>",
        b"<g:sale_price>8.00 USD</g:sale_price>",
    ):
        assert text in feed
    assert feed.count(b"<g:additional_image_link>") == 20
    assert b"cost_of_goods_sold" not in feed
    assert b"2000000000008" not in feed
    assert feed_of([product], shop=SHOP)[1] == ["link", "link"]


def complete(**changes):
    """A product of one variant that breaks no rule, but for the changes."""
    of_product = {name: changes.pop(name) for name in ("handle", "attributes") if name in changes}
    variant = VariantRecord(**{"sku": "A", "retail_minor": 900, **changes})
    return ProductRecord(
        name="Jug", merchant="M", currency="USD", images=(Image(url="https://i.example/1.jpg"),),
        variants=(variant,), **{"handle": "jug", **of_product},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("date", "lacks"),
    [
        ({}, ["availability_date"]),
        ({"availability_date": "soon"}, ["availability_date"]),
        ({"availability_date": "2026-12-24T08:00:00.000000+01:00"}, ["availability_date"]),
        ({"availability_date": "2026-12-24T08:00+01:00"}, []),
    ],
)
def test_goods_on_backorder_need_a_date(date, lacks):
    feed, told = feed_of([complete(stock_status="onbackorder", attributes=date)])
    assert told == lacks
    assert broken_rules(feed) == [("A", name, "is missing") for name in lacks]


def test_a_date_of_availability_is_a_detail_of_goods_in_stock():
    record = complete(stock_status="instock", attributes={"availability_date": "2026-12-24"})
    feed, lacks = feed_of([record])
    assert (broken_rules(feed), lacks) == ([], [])
    assert b"<g:availability_date>" not in feed
    writer = GoogleWriter(shop=SOLD, attributes=use_of([record]))
    again = writer.again(record)
    assert again
    assert again.attributes == record.attributes


@pytest.mark.parametrize("sale_minor", [900, 901])
def test_a_sale_price_that_is_not_below_the_price_is_not_sent(sale_minor):
    record = complete(sale_minor=sale_minor, sale_starts_at=NOW)
    feed, lacks = feed_of([record])
    assert (broken_rules(feed), lacks) == ([], [])
    assert b"sale_price" not in feed
    again = GoogleWriter(shop=SOLD, attributes=use_of([record])).again(record)
    assert {"variants.sale_minor", "variants.sale_starts_at"} <= set(
        left_out(record, record.variants, again)
    )


def test_long_keys_are_short_for_the_receiver_and_whole_for_us(tmp_path):
    long = [complete(sku=f"{'S' * 60} {n}", handle=f"{'h' * 200}-{n}") for n in range(2)]
    feed, lacks = feed_of(long)
    assert (broken_rules(feed), lacks) == ([], [])
    ids = re.findall(rb"<g:id>(.*)</g:id>", feed)
    groups = re.findall(rb"<g:item_group_id>(.*)</g:item_group_id>", feed)
    assert [len({*keys}) for keys in (ids, groups)] == [2, 2]
    assert {len(key) for key in ids + groups} == {50}
    read = written_and_read(
        long, writer=GoogleWriter, reader=read_google_merchant, tmp_path=tmp_path
    )
    assert [(r.handle, r.variants[0].sku, r.attributes) for r in read] == [
        (r.handle, r.variants[0].sku, {}) for r in long
    ]


def test_the_checker_tells_a_broken_rule():
    feed, _ = feed_of([complete(sale_minor=800, stock_status="onbackorder")])
    worse = feed.replace(b"8.00 USD", b"9.00 USD").replace(
        b"<g:id>A<", b"<g:id>" + b"A" * 51 + b"<"
    )
    assert {(field, reason) for _, field, reason in broken_rules(worse)} == {
        ("id", "is too long"),
        ("sale_price", "is not below the price"),
        ("availability_date", "is missing"),
    }


@pytest.mark.parametrize(
    ("text", "is_public"),
    [("4006381333931", True), ("036000291452", True), ("2000000000008", False), ("123", False), ("", False)],
)  # fmt: skip
def test_only_numbers_that_a_receiver_takes_are_sent(text, is_public):
    assert is_public_gtin(text) is is_public
