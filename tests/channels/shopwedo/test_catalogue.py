"""getProducts, getCategories and getBlogPosts: fields, languages, filters, pages."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossdock.shop.catalogue import (
    BlogPostRecord,
    CategoryRecord,
    ExtraHandling,
    Image,
    ProductRecord,
    Promotion,
    VariantRecord,
    upsert_blog_posts,
    upsert_categories,
    upsert_products,
)
from crossdock.shop.partners import touch_partners
from crossdock.shop.shops import read_shop, set_time_zone
from crossdock.shop.stock import StockRecord
from tests.support.factories import make_merchant, make_shop
from tests.support.shopwedo_client import order_of

NOW = datetime.now(UTC)
LANGUAGES = {"nl", "fr", "en", "de"}
PRODUCT_KEYS = {
    "product_id", "product_parent_id", "sku", "name", "description", "price", "VAT", "promotions", "status",
    "extra_handling", "barcode", "ATP", "weight", "sort", "is_featured", "is_virtual", "is_nostock", "images",
    "categories", "childs", "related_products",
}  # fmt: skip
CATEGORY_KEYS = {
    "category_id", "category_parent_id", "name", "description", "sort", "images", "status", "childs",
}  # fmt: skip
POST_KEYS = {"post_id", "title", "content", "language", "date", "image", "status"}


def a_variant(sku: str, *, own: int = 5, **fields: Any) -> VariantRecord:
    values = {"retail_minor": 1000, "stock": (StockRecord(pool="own", on_hand=own),), **fields}
    return VariantRecord(sku=sku, **values)


def a_product(handle: str, *variants: VariantRecord, **fields: Any) -> ProductRecord:
    return ProductRecord(
        handle=handle,
        name=fields.pop("name", handle.title()),
        merchant="Main",
        currency="EUR",
        variants=variants or (a_variant(f"{handle}-1"),),
        **fields,
    )


@pytest.fixture
def shelve(server_database, shop):
    """Write products as an importer does."""

    async def write(*records: ProductRecord) -> None:
        async with server_database.begin() as tx:
            found = await read_shop(tx, slug=shop.slug)
            await upsert_products(tx, shop=found, records=records, now=NOW)

    return write


async def products(client, **data: Any) -> list[dict[str, Any]]:
    found = await client.read("getProducts", **data)
    assert isinstance(found, list)
    assert all(set(product) == PRODUCT_KEYS for product in found)
    return found


def named(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {product["name"]["en"]: product for product in found}


async def test_a_product_with_everything(client, shelve):
    variant = a_variant(
        "EVERY-1", own=7, upc="054491000996", vat_bp=2100, weight_g=1250, retail_minor=1999,
        promotions=(
            Promotion(price_minor=1500, starts_at=datetime(2026, 1, 31, 23, tzinfo=UTC),
                      ends_at=datetime(2126, 2, 28, 23, tzinfo=UTC)),
            Promotion(price_minor=900, starts_at=datetime(2020, 1, 1, tzinfo=UTC),
                      ends_at=datetime(2020, 2, 1, tzinfo=UTC)),
        ),
    )  # fmt: skip
    await shelve(
        a_product("other"),
        a_product(
            "every", variant, name="Lamp", description="<p>Bright<script>x</script></p>", sort=7, featured=True,
            translations={"nl": {"name": "Lamp NL", "description": "Helder"}, "fr": {"name": "Lampe"},
                          "ja": {"name": "ランプ"}},
            images=(Image(url="https://i.example/1.jpg", alt="Front"), Image(url="https://i.example/2.jpg")),
            categories=(("Home", "Lights"), ("Sale",)),
            related_handles=("other", "nobody's"),
            extra_handling=ExtraHandling(price_minor=250, description={"en": "Fragile", "nl": "Breekbaar"}),
        ),
    )  # fmt: skip
    found = named(await products(client))
    other = found["Other"]
    lamp = found["Lamp"]
    categories = {c["name"]["en"]: c["category_id"] for c in await client.read("getCategories")}
    assert lamp == {
        "product_id": lamp["product_id"],
        "product_parent_id": 0,
        "sku": lamp["sku"],
        "name": {"nl": "Lamp NL", "fr": "Lampe", "en": "Lamp", "de": "Lamp"},
        "description": {
            "nl": "Helder", "fr": "<p>Bright</p>", "en": "<p>Bright</p>", "de": "<p>Bright</p>",
        },
        "price": 19.99,
        "VAT": 21.0,
        "promotions": [{"price": 4.99, "start": "2026-02-01", "end": "2126-02-28"}],
        "status": 1,
        "extra_handling": {
            "price": 2.5,
            "description": {"nl": "Breekbaar", "fr": "Fragile", "en": "Fragile", "de": "Fragile"},
        },
        "barcode": "054491000996",
        "ATP": 7,
        "weight": 1250.0,
        "sort": 7,
        "is_featured": True,
        "is_virtual": False,
        "is_nostock": False,
        "images": [
            {"src": "https://i.example/1.jpg", "alt": "Front"},
            {"src": "https://i.example/2.jpg", "alt": ""},
        ],
        "categories": sorted(
            (
                {"id": categories[name], "name": dict.fromkeys(LANGUAGES, name)}
                for name in ("Lights", "Sale")
            ),
            key=lambda c: c["id"],
        ),
        "childs": [],
        "related_products": [other["product_id"]],
    }  # fmt: skip
    assert (await client.stock(lamp["sku"]))["reference"] == "EVERY-1"
    assert other["extra_handling"] is None
    assert (other["promotions"], other["images"], other["categories"]) == ([], [], [])


async def test_a_product_with_variants(client, shelve):
    await shelve(
        a_product(
            "shirt",
            a_variant("S-RED", own=3, options={"Colour": "red"}, retail_minor=1000, upc="1"),
            a_variant("S-BLUE", own=4, options={"Colour": "blue"}, retail_minor=1200, weight_g=90),
            option_names=("Colour",),
            images=(
                Image(url="https://i.example/all.jpg"),
                Image(url="https://i.example/blue.jpg", variant_sku="S-BLUE"),
            ),
        )
    )
    parent, red, blue = sorted(await products(client), key=lambda p: p["product_id"])
    ids = [parent["product_id"], red["product_id"], blue["product_id"]]
    assert len(set(ids)) == 3
    assert parent["product_parent_id"] == 0
    assert [red["product_parent_id"], blue["product_parent_id"]] == [ids[0]] * 2
    assert parent["childs"] == ids[1:]
    assert (red["childs"], blue["childs"]) == ([], [])
    assert [p["ATP"] for p in (parent, red, blue)] == [7, 3, 4]
    assert [p["price"] for p in (parent, red, blue)] == [10.0, 10.0, 12.0]
    assert [p["sku"] for p in (parent, red, blue)] == [red["sku"], red["sku"], blue["sku"]]
    assert [red["sku"], blue["sku"]] == ids[1:]
    assert parent["images"] == [
        {"src": "https://i.example/all.jpg", "alt": ""},
        {"src": "https://i.example/blue.jpg", "alt": "", "product_child_id": blue["product_id"]},
    ]
    assert await products(client, product_id=ids[2]) == [blue]
    assert {p["product_id"] for p in await products(client, product_id=ids)} == set(ids)


async def test_status(client, shelve):
    def one(handle: str, **fields: Any) -> ProductRecord:
        own = fields.pop("own", 0)
        counted, enabled = fields.pop("counted", True), fields.pop("goods_enabled", True)
        made = a_variant(f"{handle}-1", own=own, stock_managed=counted, enabled=enabled)
        return a_product(handle, made, **fields)

    await shelve(
        one("there", own=1),
        one("gone"),
        one("off", own=9, enabled=False),
        one("goods off", own=9, goods_enabled=False),
        one("endless", counted=False),
        one("nostock", sold_without_stock=True),
        one("virtual", virtual=True),
    )
    found = named(await products(client))
    assert {name: product["status"] for name, product in found.items()} == {
        "There": 1, "Gone": 2, "Off": 0, "Goods Off": 0, "Endless": 1, "Nostock": 1, "Virtual": 1,
    }  # fmt: skip
    assert found["Nostock"]["is_nostock"] is True
    assert found["Virtual"]["is_virtual"] is True


async def test_goods_without_a_price_are_offline(client, shelve):
    await shelve(a_product("priced"), a_product("unpriced", a_variant("U-1", retail_minor=None)))
    found = named(await products(client))
    assert (found["Unpriced"]["price"], found["Unpriced"]["status"]) == (0.0, 0)
    assert found["Priced"]["status"] == 1


async def test_prices(client, clients, shelve, server_database, shop):
    soon = NOW + timedelta(days=30)
    await shelve(
        a_product("sale", a_variant("SALE", retail_minor=1000, sale_minor=800, sale_ends_at=soon)),
        a_product("listed", a_variant("LISTED", retail_minor=1000)),
        a_product("free", a_variant("FREE", retail_minor=None)),
        a_product("cent", a_variant("CENT", retail_minor=1)),
        a_product("rate", a_variant("RATE", vat_bp=550)),
    )
    found = named(await products(client))
    prices = {name: product["price"] for name, product in found.items()}
    assert prices == {"Sale": 8.0, "Listed": 10.0, "Free": 0.0, "Cent": 0.01, "Rate": 10.0}
    assert found["Rate"]["VAT"] == 5.5
    async with server_database.begin() as tx:
        list_id = await tx.value(
            "insert into price_lists (shop_id, name, currency) values (%s, 'Gold', 'EUR') returning id",
            (shop.id,),
        )
        await tx.run(
            "insert into price_list_items (shop_id, price_list_id, variant_id, price_minor)"
            " values (%s, %s, %s, 450)",
            (shop.id, list_id, found["Listed"]["sku"]),
        )
    gold = await clients(price_list_id=list_id)
    assert named(await products(gold))["Listed"]["price"] == 4.5


def a_promotion(price_minor: int, start: str, end: str) -> Promotion:
    """Between two moments that are given in UTC."""
    return Promotion(
        price_minor=price_minor,
        starts_at=datetime.fromisoformat(start).replace(tzinfo=UTC),
        ends_at=datetime.fromisoformat(end).replace(tzinfo=UTC),
    )


async def test_a_promotions_price_is_the_discount_value(client, clients, shelve):
    """`promotion_price=discounted` tells the price during the promotion instead."""
    lamp = a_variant(
        "LAMP-1", retail_minor=1999, sale_minor=1899,
        promotions=tuple(  # the last two take nothing off; all of them are March in Brussels
            a_promotion(minor, f"2126-02-28T23:0{n}", "2126-03-31T22:00")
            for n, minor in enumerate((1500, 1, 1899, 1950))
        ),
    )  # fmt: skip
    await shelve(a_product("lamp", lamp))
    days = {"start": "2126-03-01", "end": "2126-03-31"}
    for setting, told in (
        (None, [3.99, 18.98]),
        ("discount", [3.99, 18.98]),
        ("discounted", [15.0, 0.01, 18.99, 19.5]),
    ):
        who = await clients(settings={"promotion_price": setting} if setting else {})
        [product] = await products(who)
        assert product["price"] == 18.99
        assert [p.pop("price") for p in product["promotions"]] == told
        assert product["promotions"] == [days] * len(told)


async def test_a_price_agreed_with_the_partner_has_no_promotion(
    client, clients, shelve, server_database, shop
):
    lamp = a_variant("LAMP-1", promotions=(a_promotion(700, "2020-01-01", "2126-01-01"),))
    await shelve(a_product("lamp", lamp))
    [product] = await products(client)
    assert [p["price"] for p in product["promotions"]] == [3.0]
    async with server_database.begin() as tx:
        list_id = await tx.value(
            "insert into price_lists (shop_id, name, currency) values (%s, 'Gold', 'EUR') returning id",
            (shop.id,),
        )
        await tx.run(
            "insert into price_list_items (shop_id, price_list_id, variant_id, price_minor)"
            " values (%s, %s, %s, 950)",
            (shop.id, list_id, product["sku"]),
        )
    [agreed] = await products(await clients(price_list_id=list_id))
    assert (agreed["price"], agreed["promotions"]) == (9.5, [])
    assert (await products(client))[0]["promotions"] == product["promotions"]


@pytest.mark.parametrize(
    ("zone", "start", "end", "php"),
    [
        ("Europe/Brussels", "2126-03-01", "2126-03-31", "2026-07-01 11:30:00.000000"),
        ("UTC", "2126-02-28", "2126-03-31", "2026-07-01 09:30:00.000000"),
        ("America/New_York", "2126-02-28", "2126-03-31", "2026-07-01 05:30:00.000000"),
        ("Pacific/Auckland", "2126-03-01", "2126-04-01", "2026-07-01 21:30:00.000000"),
    ],
)
async def test_times_are_in_the_shops_zone(
    client, shelve, server_database, shop, zone, start, end, php
):
    """From the next call on, though the caller was known before the zone changed."""
    march = a_promotion(700, "2126-02-28T23:00", "2126-03-31T22:00")
    await shelve(a_product("lamp", a_variant("LAMP-1", promotions=(march,))))
    await products(client)
    async with server_database.begin() as tx:
        await set_time_zone(tx, shop_id=shop.id, time_zone=zone)
        await touch_partners(tx, shop_id=shop.id)
    [product] = await products(client)
    assert product["promotions"] == [{"price": 3.0, "start": start, "end": end}]
    document = order_of((product["sku"], 1), created_at=1_782_898_200)
    order = await client.order(await client.create(document))
    assert order["created_at"] == {"date": php, "timezone_type": 3, "timezone": zone}
    stock = await client.stock(product["sku"])
    assert stock["last_update"]["timezone"] == zone


async def test_filters(client, shelve):
    await shelve(
        a_product("a", categories=(("X",), ("Y",))),
        a_product("b", categories=(("Y",),)),
        a_product("c"),
    )
    ids = {name: p["product_id"] for name, p in named(await products(client)).items()}
    categories = {c["name"]["en"]: c["category_id"] for c in await client.read("getCategories")}
    x, y = categories["X"], categories["Y"]

    async def seen(**data: Any) -> set[str]:
        return set(named(await products(client, **data)))

    assert await seen(product_id=ids["A"]) == {"A"}
    assert await seen(product_id=str(ids["A"])) == {"A"}
    assert await seen(product_id=[ids["A"], str(ids["C"]), 999_999_999]) == {"A", "C"}
    assert await seen(product_id={"0": ids["A"], "2": ids["B"]}) == {"A", "B"}  # PHP, with a gap
    assert await seen(category_id=x) == {"A"}
    assert await seen(category_id=[x, y]) == {"A", "B"}
    assert await seen(category_id=y, product_id=[ids["B"], ids["C"]]) == {"B"}
    assert await seen(product_id=[]) == set()
    for nothing in (None, ""):
        assert await seen(product_id=nothing, category_id=nothing) == {"A", "B", "C"}
    for unknown in (0, -1, 999_999_999, [999_999_999]):
        assert await seen(product_id=unknown) == await seen(category_id=unknown) == set()
    found = await client.read("getCategories", category_id=[x, y, 0])
    assert [c["category_id"] for c in found] == sorted([x, y])
    assert [c["category_id"] for c in await client.read("getCategories", category_id=y)] == [y]


@pytest.mark.parametrize(
    ("method", "field"),
    [("getProducts", "product_id"), ("getProducts", "category_id"), ("getCategories", "category_id"),
     ("getBlogPosts", "post_id")],
)  # fmt: skip
async def test_ids_that_are_none(client, method, field):
    for value in (
        "x",
        1.5,
        True,
        [None],
        ["x"],
        [[1]],
        {"a": "x"},
        [True],
        "1,2",
        [1] * 1_001,
        "\x00",
    ):
        reply = await client.call(method, {field: value})
        assert (reply.status_code, reply.json()["error"]) == (400, "data_invalid"), value
    assert await client.read(method, **{field: [10**30, -(2**63)]}) == []
    for value in (-1, "x", 1.5, True, [0], {}):
        reply = await client.call(method, {"offset": value})
        assert (reply.status_code, reply.json()["error"]) == (400, "data_invalid"), value


async def test_links_to_what_is_kept_here_can_be_followed_from_outside(
    client, shelve, server, server_database, shop
):
    await shelve(
        a_product("shown", images=(Image(url="/pictures/1.jpg"), Image(url="//else.example/2.jpg")))
    )
    async with server_database.begin() as tx:
        category = CategoryRecord(path=("Home",), images={"foreground": "/pictures/3.png"})
        await upsert_categories(
            tx, shop_id=shop.id, records=[category], now=datetime(2026, 1, 1, tzinfo=UTC)
        )
    own = server.url
    (shown,) = await products(client)
    (found,) = await client.read("getCategories")
    assert [image["src"] for image in shown["images"]] == [
        f"{own}/pictures/1.jpg",
        "//else.example/2.jpg",
    ]
    assert found["images"] == {
        "foreground": f"{own}/pictures/3.png",
        "background": "",
        "product": "",
    }


async def test_pages_of_products(client, shelve):
    """Without an offset all of them by their place in the shop; with one, a hundred by id."""
    await shelve(*(a_product(f"p{n}", sort=500 - n) for n in range(230)))
    everything = await products(client)
    assert [p["sort"] for p in everything] == sorted(p["sort"] for p in everything)
    assert len(everything) == 230
    by_id = sorted(p["product_id"] for p in everything)
    for offset, wanted in (
        (0, by_id[:100]),
        ("100", by_id[100:200]),
        (200, by_id[200:]),
        (229, by_id[229:]),
    ):
        assert [p["product_id"] for p in await products(client, offset=offset)] == wanted
    for offset in (230, 32_667, 32_700, 2**31 - 50, 2**31, 10**17, 10**30):
        assert await products(client, offset=offset) == []


async def test_a_walk_under_writes_meets_every_product_once(client, shelve, server_database, shop):
    """P16: others are added, and these are moved about in the shop's own order meanwhile."""
    await shelve(*(a_product(f"w{n}", sort=n) for n in range(350)))
    there = {p["product_id"] for p in await products(client)}
    stop = asyncio.Event()

    async def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            await shelve(a_product(f"new{number}", sort=-number))
            async with server_database.begin() as tx:
                await tx.run(
                    "update products set sort = (random() * 1000)::int, enabled = not enabled"
                    " where shop_id = %s and random() < 0.1",
                    (shop.id,),
                )

    writer = asyncio.create_task(write())
    try:
        for _ in range(3):
            met: list[int] = []
            while page := await products(client, offset=len(met)):
                met += [p["product_id"] for p in page]
                if len(page) < 100:
                    break
            assert len(met) == len(set(met))
            assert there <= set(met)
    finally:
        stop.set()
        await writer


async def test_categories(client, server_database, shop):
    async with server_database.begin() as tx:
        await upsert_categories(
            tx,
            shop_id=shop.id,
            records=[
                CategoryRecord(path=("Home",), sort=2),
                CategoryRecord(path=("Garden",), sort=1, enabled=False),
                CategoryRecord(
                    path=("Home", "Lights"),
                    names={"nl": "Lampen", "de": "Lampen DE"},
                    descriptions={"en": "<b>Bright</b><script>x</script>"},
                    images={
                        "foreground": "https://i.example/f.png",
                        "icon": "https://i.example/i.png",
                    },
                    sort=3,
                ),
                CategoryRecord(path=("Home", "Desks"), sort=4),
            ],
            now=datetime(2026, 1, 1, tzinfo=UTC),
        )
    found = await client.read("getCategories")
    assert all(set(category) == CATEGORY_KEYS for category in found)
    garden, home, lights, desks = found
    assert [c["name"]["en"] for c in found] == ["Garden", "Home", "Lights", "Desks"]
    assert [c["category_parent_id"] for c in found] == [
        0,
        0,
        home["category_id"],
        home["category_id"],
    ]
    assert home["childs"] == [lights["category_id"], desks["category_id"]]
    assert (garden["status"], home["status"], garden["childs"]) == (0, 1, [])
    assert lights["name"] == {"nl": "Lampen", "fr": "Lights", "en": "Lights", "de": "Lampen DE"}
    assert lights["description"]["en"] == "<b>Bright</b>"
    assert set(lights["description"]) == LANGUAGES
    assert lights["images"] == {
        "foreground": "https://i.example/f.png", "background": "", "product": "",
    }  # fmt: skip
    assert [c["category_id"] for c in await client.read("getCategories", offset=2)] == [
        lights["category_id"], desks["category_id"],
    ]  # fmt: skip


async def test_blog_posts(client, server_database, shop):
    def post(slug: str, days: int, **fields: Any) -> BlogPostRecord:
        values = {"title": slug, "content": "", "language": "nl", **fields}
        return BlogPostRecord(
            slug=slug,
            published_at=datetime(2026, 1, 10, 23, 30, tzinfo=UTC) + timedelta(days=days),
            **values,
        )

    async with server_database.begin() as tx:
        await upsert_blog_posts(
            tx,
            shop_id=shop.id,
            records=[
                post("old", 0),
                post("new", 5, content="<p onclick='x()'>Hi</p><script>x</script><iframe src=x></iframe>",
                     image="https://i.example/b.jpg", title="Nieuw"),
                post("new", 5, language="fr", title="Nouveau"),
                post("off", 2, enabled=False),
                post("later", 40_000),
            ],
        )  # fmt: skip
    found = await client.read("getBlogPosts")
    assert all(set(told) == POST_KEYS for told in found)
    assert [told["title"] for told in found] == ["later", "Nouveau", "Nieuw", "off", "old"]
    assert [told["status"] for told in found] == [0, 1, 1, 0, 1]
    new = found[2]
    assert new | {"post_id": 0} == {
        "post_id": 0, "title": "Nieuw", "content": "<p>Hi</p>", "language": "nl",
        "date": "2026-01-16 00:30:00", "image": "https://i.example/b.jpg", "status": 1,
    }  # fmt: skip
    assert found[4]["image"] == ""
    assert await client.read("getBlogPosts", post_id=new["post_id"]) == [new]
    assert await client.read("getBlogPosts", post_id=[new["post_id"], 0]) == [new]
    assert await client.read("getBlogPosts", offset=3) == found[3:]


async def test_another_shops_catalogue_is_not_to_be_seen(
    clients, client, variant, server_database, shop
):
    """P14: products, categories and posts, by any filter."""
    async with server_database.begin() as tx:
        foreign = await make_shop(tx, currency="EUR")
        await upsert_categories(
            tx,
            shop_id=foreign.id,
            records=[CategoryRecord(path=("Far",))],
            now=datetime(2026, 1, 1, tzinfo=UTC),
        )
        await upsert_blog_posts(
            tx,
            shop_id=foreign.id,
            records=[
                BlogPostRecord(slug="far", title="Far", content="", language="en", published_at=NOW)
            ],
        )
    sku = await variant(of=foreign)
    theirs = await clients(of=foreign)
    for method, field in (
        ("getProducts", "product_id"),
        ("getCategories", "category_id"),
        ("getBlogPosts", "post_id"),
    ):
        (one,) = await theirs.read(method)
        found = next(value for key, value in one.items() if key.endswith("_id"))
        for data in (
            {},
            {field: found},
            {field: [found, sku]},
            {"offset": 0},
            {"category_id": found},
        ):
            assert await client.read(method, **data) == []


async def test_only_visible_merchants_products(clients, variant, server_database, shop):
    async with server_database.begin() as tx:
        second = await make_merchant(tx, shop_id=shop.id)
    here, there = await variant(), await variant(merchant_id=second)
    one, two = (
        await clients(visible_merchants=(shop.merchant_id,)),
        await clients(visible_merchants=(second,)),
    )
    assert [p["sku"] for p in await products(one)] == [here]
    (other,) = await products(two)
    assert other["sku"] == there
    for field in ("product_id", "category_id"):
        assert await products(one, **{field: other["product_id"]}) == []
