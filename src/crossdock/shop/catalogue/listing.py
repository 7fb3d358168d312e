"""The catalogue as a partner may buy it: one streamed query, whatever its size."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
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

    `changes_at` is when a sale or promotion next starts or ends, and prices change by themselves.
    """

    version: int
    changes_at: datetime | None


async def read_version(tx: Transaction, *, shop_id: int) -> int:
    """How many changes of what a listing shows the shop has seen; equal versions mean equal content."""
    return (await read_versions(tx, shop_ids=[shop_id]))[shop_id]


async def read_versions(tx: Transaction, *, shop_ids: list[int]) -> dict[int, int]:
    """The versions of several shops by id."""
    rows = await tx.all(
        "select id, topic_version(id, 'catalogue', 'price', 'stock') from unnest(%s::bigint[]) as id",
        (shop_ids,),
    )
    return dict(rows)


@asynccontextmanager
async def open_listing(
    tx: Transaction, *, partner: Partner, now: datetime, own_requires_stock: bool
) -> AsyncIterator[tuple[Listing, AsyncIterator[list[SellableRow]]]]:
    """The partner's listing in chunks, ordered by id, and the version of the same snapshot.

    Must be the first thing in its transaction: it asks for one snapshot for all its statements.
    Memory stays constant: rows come through a server-side cursor.
    """
    await tx.run("set transaction isolation level repeatable read, read only")
    version = await read_version(tx, shop_id=partner.shop_id)
    changes_at = await tx.value(_CHANGES_AT, {"shop": partner.shop_id, "now": now})
    async with tx.connection.cursor(name="listing", binary=True) as cursor:
        cursor.itersize = _FETCH
        await cursor.execute(_LISTING, _parameters(partner, now, own_requires_stock))

        async def chunks() -> AsyncIterator[list[SellableRow]]:
            while rows := await cursor.fetchmany(_FETCH):
                yield [SellableRow(*row) for row in rows]

        yield Listing(version=version, changes_at=changes_at), chunks()


def _parameters(partner: Partner, now: datetime, own_requires_stock: bool) -> dict[str, Any]:
    merchants = partner.visible_merchants
    return {
        "shop": partner.shop_id,
        "currency": partner.currency,
        "merchants": None if merchants is None else list(merchants),
        "price_list": partner.price_list_id,
        "backorder": partner.backorder,
        "own_requires_stock": own_requires_stock,
        "now": now,
    }


_LISTING = """
    select seen.id, seen.name, seen.price_minor, seen.shown, seen.own, seen.origin, seen.upc
    from (
        select v.id, v.name, v.origin, v.upc, coalesce(own.available, 0) as own, rule.listed, rule.shown,
               active_price(list.price_minor, promotion.price_minor, v.sale_minor, v.sale_starts_at,
                            v.sale_ends_at, v.retail_minor, %(now)s) as price_minor
        from variants v
        left join stock_levels own
          on own.shop_id = v.shop_id and own.variant_id = v.id and own.pool = 'own'
        left join stock_levels supplier
          on supplier.shop_id = v.shop_id and supplier.variant_id = v.id and supplier.pool = 'supplier'
        left join price_list_items list
          on list.shop_id = v.shop_id and list.price_list_id = %(price_list)s and list.variant_id = v.id
        left join (
            select q.variant_id, min(q.price_minor) as price_minor from promotions q
            where q.shop_id = %(shop)s and q.starts_at <= %(now)s and %(now)s < q.ends_at
            group by q.variant_id
        ) promotion on promotion.variant_id = v.id
        cross join lateral stock_limit(
            v.origin, v.stock_managed, v.stock_status, coalesce(own.available, 0),
            coalesce(supplier.available, 0), %(backorder)s, %(own_requires_stock)s) rule
        where v.shop_id = %(shop)s and v.listed and v.currency = %(currency)s
          and (%(merchants)s::bigint[] is null or v.merchant_id = any(%(merchants)s))
    ) seen
    where seen.listed and seen.price_minor is not null
    order by seen.id
"""

_CHANGES_AT = """
    select least(
        (select min(sale_starts_at) from variants where shop_id = %(shop)s and sale_starts_at > %(now)s),
        (select min(sale_ends_at) from variants where shop_id = %(shop)s and sale_ends_at > %(now)s),
        (select min(starts_at) from promotions where shop_id = %(shop)s and starts_at > %(now)s),
        (select min(ends_at) from promotions where shop_id = %(shop)s and ends_at > %(now)s))
"""
