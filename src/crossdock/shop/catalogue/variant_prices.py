"""Prices of single variants as staff enter them: many at once, each variant's own."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.shop.catalogue.bulk import lock_catalogue
from crossdock.shop.catalogue.changes import tell_edited

PRICE_MAX = 10**12


class VariantPrices(msgspec.Struct, frozen=True, kw_only=True):
    """A variant's prices in minor units of its currency; `sale_minor` is paid while its sale lasts, None for none."""

    retail_minor: int | None
    sale_minor: int | None = None
    cost_minor: int | None = None


async def read_variant_prices(
    tx: Transaction, *, shop_id: int, variant_ids: Sequence[int]
) -> dict[int, VariantPrices]:
    """The prices of these variants of the shop; unknown ones are absent."""
    rows = await tx.all(
        "select id, retail_minor, sale_minor, cost_minor from variants"
        " where shop_id = %s and id = any(%s::bigint[]) and enabled",
        (shop_id, list(variant_ids)),
    )
    return {
        int(variant_id): VariantPrices(retail_minor=retail, sale_minor=sale, cost_minor=cost)
        for variant_id, retail, sale, cost in rows
    }


async def price_variants(
    tx: Transaction, *, shop_id: int, prices: Mapping[int, VariantPrices], now: datetime
) -> list[int]:
    """Set the prices of these variants; returns those whose prices differ from before, by id.

    A later import of their products writes them whole again. A variant without a price is not listed. Another
    sale's price than before does not keep the days of a sale that is over: it is paid from now on. Unknown variants
    are left out. Raises Invalid `invalid_input` for an amount below nothing or above PRICE_MAX, and for a
    sale that is not below the price.
    """
    for variant_id, wanted in prices.items():
        _check(variant_id, wanted)
    await lock_catalogue(tx, shop_id=shop_id)
    rows = await tx.all(
        _PRICE,
        {
            "shop": shop_id,
            "now": now,
            "ids": list(prices),
            "retail": [wanted.retail_minor for wanted in prices.values()],
            "sale": [wanted.sale_minor for wanted in prices.values()],
            "cost": [wanted.cost_minor for wanted in prices.values()],
        },
    )
    products = sorted({product_id for _, product_id in rows})
    await tell_edited(tx, shop_id=shop_id, product_ids=products, now=now)
    return sorted(variant_id for variant_id, _ in rows)


def _check(variant_id: int, wanted: VariantPrices) -> None:
    amounts = (wanted.retail_minor, wanted.sale_minor, wanted.cost_minor)
    field = {"field": f"prices.{variant_id}"}
    if any(amount is not None and not 0 <= amount <= PRICE_MAX for amount in amounts):
        raise Invalid("invalid_input", "A price is zero or more.", field)
    if wanted.sale_minor is not None and wanted.sale_minor >= (wanted.retail_minor or 0):
        raise Invalid("invalid_input", "A sale's price is below the price.", field)


_OVER = "(x.sale is distinct from v.sale_minor and v.sale_ends_at is not null and v.sale_ends_at <= %(now)s)"
_PRICE = f"""
    update variants v set retail_minor = x.retail, sale_minor = x.sale, cost_minor = x.cost,
           sale_starts_at = case when x.sale is not null and not {_OVER} then v.sale_starts_at end,
           sale_ends_at = case when x.sale is not null and not {_OVER} then v.sale_ends_at end,
           listed = p.enabled and m.enabled and x.retail is not null, updated_at = %(now)s
    from unnest(%(ids)s::bigint[], %(retail)s::bigint[], %(sale)s::bigint[], %(cost)s::bigint[])
         as x (id, retail, sale, cost),
         products p join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id
    where v.shop_id = %(shop)s and v.id = x.id and v.enabled and p.shop_id = v.shop_id and p.id = v.product_id
      and (v.retail_minor, v.sale_minor, v.cost_minor) is distinct from (x.retail, x.sale, x.cost)
    returning v.id, v.product_id
"""
