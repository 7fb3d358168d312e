"""The catalogue as one partner may buy it, in one streamed query of any size."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue.offers import OFFERS, offer_terms
from crossdock.shop.partners import Partner

_FETCH = 2_000


class SellableRow(msgspec.Struct, frozen=True, array_like=True):
    """A variant that a partner sees; `stock` is what the origin rule shows, None where not managed."""

    id: int
    name: str
    price_minor: int
    stock: int | None
    own: int
    origin: str
    upc: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """The state a listing was read at: `version` changes with every change of catalogue, price or stock.

    `changes_at` is when the next sale or promotion starts or ends, which changes prices without a write.
    """

    version: int
    changes_at: datetime | None


async def read_version(tx: Transaction, *, shop_id: int) -> int:
    """The version of the shop's listings; equal versions mean equal content."""
    return (await read_versions(tx, shop_ids=[shop_id]))[shop_id]


async def read_versions(tx: Transaction, *, shop_ids: list[int]) -> dict[int, int]:
    """The versions of several shops by id."""
    rows = await tx.all(
        "select id, catalogue_version(id) from unnest(%s::bigint[]) as id",
        (shop_ids,),
    )
    return dict(rows)


@asynccontextmanager
async def open_listing(
    tx: Transaction, *, partner: Partner, now: datetime, own_requires_stock: bool
) -> AsyncIterator[tuple[Listing, AsyncIterator[list[SellableRow]]]]:
    """The partner's listing in chunks, ordered by id, and the version of the same snapshot.

    Must be the first statement of its transaction, because it sets the snapshot isolation. A
    server-side cursor keeps memory constant.
    """
    await tx.run("set transaction isolation level repeatable read, read only")
    version = await read_version(tx, shop_id=partner.shop_id)
    changes_at = await tx.value(_CHANGES_AT, {"shop": partner.shop_id, "now": now})
    async with tx.connection.cursor(name="listing", binary=True) as cursor:
        cursor.itersize = _FETCH
        terms = offer_terms(partner, now=now, own_requires_stock=own_requires_stock)
        await cursor.execute(_LISTING, terms)

        async def chunks() -> AsyncIterator[list[SellableRow]]:
            while rows := await cursor.fetchmany(_FETCH):
                yield [SellableRow(*row) for row in rows]

        yield Listing(version=version, changes_at=changes_at), chunks()


_LISTING = f"""
    select o.id, o.name, o.price_minor, o.shown, o.own, o.origin, o.upc
    from {OFFERS} o where o.visible and o.listed order by o.id
"""

_CHANGES_AT = """
    select least(
        (select min(sale_starts_at) from variants where shop_id = %(shop)s and sale_starts_at > %(now)s),
        (select min(sale_ends_at) from variants where shop_id = %(shop)s and sale_ends_at > %(now)s),
        (select min(starts_at) from promotions where shop_id = %(shop)s and starts_at > %(now)s),
        (select min(ends_at) from promotions where shop_id = %(shop)s and ends_at > %(now)s))
"""
