"""The products of a shop's back office are found by..."""

import pytest

from crossdock.kit.paging import PlacePage
from crossdock.shop.catalogue import list_owned, owned
from tests.support.factories import make_shop

WHOLE = PlacePage(size=9)
_ADD = """
    with added as (
        insert into products (shop_id, merchant_id, handle, name, created_at)
        values (%(shop)s, %(merchant)s, %(handle)s, %(name)s, now() + %(number)s * interval '1 s') returning *)
    insert into variants (shop_id, product_id, merchant_id, sku, name, currency, retail_minor, origin)
    select shop_id, id, merchant_id, %(sku)s, name, 'EUR', 100, '*' from added
"""
NAMES = ("Klapstoel grün", "100% Hat", "Camping_chair XL", "Überlebensmittelkonserve", "東京タワー")


async def found(tx, shop, search, *, page=WHOLE):
    return [
        row.name
        for row in await list_owned(
            tx, shop_id=shop.id, merchant_ids=None, page=page, search=search
        )
    ]


@pytest.fixture
async def shelf(database):
    """A shop beside another with the same goods."""
    async with database.begin() as tx:
        shops = [await make_shop(tx), await make_shop(tx)]
        for shop in shops:
            for number, name in enumerate(NAMES):
                values = {"handle": f"Goods-{number}", "sku": f"Sku-{number}", "number": number}
                values |= {"shop": shop.id, "merchant": shop.merchant_id, "name": name}
                await tx.run(_ADD, values)
    return shops[0]


@pytest.mark.parametrize("near", [0, 1_000])
@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("stoel GR", ["Klapstoel grün"]),
        ("apst", ["Klapstoel grün"]),
        ("GRÜN", ["Klapstoel grün"]),
        ("0%", ["100% Hat"]),
        ("_", ["Camping_chair XL"]),
        ("ing_ch", ["Camping_chair XL"]),
        ("ing-ch", []),
        ("l", ["Überlebensmittelkonserve", "Camping_chair XL", "Klapstoel grün"]),
        ("überlebensmittelkonserve", ["Überlebensmittelkonserve"]),
        ("lebensmittelkonserv", ["Überlebensmittelkonserve"]),
        ("konserve?", []),
        ("京タワ", ["東京タワー"]),
        ("京タ", ["東京タワー"]),
        ("goods-1", ["100% Hat"]),
        ("goods", []),
        ("SKU-4", ["東京タワー"]),
        ("%", ["100% Hat"]),
        ("'", []),
        ("\\", []),
    ],
)
async def test_a_part_of_the_name_or_a_whole_handle_or_sku(
    shelf, database, monkeypatch, near, search, names
):
    monkeypatch.setattr(owned, "NEAR", near)
    async with database.statement() as tx:
        assert await found(tx, shelf, search) == names


@pytest.mark.parametrize("near", [0, 1, 1_000])
@pytest.mark.parametrize("search", ["l", "e", "a"])
async def test_page_after_page_without_a_gap(shelf, database, monkeypatch, near, search):
    monkeypatch.setattr(owned, "NEAR", near)
    async with database.statement() as tx:
        whole = await found(tx, shelf, search)
        after, seen = None, []
        while True:
            rows = await list_owned(
                tx,
                shop_id=shelf.id,
                merchant_ids=None,
                page=PlacePage(size=1, after=after),
                search=search,
            )
            seen += [row.name for row in rows[:1]]
            if len(rows) < 2:
                break
            after = (rows[0].created_at, rows[0].id)
    assert seen == whole
    assert len(whole) == sum(search in name.lower() for name in NAMES)
