"""Offers: which variants a partner sees, at what price, and how many it may buy.

The rules are in the SQL function `offers` (offers.sql). A statement that lists, shows or checks
variants for a caller selects from it; OFFERS is the call with its parameters, `offer_terms` their values.
LOWEST is what an offer `o` costs after sales and coupons (`lowest_price` in pricing), PUBLIC_LOWEST what
a variant `v` costs a caller without a price list.
"""

from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.partners import Partner
from crossdock.shop.pricing import LowestPrice

OFFERS: Final = (
    "offers(%(shop)s, %(merchants)s::bigint[], %(currency)s, %(price_list)s, %(backorder)s,"
    " %(own_requires_stock)s, %(now)s::timestamptz)"
)

LOWEST: Final = (
    "lowest_price(%(shop)s, o.merchant_id, o.product_id, %(currency)s, o.retail_minor, o.price_minor,"
    " o.agreed_minor, %(now)s::timestamptz)"
)

PUBLIC_LOWEST: Final = """lowest_price(
        v.shop_id, v.merchant_id, v.product_id, v.currency, v.retail_minor,
        active_price(null, (select min(q.price_minor) from promotions q
                            where q.shop_id = v.shop_id and q.variant_id = v.id
                              and q.starts_at <= %(now)s and %(now)s < q.ends_at),
                     v.sale_minor, v.sale_starts_at, v.sale_ends_at, v.retail_minor, %(now)s),
        null, %(now)s)"""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A variant as one partner gets it; amounts are minor units of the partner's currency.

    `visible` says whether the partner may see and order it at all. `price_minor` is what it pays
    now, `regular_minor` its price without promotions; both are None without a price. `listed`, `allowed`
    and `quantity` are what the origin rule says (see stock.purchase_limit); `quantity` None sets no
    limit, and `shown` is the quantity that a channel may tell. `lowest` is what a unit costs after
    coupons and with which, for callers that ask for it; None without a price.
    """

    id: int
    product_id: int
    merchant_id: int
    name: str
    sku: str
    upc: str
    origin: str
    visible: bool
    retail_minor: int | None
    regular_minor: int | None
    promotion_minor: int | None
    price_minor: int | None
    own: int
    supplier: int
    listed: bool
    allowed: bool
    quantity: int | None
    shown: int | None
    lowest: LowestPrice | None = None


async def offers(
    tx: Transaction,
    *,
    partner: Partner,
    variant_ids: Sequence[int],
    now: datetime,
    own_requires_stock: bool = False,
    with_coupons: bool = False,
) -> list[Offer]:
    """The partner's offers of these variants, by id; variants of hidden merchants are left out.

    With coupons or without, it is one statement.
    """
    parameters = offer_terms(partner, now=now, own_requires_stock=own_requires_stock)
    query = _BY_ID_WITH_COUPONS if with_coupons else _BY_ID
    rows = await tx.all(query, parameters | {"variants": list(variant_ids)})
    return [_offer(row) for row in rows]


def _offer(row: tuple[Any, ...]) -> Offer:
    *facts, lowest = row
    offer = Offer(**dict(zip(Offer.__struct_fields__[:-1], facts, strict=True)))
    if lowest is None:
        return offer
    return msgspec.structs.replace(offer, lowest=msgspec.convert(lowest, LowestPrice))


def offer_terms(
    partner: Partner, *, now: datetime, own_requires_stock: bool = False
) -> dict[str, Any]:
    """The parameters of OFFERS: what an offer depends on besides catalogue and stock."""
    return {
        "shop": partner.shop_id,
        "merchants": partner.merchant_ids,
        "currency": partner.currency,
        "price_list": partner.price_list_id,
        "backorder": partner.backorder,
        "own_requires_stock": own_requires_stock,
        "now": now,
    }


def offer_key(partner: Partner) -> Hashable:
    """What of a partner decides how goods are offered to it: equal for two partners who see the same."""
    return (
        partner.shop_id,
        partner.currency,
        partner.backorder,
        partner.visible_merchants,
        partner.price_list_id,
    )


_OFFER = """
    select o.id, o.product_id, o.merchant_id, o.name, o.sku, o.upc, o.origin, o.visible, o.retail_minor,
           o.regular_minor, o.promotion_minor, o.price_minor, o.own, o.supplier, o.listed, o.allowed,
           o.quantity, o.shown
"""
_WANTED = "where o.id = any(%(variants)s::bigint[]) order by o.id"
_BY_ID = f"{_OFFER}, null from {OFFERS} o {_WANTED}"
_BY_ID_WITH_COUPONS = f"""
    {_OFFER}, case when lowest.price_minor is not null then to_jsonb(lowest) end
    from {OFFERS} o cross join lateral {LOWEST} lowest {_WANTED}
"""
