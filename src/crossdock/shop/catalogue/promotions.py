"""Promotions of variants as staff keep them: prices for a time, listed, added, changed, ended."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, get_args

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.shop.catalogue.bulk import lock_catalogue
from crossdock.shop.catalogue.changes import tell_edited
from crossdock.shop.catalogue.records import Promotion
from crossdock.shop.catalogue.variant_prices import PRICE_MAX

PromotionState = Literal["running", "coming", "over"]
PROMOTION_STATES: tuple[PromotionState, ...] = get_args(PromotionState)


class PromotionView(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion with its variant; amounts are minor units of the variant's currency.

    `retail_minor` is the price without sale and promotion, None for a variant that has none.
    """

    id: int
    variant_id: int
    product_id: int
    sku: str
    name: str
    currency: str
    retail_minor: int | None
    price_minor: int
    starts_at: datetime
    ends_at: datetime

    def state(self, now: datetime) -> PromotionState:
        """Whether it runs now: from its start on, until before its end."""
        if now < self.starts_at:
            return "coming"
        return "running" if now < self.ends_at else "over"


async def list_promotions(
    tx: Transaction,
    *,
    shop_id: int,
    now: datetime,
    state: PromotionState | None = None,
    product_id: int | None = None,
    search: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[PromotionView]:
    """Promotions with a number below `before`, the newest first; all that is given holds.

    `search` is a whole SKU, or a part of a variant's name.
    """
    values = {
        "shop": shop_id,
        "now": now,
        "state": state,
        "product": product_id,
        "search": search.strip(),
        "before": before,
        "limit": limit,
    }
    return [_promotion(row) for row in await tx.all(f"{_PROMOTIONS} {_LISTED}", values)]


async def read_promotion(tx: Transaction, *, shop_id: int, promotion_id: int) -> PromotionView:
    """One promotion. Raises NotFound `not_found`."""
    row = await tx.one(f"{_PROMOTIONS} and q.id = %(id)s", {"shop": shop_id, "id": promotion_id})
    if row is None:
        raise NotFound("not_found", f"There is no promotion {promotion_id}.")
    return _promotion(row)


async def add_promotions(
    tx: Transaction,
    *,
    shop_id: int,
    variant_ids: Sequence[int],
    promotion: Promotion,
    now: datetime,
) -> list[int]:
    """Give each of these variants the promotion; returns the promotions' numbers.

    A later import of the product writes its promotions whole again. Raises Invalid `invalid_input` for a price or
    times that cannot be, NotFound `variant_not_found` for a variant that is unknown or disabled, Conflict `exists`
    where one of a variant starts at the same moment.
    """
    _check(promotion, now=now)
    await lock_catalogue(tx, shop_id=shop_id)
    wanted = sorted(set(variant_ids))
    known = await tx.all(_VARIANTS, (shop_id, wanted))
    if not wanted or len(known) < len(wanted):
        raise NotFound("variant_not_found")
    for _, _, retail_minor in known:
        _require_lower(promotion.price_minor, retail_minor)
    rows = await tx.all(_ADD, {"shop": shop_id, "variants": wanted, **_values(promotion)})
    if len(rows) < len(wanted):
        raise _same_start()
    products = sorted({row[1] for row in known})
    await tell_edited(tx, shop_id=shop_id, product_ids=products, now=now)
    return sorted(row[0] for row in rows)


async def change_promotion(
    tx: Transaction, *, shop_id: int, promotion_id: int, promotion: Promotion, now: datetime
) -> PromotionView:
    """Change the price and times of a promotion that is not over; what it was before.

    Raises as `add_promotions` does, NotFound `not_found`, and Conflict `exists` for one that is over.
    """
    _check(promotion, now=now)
    await lock_catalogue(tx, shop_id=shop_id)
    before = await _require_open(tx, shop_id=shop_id, promotion_id=promotion_id, now=now)
    _require_lower(promotion.price_minor, before.retail_minor)
    values = {"shop": shop_id, "id": promotion_id, **_values(promotion)}
    if await tx.value(_IS_TAKEN, values | {"variant": before.variant_id}):
        raise _same_start()
    await tx.run(_CHANGE, values)
    await tell_edited(tx, shop_id=shop_id, product_ids=[before.product_id], now=now)
    return before


async def end_promotion(
    tx: Transaction, *, shop_id: int, promotion_id: int, now: datetime
) -> PromotionView:
    """End a promotion now; one that has not begun is taken away. What it was before.

    Raises NotFound `not_found`, and Conflict `exists` for one that is over.
    """
    await lock_catalogue(tx, shop_id=shop_id)
    before = await _require_open(tx, shop_id=shop_id, promotion_id=promotion_id, now=now)
    is_begun = before.starts_at < now
    await tx.run(_END if is_begun else _TAKE, {"shop": shop_id, "id": promotion_id, "now": now})
    await tell_edited(tx, shop_id=shop_id, product_ids=[before.product_id], now=now)
    return before


async def _require_open(
    tx: Transaction, *, shop_id: int, promotion_id: int, now: datetime
) -> PromotionView:
    found = await read_promotion(tx, shop_id=shop_id, promotion_id=promotion_id)
    if found.state(now) == "over":
        raise Conflict("exists", "The promotion is over; add another.")
    return found


def _check(promotion: Promotion, *, now: datetime) -> None:
    if not 0 <= promotion.price_minor <= PRICE_MAX:
        raise Invalid("invalid_input", "A price is zero or more.", {"field": "price"})
    if promotion.starts_at >= promotion.ends_at:
        raise Invalid("invalid_input", "A promotion ends after it starts.", {"field": "ends_at"})
    if promotion.ends_at <= now:
        message = "A promotion ends later than now."
        raise Invalid("invalid_input", message, {"field": "ends_at"})


def _require_lower(price_minor: int, retail_minor: int | None) -> None:
    if retail_minor is None or price_minor >= retail_minor:
        message = "A promotion's price is below the price."
        raise Invalid("invalid_input", message, {"field": "price"})


def _same_start() -> Conflict:
    return Conflict("exists", "Another promotion of the variant starts at the same moment.")


def _values(promotion: Promotion) -> dict[str, Any]:
    return {
        "price": promotion.price_minor,
        "starts": promotion.starts_at,
        "ends": promotion.ends_at,
    }


def _promotion(row: tuple[Any, ...]) -> PromotionView:
    return PromotionView(**dict(zip(PromotionView.__struct_fields__, row, strict=True)))


_PROMOTIONS: Final = """
    select q.id, v.id, v.product_id, v.sku, v.name, v.currency, v.retail_minor, q.price_minor, q.starts_at, q.ends_at
    from promotions q join variants v on v.shop_id = q.shop_id and v.id = q.variant_id
    where q.shop_id = %(shop)s
"""
_LISTED: Final = """
      and (%(product)s::bigint is null or v.product_id = %(product)s)
      and (%(state)s::text is null or %(state)s = case
           when %(now)s::timestamptz < q.starts_at then 'coming'
           when %(now)s < q.ends_at then 'running' else 'over' end)
      and (%(search)s = '' or v.sku = %(search)s or strpos(lower(v.name), lower(%(search)s)) > 0)
      and (%(before)s::bigint is null or q.id < %(before)s)
    order by q.id desc limit %(limit)s
"""
_VARIANTS: Final = """
    select id, product_id, retail_minor from variants where shop_id = %s and id = any(%s::bigint[]) and enabled
"""
_ADD: Final = """
    insert into promotions (shop_id, variant_id, price_minor, starts_at, ends_at)
    select %(shop)s, x.id, %(price)s, %(starts)s, %(ends)s from unnest(%(variants)s::bigint[]) as x (id)
    on conflict (shop_id, variant_id, starts_at) do nothing returning id
"""
_IS_TAKEN: Final = """
    select exists (select from promotions where shop_id = %(shop)s and variant_id = %(variant)s
                   and starts_at = %(starts)s and id <> %(id)s)
"""
_CHANGE: Final = """
    update promotions set price_minor = %(price)s, starts_at = %(starts)s, ends_at = %(ends)s
    where shop_id = %(shop)s and id = %(id)s
"""
_END: Final = "update promotions set ends_at = %(now)s where shop_id = %(shop)s and id = %(id)s"
_TAKE: Final = "delete from promotions where shop_id = %(shop)s and id = %(id)s"
