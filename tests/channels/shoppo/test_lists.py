"""A list..."""

import base64
from typing import Any

import pytest

from crossdock.kit.ids import RandomIds
from crossdock.shop.catalogue import upsert_merchants, upsert_products
from crossdock.shop.shops import add_shop
from tests.channels.shoppo.conftest import MERCHANTS, NAMES, product, variant
from tests.conftest import NOON

PAGE = """
query p($first: Int, $after: String, $last: Int, $before: String, $filters: ProductFilterInput) {
  productList(first: $first, after: $after, last: $last, before: $before, filters: $filters) {
    length
    edges { cursor node { name } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
CATEGORIES = """
query p($first: Int, $after: String, $last: Int, $before: String) {
  productCategories(first: $first, after: $after, last: $last, before: $before) {
    length
    edges { cursor node { id originalId categoryId path } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}
"""
PATHS = [
    "Beauty",
    "Beauty > Makeup",
    "Clothing",
    "Clothing > Men",
    "Clothing > Men > Shirts",
    "Sale",
    "Home",
]


async def page(shipper, **variables):
    return (await shipper.ask(PAGE, **variables))["productList"]


def names(found):
    return [edge["node"]["name"] for edge in found["edges"]]


async def walk(shipper, *, size, back=False):
    """All names, page by page; after each page `between` may add something."""
    told: list[str] = []
    place = None
    while True:
        asked = {"last": size, "before": place} if back else {"first": size, "after": place}
        found = await page(shipper, **asked)
        told = names(found) + told if back else told + names(found)
        info = found["pageInfo"]
        if not info["hasPreviousPage" if back else "hasNextPage"]:
            return told
        place = info["startCursor" if back else "endCursor"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 200])
@pytest.mark.parametrize("back", [False, True])
async def test_is_walked_both_ways_in_one_order(shipper, size, back):
    assert await walk(shipper, size=size, back=back) == NAMES


async def test_tells_where_its_edges_are_and_what_is_beyond_them(shipper):
    found = await page(shipper, first=2)
    cursors = [edge["cursor"] for edge in found["edges"]]
    assert found["pageInfo"] == {
        "hasNextPage": True, "hasPreviousPage": False,
        "startCursor": cursors[0], "endCursor": cursors[1],
    }  # fmt: skip
    middle = await page(shipper, first=2, after=cursors[1])
    assert (middle["pageInfo"]["hasPreviousPage"], names(middle)) == (True, NAMES[2:4])
    assert names(await page(shipper, last=1, before=cursors[1])) == NAMES[:1]
    between = await page(shipper, after=cursors[0], before=middle["edges"][1]["cursor"])
    assert names(between) == NAMES[1:3]


async def test_of_none_tells_its_length_alone(shipper):
    found = await page(shipper, first=0)
    assert (found["length"], found["edges"]) == (5, [])
    assert (found["pageInfo"]["startCursor"], found["pageInfo"]["hasNextPage"]) == (None, True)


async def test_takes_empty_and_null_cursors_for_none(shipper):
    found = await page(shipper, first=None, last=None, after="", before="")
    assert names(found) == NAMES


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({"first": 1, "last": 1}, "last"),
        ({"first": -1}, "first"),
        ({"first": 201}, "first"),
        ({"last": 201}, "last"),
        ({"after": "no cursor"}, "after"),
        ({"before": "é"}, "before"),
        ({"after": base64.b64encode(b"category:0:1").decode()}, "after"),
        ({"after": base64.b64encode(b"product:" + b"9" * 18 + b":1").decode()}, "after"),
        ({"filters": {"timeCreateRange": [1]}}, "timeCreateRange"),
        ({"filters": {"timeUpdatedRange": [1, 2, 3]}}, "timeUpdatedRange"),
        ({"filters": {"timeUpdatedRange": [2, 1]}}, "timeUpdatedRange"),
        ({"filters": {"timeCreateRange": [1, 2], "timeCreatedRange": [1, 3]}}, "timeCreatedRange"),
    ],
)
async def test_refuses_what_is_no_page(shipper, variables, field):
    error = await shipper.refusal(PAGE, **variables)
    told = error["extensions"]
    assert (told["code"], told["field"], error["path"]) == (
        "BAD_USER_INPUT",
        field,
        ["productList"],
    )


def at(hours: int) -> int:
    """When the product was added that many hours before noon."""
    return int(NOON.timestamp()) - 3600 * hours


@pytest.mark.parametrize("name", ["timeCreateRange", "timeCreatedRange", "timeUpdatedRange"])
@pytest.mark.parametrize(
    ("span", "wanted"),
    [
        ([at(9), at(7)], NAMES[1:4]),
        ([at(9) + 1, at(7) - 1], NAMES[2:3]),
        ([None, at(9)], NAMES[3:]),
        ([at(7), None], NAMES[:2]),
        ([None, None], NAMES),
        (None, NAMES),
        ([0, 1], []),
    ],
)
async def test_is_filtered_by_ranges_of_both_ends(shipper, name, span, wanted):
    found = await page(shipper, filters={name: span})
    assert (names(found), found["length"]) == (wanted, len(wanted))


async def test_combines_its_filters(shipper):
    filters = {"timeCreateRange": [at(8), None], "productEnabled": True}
    assert names(await page(shipper, filters=filters)) == ["Desk Lamp"]


async def test_of_a_category_has_the_products_of_that_category(shipper):
    listed = (await shipper.ask(CATEGORIES))["productCategories"]
    found = {edge["node"]["path"]: edge["node"]["categoryId"] for edge in listed["edges"]}
    for path, wanted in {"Beauty > Makeup": NAMES[4:], "Sale": NAMES[3:4], "Clothing": []}.items():
        assert names(await page(shipper, filters={"categoryId": found[path]})) == wanted
    for unknown in ("x", "", "-1", "007", "9" * 30):
        assert names(await page(shipper, filters={"categoryId": unknown})) == []


async def test_of_a_category_of_seven_digits_has_those_of_its_two_sexes(
    hall_database, hall, shipper
):
    async with hall_database.begin() as tx:
        [lamp] = await tx.one(
            "select id from products where shop_id = %s and handle = 'lamp'", (hall.id,)
        )
        [shirt] = await tx.one(
            "select id from products where shop_id = %s and handle = 'shirt'", (hall.id,)
        )
        for number, product_id in ((50101010, lamp), (50101011, shirt)):
            await tx.run(
                "insert into categories (shop_id, id, slug, path, id_path, depth, name, enabled)"
                " overriding system value values (%s, %s, %s, %s, %s, 1, 'Sexed', false)",
                (hall.id, number, f"sexed-{number}", f"sexed-{number}", [number]),
            )
            await tx.run(
                "insert into product_categories values (%s, %s, %s)", (hall.id, product_id, number)
            )
    try:
        assert names(await page(shipper, filters={"categoryId": "5010101"})) == NAMES[2:4]
        assert names(await page(shipper, filters={"categoryId": "50101010"})) == ["Desk Lamp"]
    finally:
        async with hall_database.begin() as tx:
            await tx.run("delete from categories where shop_id = %s and name = 'Sexed'", (hall.id,))


async def test_of_categories_is_walked_too(shipper):
    whole = (await shipper.ask(CATEGORIES))["productCategories"]
    nodes = [edge["node"] for edge in whole["edges"]]
    assert sorted(node["path"] for node in nodes) == sorted(PATHS)
    assert whole["length"] == len(PATHS)
    assert all(node["originalId"] == node["id"] for node in nodes)
    for back in (False, True):
        told: list[Any] = []
        place = None
        while True:
            asked = {"last": 3, "before": place} if back else {"first": 3, "after": place}
            found = (await shipper.ask(CATEGORIES, **asked))["productCategories"]
            part = [edge["node"] for edge in found["edges"]]
            told = part + told if back else told + part
            if not found["pageInfo"]["hasPreviousPage" if back else "hasNextPage"]:
                break
            place = found["edges"][0 if back else -1]["cursor"]
        assert told == nodes


async def test_tells_each_product_once_while_others_are_added(hall_database, shippers):
    async with hall_database.begin() as tx:
        slug = f"rows-{RandomIds().random_token(8).lower()}"
        shop = await add_shop(tx, slug=slug, name="Rows", currency="USD")
        await upsert_merchants(tx, shop_id=shop.id, records=MERCHANTS[:1], now=NOON)

    async def add(name: str) -> None:
        record = product(name, name, "Acme", variant(name, 100))
        async with hall_database.begin() as tx:
            await upsert_products(tx, shop=shop, records=[record], now=NOON)

    for number in range(7):
        await add(f"Old {number}")
    shipper = await shippers(shop.id)
    told: list[str] = []
    place = None
    for number in range(20):
        found = await page(shipper, first=2, after=place)
        told += names(found)
        place = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
        await add(f"New {number}")
    assert sorted(told) == [f"Old {number}" for number in range(7)]
