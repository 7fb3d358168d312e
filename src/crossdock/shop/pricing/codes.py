"""Coupons by code: a buyer names one, and the order costs less (spec shoppex_reseller 13)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
import psycopg
from msgspec import UNSET, UnsetType

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound, Refused
from crossdock.kit.money import MINOR_MAX, allocate, share_bp
from crossdock.kit.paging import PlacePage
from crossdock.kit.texts import visible
from crossdock.shop.pricing.coupons import COUPON, USES_MAX, Coupon, code_exists, read_row

USED_UP: Final = "CD070"
CODE_LENGTH_MAX: Final = 64
PRODUCTS_MAX: Final = 1_000

Reason = Literal["unknown", "disabled", "not_yet", "over", "used_up", "below_minimum", "no_goods"]
_WORDS: Final[dict[Reason, str]] = {
    "unknown": "There is no such coupon.",
    "disabled": "The coupon is switched off.",
    "not_yet": "The coupon is not valid yet.",
    "over": "The coupon is not valid any more.",
    "used_up": "The coupon was used as often as it may be.",
    "below_minimum": "The order is below the coupon's minimum.",
    "no_goods": "The coupon is for none of these goods.",
}


class CodeTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a coupon by code is: exactly one of an amount and a part of the goods, and its conditions.

    `min_order_minor` is what all goods of the order cost at least; `max_discount_minor` what it takes
    off at most. `product_ids` and `merchant_ids` are whose goods it lowers, None for all.
    """

    code: str
    amount_minor: int | None = None
    percent_bp: int | None = None
    min_order_minor: int = 0
    max_discount_minor: int | None = None
    max_uses: int | None = None
    product_ids: tuple[int, ...] | None = None
    merchant_ids: tuple[int, ...] | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    enabled: bool = True


class CodeChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What changes of a coupon by code; a change of what it takes off gives both of its fields.

    `used_count` sets the count: what was used before does not count any more.
    """

    code: str | UnsetType = UNSET
    amount_minor: int | UnsetType | None = UNSET
    percent_bp: int | UnsetType | None = UNSET
    min_order_minor: int | UnsetType = UNSET
    max_discount_minor: int | UnsetType | None = UNSET
    max_uses: int | UnsetType | None = UNSET
    product_ids: tuple[int, ...] | UnsetType | None = UNSET
    starts_at: datetime | UnsetType | None = UNSET
    ends_at: datetime | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    used_count: int | UnsetType = UNSET


class Discountable(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order: what its goods cost, quantity included, in minor units."""

    product_id: int
    merchant_id: int
    goods_minor: int


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon that an order may use, and what it takes off each line, in minor units.

    The id goes into `OrderDraft.coupon_ids`, which counts the use, and may refuse it then.
    """

    coupon_id: int
    code: str
    discounts: tuple[int, ...]


async def add_code(tx: Transaction, *, shop_id: int, terms: CodeTerms, now: datetime) -> Coupon:
    """A new coupon by code, in the shop's currency; its code is kept in lower case.

    Raises Conflict `exists` for a code that another coupon has, Invalid `invalid_input` with the `field`.
    """
    kept = _checked(terms)
    await _require_products(tx, shop_id=shop_id, terms=kept)
    coupon_id = await tx.value(_ADD, {**_values(kept), "shop": shop_id, "now": now})
    if coupon_id is None:
        raise code_exists(kept.code)
    return await read_code(tx, shop_id=shop_id, merchant_ids=None, coupon_id=coupon_id)


async def change_code(
    tx: Transaction,
    *,
    shop_id: int,
    merchant_ids: list[int] | None,
    coupon_id: int,
    changes: CodeChanges,
    now: datetime,
) -> Coupon:
    """Change a coupon by code; orders that use it keep what it took off. Raises as `read_code` and `add_code`."""
    values = {"shop": shop_id, "id": coupon_id, "merchants": merchant_ids}
    row = await tx.one(f"{_SEEN} and c.id = %(id)s for no key update of c", values)
    if row is None:
        raise NotFound("not_found")
    kept = _checked(_merged(read_row(row), changes))
    if changes.product_ids is not UNSET:
        await _require_products(tx, shop_id=shop_id, terms=kept)
    used = None if changes.used_count is UNSET else changes.used_count
    if used is not None and not 0 <= used <= USES_MAX:
        raise Invalid("invalid_input", "Uses are counted from 0 on.", {"field": "used_count"})
    try:
        await tx.run(_CHANGE, {**values, **_values(kept), "used": used, "now": now})
    except psycopg.errors.UniqueViolation as error:
        raise code_exists(kept.code) from error
    return await read_code(tx, shop_id=shop_id, merchant_ids=None, coupon_id=coupon_id)


async def remove_code(
    tx: Transaction, *, shop_id: int, merchant_ids: list[int] | None, coupon_id: int, now: datetime
) -> None:
    """Take a coupon by code away, used or not: nobody may use it from now on, and its code is free again.

    Orders that use it keep what it took off. Raises NotFound `not_found`.
    """
    removed = await tx.run(
        "update coupons c set enabled = false, removed_at = %(now)s, updated_at = %(now)s"
        f" where c.shop_id = %(shop)s and c.id = %(id)s and c.removed_at is null and {_MINE}",
        {"shop": shop_id, "id": coupon_id, "merchants": merchant_ids, "now": now},
    )
    if not removed:
        raise NotFound("not_found")


async def list_codes(
    tx: Transaction, *, shop_id: int, merchant_ids: list[int] | None, page: PlacePage
) -> list[Coupon]:
    """A page of the coupons by code, the newest first, one more than its size.

    With `merchant_ids` only those for nobody else's goods.
    """
    values = {**page.bounds(), "shop": shop_id, "merchants": merchant_ids}
    return [read_row(row) for row in await tx.all(_LIST, values)]


async def read_code(
    tx: Transaction,
    *,
    shop_id: int,
    merchant_ids: list[int] | None,
    coupon_id: int | None = None,
    code: str = "",
) -> Coupon:
    """One of these coupons, by its id, or by its code in any case. Raises NotFound `not_found`."""
    values = {"shop": shop_id, "merchants": merchant_ids, "id": coupon_id, "code": code.lower()}
    row = await tx.one(
        f"{_SEEN} and case when %(id)s::bigint is null then lower(c.code) = lower(%(code)s)"
        " else c.id = %(id)s::bigint end",
        values,
    )
    if row is None:
        raise NotFound("not_found")
    return read_row(row)


async def apply_code(
    tx: Transaction, *, shop_id: int, code: str, lines: Sequence[Discountable], now: datetime
) -> Applied:
    """What the coupon with this code takes off these lines. Raises Refused `coupon_refused` with the `reason`."""
    try:
        coupon = await read_code(tx, shop_id=shop_id, merchant_ids=None, code=code.strip())
    except NotFound as error:
        raise _refused("unknown") from error
    return Applied(
        coupon_id=coupon.id, code=coupon.code, discounts=discounts_of(coupon, lines=lines, now=now)
    )


def discounts_of(
    coupon: Coupon, *, lines: Sequence[Discountable], now: datetime
) -> tuple[int, ...]:
    """What a coupon by code takes off each line; the parts are its discount.

    | what | rule |
    |---|---|
    | minimum | all goods of the order, before any discount, cost as much or more |
    | goods | those of its products and merchants; a part is of their sum, rounded half up once |
    | discount | at most its maximum, at most what the goods cost; shipping stays |
    | share of a line | in proportion to what its goods cost |

    Raises Refused `coupon_refused` with the `reason`.
    """
    if reason := _hindrance(coupon, lines=lines, now=now):
        raise _refused(reason)
    goods = [line.goods_minor if _is_for(coupon, line) else 0 for line in lines]
    limit = MINOR_MAX if coupon.max_discount_minor is None else coupon.max_discount_minor
    asked = (coupon.amount_minor or 0) + share_bp(sum(goods), coupon.percent_bp or 0)
    discount = min(asked, limit, sum(goods))
    return tuple(allocate(discount, goods))


@contextmanager
def refusing_coupon() -> Iterator[None]:
    """Translate the error of `use_coupons` in coupons.sql into Refused `coupon_refused`."""
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate != USED_UP:
            raise
        raise _refused("used_up") from error


async def release_coupons(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> None:
    """Give back what a cancelled order used of coupons; after its levels and before its money, as all lock them."""
    await tx.run("select release_coupons(%s, %s, %s)", (shop_id, order_id, now))


def _hindrance(coupon: Coupon, *, lines: Sequence[Discountable], now: datetime) -> Reason | None:
    checks: dict[Reason, bool] = {
        "unknown": coupon.given != "code",
        "disabled": not coupon.enabled,
        "not_yet": coupon.starts_at is not None and now < coupon.starts_at,
        "over": coupon.ends_at is not None and coupon.ends_at <= now,
        "used_up": coupon.max_uses is not None and coupon.used_count >= coupon.max_uses,
        "below_minimum": sum(line.goods_minor for line in lines) < coupon.min_order_minor,
        "no_goods": not any(_is_for(coupon, line) for line in lines),
    }
    return next((reason for reason, is_so in checks.items() if is_so), None)


def _is_for(coupon: Coupon, line: Discountable) -> bool:
    is_product = coupon.product_ids is None or line.product_id in coupon.product_ids
    return is_product and (coupon.merchant_ids is None or line.merchant_id in coupon.merchant_ids)


def _refused(reason: Reason) -> Refused:
    return Refused("coupon_refused", _WORDS[reason], {"reason": reason})


def _merged(coupon: Coupon, changes: CodeChanges) -> CodeTerms:
    values: dict[str, Any] = {name: getattr(coupon, name) for name in CodeTerms.__struct_fields__}
    for name in CodeChanges.__struct_fields__:
        value = getattr(changes, name)
        if name in values and value is not UNSET:
            values[name] = value
    return CodeTerms(**values)


def _checked(terms: CodeTerms) -> CodeTerms:
    """The terms as they are kept. Raises Invalid `invalid_input` with the `field`."""
    kept = msgspec.structs.replace(terms, code=terms.code.strip().lower())
    amounts = (kept.amount_minor, kept.max_discount_minor)
    takes_one = (kept.amount_minor is None) != (kept.percent_bp is None)
    is_part = kept.percent_bp is None or 1 <= kept.percent_bp <= 10_000
    is_amount = all(amount is None or 1 <= amount <= MINOR_MAX for amount in amounts)
    starts, ends = kept.starts_at, kept.ends_at
    wrong = {
        "code": not (visible(kept.code) and kept.code.isprintable())
        or len(kept.code) > CODE_LENGTH_MAX,
        "discount": not (takes_one and is_part and is_amount),
        "minimum": not 0 <= kept.min_order_minor <= MINOR_MAX,
        "max_uses": kept.max_uses is not None and not 1 <= kept.max_uses <= USES_MAX,
        "ends": starts is not None and ends is not None and starts >= ends,
        "products": len(kept.product_ids or ()) > PRODUCTS_MAX,
    }
    for field, is_wrong in wrong.items():
        if is_wrong:
            raise Invalid("invalid_input", _WRONG[field], {"field": field})
    return kept


_WRONG: Final = {
    "code": f"A code has 1 to {CODE_LENGTH_MAX} visible characters.",
    "discount": "It takes off either an amount above 0 or 0.01 to 100 percent.",
    "minimum": "The minimum is out of range.",
    "max_uses": "Uses are counted from 1 on.",
    "ends": "A coupon ends after it starts.",
    "products": f"A coupon is for at most {PRODUCTS_MAX} products.",
}


async def _require_products(tx: Transaction, *, shop_id: int, terms: CodeTerms) -> None:
    """The products are there, and of the coupon's merchants."""
    wanted = set(terms.product_ids or ())
    if not wanted:
        return
    found = await tx.value(
        "select count(*) from products p where p.shop_id = %(shop)s and p.id = any(%(products)s)"
        " and (%(merchants)s::bigint[] is null or p.merchant_id = any(%(merchants)s::bigint[]))",
        {"shop": shop_id, "products": list(wanted), "merchants": _listed(terms.merchant_ids)},
    )
    if found != len(wanted):
        raise Invalid("invalid_input", "One of the products is unknown.", {"field": "products"})


def _values(terms: CodeTerms) -> dict[str, Any]:
    values = msgspec.structs.asdict(terms)
    for name in ("product_ids", "merchant_ids"):
        values[name] = _listed(values[name])
    return {**values, "kind": "percent_off" if terms.amount_minor is None else "amount_off"}


def _listed(ids: tuple[int, ...] | None) -> list[int] | None:
    return None if ids is None else sorted(set(ids))


_MINE: Final = "c.given = 'code' and (%(merchants)s::bigint[] is null or c.merchant_ids <@ %(merchants)s::bigint[])"
_SEEN: Final = f"{COUPON} and {_MINE}"
_LIST: Final = f"""{_SEEN}
      and (c.created_at, c.id) < (%(after_time)s::timestamptz, %(after_id)s)
      and (c.created_at, c.id) > (%(before_time)s::timestamptz, %(before_id)s)
    order by c.created_at desc, c.id desc limit %(size)s"""
_ADD: Final = """
    insert into coupons (shop_id, code, given, kind, currency, amount_minor, percent_bp, merchant_ids, product_ids,
                         min_order_minor, max_discount_minor, max_uses, starts_at, ends_at, enabled, created_at,
                         updated_at)
    select id, %(code)s, 'code', %(kind)s, currency, %(amount_minor)s, %(percent_bp)s, %(merchant_ids)s,
           %(product_ids)s, %(min_order_minor)s, %(max_discount_minor)s, %(max_uses)s, %(starts_at)s, %(ends_at)s,
           %(enabled)s, %(now)s, %(now)s
    from shops where id = %(shop)s
    on conflict (shop_id, lower(code)) where removed_at is null do nothing returning id
"""
_CHANGE: Final = """
    update coupons c
    set code = %(code)s, kind = %(kind)s, amount_minor = %(amount_minor)s, percent_bp = %(percent_bp)s,
        product_ids = %(product_ids)s, min_order_minor = %(min_order_minor)s,
        max_discount_minor = %(max_discount_minor)s, max_uses = %(max_uses)s, starts_at = %(starts_at)s,
        ends_at = %(ends_at)s, enabled = %(enabled)s, updated_at = %(now)s,
        used_count = coalesce(%(used)s::bigint, c.used_count), used_base = coalesce(%(used)s::bigint, c.used_base),
        count_no = c.count_no + case when %(used)s::bigint is null then 0 else 1 end
    where c.shop_id = %(shop)s and c.id = %(id)s
"""
