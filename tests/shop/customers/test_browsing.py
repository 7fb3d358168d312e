"""A shop's customers are found by..."""

import pytest

from crossdock.shop.customers import browse_customers, browsing
from tests.support.factories import make_shop

_ADD = """
    insert into customers (shop_id, email, first_name, last_name, company, deleted_at)
    values (%(shop)s, %(email)s, %(first)s, %(last)s, %(company)s, case when %(gone)s then now() end)
"""
PEOPLE = (
    ("ada@mill.example", "Ada", "Moreno", ""),
    ("jo_vries@work.example", "Jo", "de Vries", "Bouwmaterialen 100% BV"),
    ("ångström@mill.example", "Åsa", "Ångström", ""),
)


@pytest.fixture
async def known(database):
    """A shop beside another with the same customers, each with one more that was deleted."""
    async with database.begin() as tx:
        shops = [await make_shop(tx), await make_shop(tx)]
        for shop in shops:
            for email, first, last, company in PEOPLE:
                for gone in (True, False):
                    values = {"first": first, "last": last, "company": company, "gone": gone}
                    await tx.run(_ADD, values | {"shop": shop.id, "email": email})
    return shops[0]


async def emails(tx, shop, search, **more):
    rows, _has_more = await browse_customers(tx, shop_id=shop.id, search=search, **more)
    return [row.email for row in rows if row.email in {each[0] for each in PEOPLE}]


@pytest.mark.parametrize("near", [0, 1_000])
@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ADA@mill", [0]),
        ("mill.exa", [2, 0]),
        ("mill exa", []),
        ("ada mor", [0]),
        ("moreno ada", []),
        ("materialen 100%", [1]),
        ("0%", [1]),
        ("jo_", [1]),
        ("e V", [1]),
        ("ÅNG", [2]),
        ("nobody", []),
        ("'", []),
    ],
)
async def test_a_part_of_name_company_or_email(known, database, monkeypatch, near, search, found):
    monkeypatch.setattr(browsing, "_NEAR", near)
    async with database.statement() as tx:
        assert await emails(tx, known, search) == [PEOPLE[index][0] for index in found]


@pytest.mark.parametrize("near", [0, 1, 1_000])
async def test_page_after_page_without_a_gap(known, database, monkeypatch, near):
    monkeypatch.setattr(browsing, "_NEAR", near)
    seen, before = [], None
    async with database.statement() as tx:
        while True:
            rows, has_more = await browse_customers(
                tx, shop_id=known.id, search="example", before=before, limit=1
            )
            seen += [row.email for row in rows]
            if not has_more:
                break
            before = rows[-1].id
    assert seen[:3] == [each[0] for each in reversed(PEOPLE)]


async def test_their_number(known, database):
    async with database.statement() as tx:
        [row, *_], _ = await browse_customers(tx, shop_id=known.id, search="ada@mill")
        found, _ = await browse_customers(tx, shop_id=known.id, search=str(row.id))
    assert row in found
