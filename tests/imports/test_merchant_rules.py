"""A Google export passes the receiver's rules, and says which of them the catalogue does not meet."""

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from crossdock.imports.writing_google import GoogleWriter, is_public_gtin
from crossdock.shop.catalogue import Image, ProductRecord, VariantRecord
from tests.imports.test_keeping import whole_products
from tests.support.made_products import SHOP, use_of
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
    assert {reason for _, _, reason in broken} <= {"is missing"}
    assert sorted(field for _, field, _ in broken) == sorted(lacks)


def test_a_complete_product_breaks_no_rule():
    product = ProductRecord(
        handle="jug & cup", name="J" * 200, merchant="M", currency="USD", description="<p>x</p>" * 1_000,
        brand="B", attributes={"condition": "worn", "gender": "male", "Empty": "", "Glaze": "matt"},
        images=tuple(Image(url=f"https://i.example/{n}.jpg") for n in range(15)), option_names=("Size",),
        variants=(
            VariantRecord(sku="A", retail_minor=900, upc="2000000000008", cost_minor=5, length_mm=305,
                          width_mm=5, options={"Size": "S"}, stock_status="onbackorder"),
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
    ):
        assert text in feed
    assert feed.count(b"<g:additional_image_link>") == 20
    assert b"cost_of_goods_sold" not in feed
    assert b"2000000000008" not in feed
    assert feed_of([product], shop=SHOP)[1] == ["link", "link"]


@pytest.mark.parametrize(
    ("text", "is_public"),
    [("4006381333931", True), ("036000291452", True), ("2000000000008", False), ("123", False), ("", False)],
)  # fmt: skip
def test_only_numbers_that_a_receiver_takes_are_sent(text, is_public):
    assert is_public_gtin(text) is is_public
