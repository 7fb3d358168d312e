"""The assortment..."""

from typing import Any

import pytest

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.paging import PlacePage
from crossdock.shop.catalogue import (
    EVERY_PART,
    TEXTS,
    VARIANTS,
    AssortmentFilters,
    ProductRecord,
    VariantRecord,
    assortment,
    list_assortment,
    read_assortment,
    upsert_products,
)
from crossdock.shop.catalogue.offers import offer_terms
from crossdock.shop.partners import Partner, Terms, add_partner, read_partner
from crossdock.shop.shops import add_shop, read_shop_by_id
from tests.conftest import NOON

NAMES = ['A "lamp"', "B {brace}", "C, comma}"]


def record(
    handle: str, *, sku: str = "", name: str = "More", retail_minor: int = 100
) -> ProductRecord:
    return ProductRecord(
        handle=handle,
        name=name,
        merchant="Acme",
        currency="USD",
        description=f"<p>{name}</p>",
        attributes={"Brace": "}"},
        variants=(VariantRecord(sku=sku or handle, retail_minor=retail_minor),),
    )


@pytest.fixture
async def partner(tx: Transaction) -> Partner:
    """The partner of a shop with three products of one variant each."""
    shop = await add_shop(tx, slug="assorted", name="Assorted", currency="USD")
    records = [
        record(f"p{at}", sku=f"S{at}", name=name, retail_minor=100 + at)
        for at, name in enumerate(NAMES)
    ]
    await upsert_products(tx, shop=shop, records=records, now=NOON)
    terms = Terms(permissions=())
    partner_id = await add_partner(tx, shop_id=shop.id, channel="any", name="Seller", terms=terms)
    found = await read_partner(tx, partner_id=partner_id)
    assert found is not None
    return found


async def listed(tx: Transaction, partner: Partner, **page: Any) -> tuple[list[str], bool]:
    """The names on a page, and whether there are more."""
    found, has_more = await list_assortment(
        tx,
        partner=partner,
        page=PlacePage(**page),
        filters=AssortmentFilters(),
        parts=frozenset(),
        now=NOON,
    )
    return [each.name for each in found], has_more


async def test_is_told_in_pages_from_either_end(tx, partner):
    assert await listed(tx, partner, size=2) == ([NAMES[2], NAMES[1]], True)
    assert await listed(tx, partner, size=2, is_last=True) == ([NAMES[1], NAMES[0]], True)
    assert await listed(tx, partner, size=3) == (NAMES[::-1], False)
    assert await listed(tx, partner, size=0) == ([], True)


async def test_has_of_its_products_the_parts_that_are_asked_for_alone(tx, partner):
    told = {}
    for parts in (frozenset(), {TEXTS}, {VARIANTS}, {TEXTS, VARIANTS}, EVERY_PART):
        found, _ = await list_assortment(
            tx,
            partner=partner,
            page=PlacePage(size=1),
            filters=AssortmentFilters(),
            parts=frozenset(parts),
            now=NOON,
        )
        [product] = found
        told[frozenset(parts)] = (
            product.description,
            product.attributes,
            [each.price_minor for each in product.variants],
        )
    text = f"<p>{NAMES[2]}</p>"
    assert told == {
        frozenset(): ("", {}, []),
        frozenset({TEXTS}): (text, {"Brace": "}"}, []),
        frozenset({VARIANTS}): ("", {}, [102]),
        frozenset({TEXTS, VARIANTS}): (text, {"Brace": "}"}, [102]),
        EVERY_PART: (text, {"Brace": "}"}, [102]),
    }


async def test_reads_products_by_their_keys_and_not_all_to_find_some(tx, partner):
    [first] = await tx.all(
        "select id, product_id from variants where shop_id = %s and sku = 'S0'", (partner.shop_id,)
    )
    found = await read_assortment(
        tx, partner=partner, parts=frozenset({VARIANTS}), now=NOON, variant_ids=[first[0]]
    )
    assert [each.id for each in found] == [first[1]]
    shop = await read_shop_by_id(tx, shop_id=partner.shop_id)
    await upsert_products(
        tx, shop=shop, records=[record(f"many-{n}") for n in range(300)], now=NOON
    )
    await tx.run("analyze products, variants")  # of few products, no index is worth its while
    wanted = {"parts": [], "products": [], "variants": [first[0]]}
    rows = await tx.all(f"explain {assortment._CHOSEN}", offer_terms(partner, now=NOON) | wanted)
    plan = [line.strip() for (line,) in rows]
    conditions = [plan[at + 1] for at, line in enumerate(plan) if "on products p" in line]
    assert len(conditions) == 1
    assert conditions[0].startswith("Index Cond")
    assert "(id = " in conditions[0]
