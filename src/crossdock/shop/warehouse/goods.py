"""The goods that a web shop keeps in the warehouse, by whatever name it calls them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Literal

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.partners import Partner

NameKind = Literal["id", "reference", "barcode"]
PAGE_MAX = 50


class GoodName(msgspec.Struct, frozen=True):
    """How a caller names goods: our id, one of its two references, or a barcode."""

    kind: NameKind
    text: str


class Good(msgspec.Struct, frozen=True, kw_only=True):
    """A variant as an order line needs it."""

    variant_id: int
    product_id: int
    merchant_id: int
    name: str
    sku: str
    upc: str
    origin: str
    vat_bp: int


class StockItem(msgspec.Struct, frozen=True, gc=False):
    """A variant and its own level; `last_stock_change` is when what is available was last changed."""

    variant_id: int
    sku: str
    merchant_sku: str
    name: str
    weight_g: int
    on_hand: int
    available: int
    enabled: bool
    best_before: date | None
    best_before_alert: str
    updated_at: datetime
    last_stock_change: datetime | None


async def resolve_goods(
    tx: Transaction, *, partner: Partner, names: Iterable[GoodName]
) -> dict[GoodName, Good]:
    """The partner's goods of these names; a name that is unknown, hidden or of somebody else is absent.

    A barcode is compared across 8, 12, 13 and 14 digits. Of several goods with one reference the
    oldest is meant.
    """
    wanted = list(dict.fromkeys(names))
    rows = await tx.all(
        _RESOLVE,
        {
            "shop": partner.shop_id,
            "merchants": _merchants(partner),
            "kinds": [name.kind for name in wanted],
            "texts": [name.text for name in wanted],
        },
    )
    found: dict[GoodName, Good] = {}
    for place, *values in rows:
        good = Good(**dict(zip(Good.__struct_fields__, values, strict=True)))
        found.setdefault(wanted[place - 1], good)
    return found


async def list_stock(
    tx: Transaction,
    *,
    partner: Partner,
    variant_id: int | None = None,
    reference: str | None = None,
    limit: int = PAGE_MAX,
    offset: int = 0,
) -> Sequence[StockItem]:
    """The partner's stock items by id, at most PAGE_MAX; one query."""
    rows = await tx.all(
        _STOCK,
        {
            "shop": partner.shop_id,
            "merchants": _merchants(partner),
            "variant": variant_id,
            "reference": reference,
            "limit": min(limit, PAGE_MAX),
            "offset": offset,
        },
    )
    return [StockItem(*row) for row in rows]


def _merchants(partner: Partner) -> list[int] | None:
    return None if partner.visible_merchants is None else list(partner.visible_merchants)


_RESOLVE = """
    select w.place, v.id, v.product_id, v.merchant_id, v.name, v.sku, v.upc, v.origin, v.vat_bp
    from unnest(%(kinds)s::text[], %(texts)s::text[]) with ordinality as w (kind, text, place)
    join lateral (
        select x.* from variants x
        where w.kind = 'id' and w.text ~ '^[0-9]{1,18}$' and x.shop_id = %(shop)s
          and x.id = case when w.text ~ '^[0-9]{1,18}$' then w.text::bigint end
        union all
        select x.* from variants x
        where w.kind = 'reference' and x.shop_id = %(shop)s and (x.sku = w.text or x.merchant_sku = w.text)
        union all
        select x.* from variants x
        where w.kind = 'barcode' and x.shop_id = %(shop)s and w.text ~ '^[0-9]{8,14}$'
          and x.gtin14 = lpad(w.text, 14, '0')
    ) v on true
    where v.enabled and (%(merchants)s::bigint[] is null or v.merchant_id = any(%(merchants)s))
    order by w.place, v.id
"""

_STOCK = """
    select v.id, v.sku, v.merchant_sku, v.name, v.weight_g, coalesce(l.on_hand, 0),
           coalesce(l.available, 0), v.enabled, l.best_before, coalesce(l.best_before_alert, ''),
           greatest(v.updated_at, l.updated_at), l.updated_at
    from variants v
    left join stock_levels l on l.shop_id = v.shop_id and l.variant_id = v.id and l.pool = 'own'
    where v.shop_id = %(shop)s
      and (%(merchants)s::bigint[] is null or v.merchant_id = any(%(merchants)s))
      and (%(variant)s::bigint is null or v.id = %(variant)s)
      and (%(reference)s::text is null or v.sku = %(reference)s or v.merchant_sku = %(reference)s)
    order by v.id
    limit %(limit)s offset %(offset)s
"""
