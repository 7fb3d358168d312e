"""The guide is true: its programs run, its token is right, its samples have the fields of real answers."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from crossdock.channels.shopwedo.errors import WIRE, WIRE_ONLY
from crossdock.channels.shopwedo.limits import LIMITS
from crossdock.channels.shopwedo.states import ORDER_STATES
from crossdock.shop.catalogue import (
    BlogPostRecord,
    CategoryRecord,
    upsert_blog_posts,
    upsert_categories,
)
from tests.channels.shoppex_partner.test_snippets import FENCES, LANGUAGES, run
from tests.support.processes import ROOT
from tests.support.shopwedo_client import order_of, token_of

GUIDE = ROOT / "docs" / "channels" / "shopwedo.md"


def guide_programs() -> list[tuple[str, str]]:
    """(language, program) of every fenced program of the guide."""
    return [(FENCES[fence], text) for fence, text in _blocks() if fence in FENCES]


def _blocks() -> list[Any]:
    return re.findall(r"^```(\w+)\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


def sample(heading: str) -> Any:
    """The first JSON sample under a heading."""
    section = GUIDE.read_text().split(f"\n## {heading}", 1)[1]
    found = re.search(r"^```json\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert found
    return json.loads(found[1])


def shape(value: Any) -> Any:
    """What a value is made of: keys of objects and the first entry of lists, all the way down."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def test_the_guide_has_a_program_in_every_language():
    assert {language for language, _ in guide_programs()} == set(LANGUAGES)


@pytest.mark.parametrize(
    ("language", "program"), guide_programs(), ids=[language for language, _ in guide_programs()]
)
async def test_the_guides_program_reads_and_orders(
    server, client, variant, server_database, shop, tmp_path, language, program
):
    await variant(own=0)
    sku = await variant(own=3, name="Guide mug")
    variables = {"BASE_URL": server.url, "SHOP_ID": client.shop_id, "SHOP_KEY": client.key}
    told = run(language, program, tmp_path, **variables)
    async with server_database.statement() as tx:
        order = await tx.one(
            "select o.id, o.fulfilment_state, l.variant_id from orders o join order_lines l on l.order_id = o.id"
            " where o.shop_id = %s",
            (shop.id,),
        )
    assert order is not None
    assert order[1:] == ("processing", sku)
    assert f"{order[0]}" in told
    assert "released" in told
    assert "2 stock items" in told


def test_the_worked_example():
    row = r"^\| `(\d+)` \| `(\S+)` \| `([\d.]+)` \| `(\S+)` \| `(\w{128})` \|$"
    rows = re.findall(row, GUIDE.read_text(), re.MULTILINE)
    assert len(rows) == 2
    for shop_id, key, timestamp, salt, token in rows:
        assert token == token_of(shop_id, key, timestamp, salt)


def test_every_error_and_state_is_told():
    text = GUIDE.read_text()
    never_told = {
        "forbidden",
        "exists",
        "not_found",
        "internal_error",
    }  # no rule here leads to them
    words = {word for _, word in WIRE.values()} | set(WIRE_ONLY)
    assert {word for word in words - never_told if f"`{word}`" not in text} == set()
    for number, word in ORDER_STATES.values():
        assert re.search(rf"^\| {number} \| `{word}` \|", text, re.MULTILINE)


def test_every_limit_is_told():
    text = GUIDE.read_text()
    of_calls = [limit for what, limit in LIMITS.fields if not what.startswith("label form")]
    numbers = {number for limit in of_calls for number in re.findall(r"[0-9][0-9,]*", limit)}

    assert len(of_calls) > 10
    assert {number for number in numbers if not re.search(rf"\b{number}\b", text)} <= {"2"}
    assert "two long ones" in text


async def test_the_samples_have_the_shape_of_real_answers(
    client, variant, warehouse, server_database, shop
):
    sku = await variant(own=9, weight_g=5)
    document = order_of((sku, 2), release=1)
    document["items"][0]["external_orderline_id"] = 7
    created = await client.call("createOrder", document)
    assert shape(created.json()) == shape(sample("createOrder"))
    order_id = created.json()["order_id"]
    await warehouse.pick(order_id, {1: 2})
    await warehouse.scan(order_id, 1, "A", "B")
    await warehouse.ship(await warehouse.pack(order_id, {1: 2}))
    assert shape(await client.read("getOrder", order_id=order_id)) == shape(sample("getOrder"))
    (item,) = (await client.read("getStock")).values()
    assert shape(item) == shape(sample("getStock")["1042"])
    reply = await client.call(
        "createRetourAnnouncement", {"order_id": order_id, "items": [{"sku": sku, "amount": 1}]}
    )
    assert shape(reply.json()) == shape(sample("getRetourSettings"))
    other = await client.create(order_of((sku, 1)))
    reply = await client.call("cancelOrder", {"order_id": other})
    assert shape(reply.json()) == shape(sample("cancelOrder"))
    (product,) = await client.read("getProducts")
    assert set(product) == set(sample("getProducts")[0])
    async with server_database.begin() as tx:
        await upsert_categories(
            tx,
            shop_id=shop.id,
            records=[CategoryRecord(path=("A", "B"))],
            now=datetime(2026, 1, 1, tzinfo=UTC),
        )
        post = BlogPostRecord(
            slug="a",
            title="A",
            content="",
            language="en",
            published_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        await upsert_blog_posts(tx, shop_id=shop.id, records=[post])
        await tx.run(
            "insert into pickup_points (shop_id, carrier, code, name, zip, country, latitude, longitude)"
            " values (%s, 'bpost', '1', 'Post', '2800', 'BE', 51, 4)",
            (shop.id,),
        )
    assert shape((await client.read("getCategories"))[:1]) == shape(sample("getCategories"))
    assert shape(await client.read("getBlogPosts")) == shape(sample("getBlogPosts"))
    found = await client.read("pudo", address={"zip": "2800", "country": "BE"})
    assert shape(found) == shape(sample("pudo"))
