"""Coupons: what they take off the price of a unit, and the lowest price that comes of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, get_args

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.kit.money import MINOR_MAX, share_bp
from crossdock.kit.texts import visible
from crossdock.shop.events import CouponChanged, write_event

CouponKind = Literal["amount_off", "percent_off", "free_shipping"]
Given = Literal["price", "code"]
COUPON_KINDS: tuple[CouponKind, ...] = get_args(CouponKind)
CODE_MAX = 40
USES_MAX = 10**12


class OfferedCoupon(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon that is good for a variant now; `saves_minor` is 0 up to its threshold."""

    code: str
    kind: CouponKind
    threshold_minor: int
    amount_minor: int | None
    percent_bp: int | None
    saves_minor: int


class LowestPrice(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit costs at least, in minor units; see `lowest_price`."""

    base_minor: int
    sale_minor: int | None
    discount_minor: int | None
    price_minor: int
    ships_free: bool
    coupons: tuple[OfferedCoupon, ...] = ()


class CouponTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a coupon takes off: an amount, a part, or the shipping of units above its threshold."""

    code: str
    kind: CouponKind
    threshold_minor: int = 0
    amount_minor: int | None = None
    percent_bp: int | None = None


class Coupon(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon of a shop; `given` by price to everybody, or to an order whose buyer names its code (see codes.py).

    It runs from `starts_at` (inclusive) to `ends_at` (exclusive); None is open. By price it is for one
    product, one merchant's goods, or all that the shop sells: `merchant` and `product` are slug and
    handle, '' for all. By code it is for these products of these merchants, None for all. `used_count`
    are the orders that use it, counted where it is by code or has `max_uses`.
    """

    id: int
    code: str
    given: Given
    kind: CouponKind
    currency: str
    threshold_minor: int
    amount_minor: int | None
    percent_bp: int | None
    merchant: str
    product: str
    merchant_ids: tuple[int, ...] | None
    product_ids: tuple[int, ...] | None
    min_order_minor: int
    max_discount_minor: int | None
    max_uses: int | None
    used_count: int
    starts_at: datetime | None
    ends_at: datetime | None
    enabled: bool
    created_at: datetime
    updated_at: datetime


def lowest_price(
    *, retail: int, active: int, agreed: int | None, coupons: Sequence[CouponTerms]
) -> LowestPrice:
    """The lowest price of a unit, where `coupons` are those that are good for it now (spec shoppable 5.2).

    | what | rule |
    |---|---|
    | sale | the active price, if it is above zero and below retail |
    | base | the sale, else retail; what coupons look at |
    | amount_off | above its threshold, the base less the amount, at least zero |
    | percent_off | above its threshold, the base less the part of it, which is rounded half up |
    | free_shipping | above its threshold, no shipping; the price stays |
    | several coupons | the one that makes the price lowest; they do not add up |
    | price | the lowest of base and discount |

    A price agreed with the caller is final: no sale and no coupon lowers it. The SQL twin is
    `lowest_price` in coupons.sql; a property test holds the two together.
    """
    if agreed is not None:
        coupons = [coupon for coupon in coupons if coupon.kind == "free_shipping"]
    sale = active if agreed is None and 0 < active < retail else None
    base = next(price for price in (agreed, sale, retail) if price is not None)
    offered = tuple(_offered(coupon, base=base) for coupon in sorted(coupons, key=lambda c: c.code))
    saved = max((coupon.saves_minor for coupon in offered), default=0)
    return LowestPrice(
        base_minor=base,
        sale_minor=sale,
        discount_minor=base - saved if saved else None,
        price_minor=base - saved,
        ships_free=any(c.kind == "free_shipping" and base > c.threshold_minor for c in offered),
        coupons=offered,
    )


def _offered(coupon: CouponTerms, *, base: int) -> OfferedCoupon:
    saves = 0
    if base > coupon.threshold_minor:
        saves = min(coupon.amount_minor or 0, base) + share_bp(base, coupon.percent_bp or 0)
    return OfferedCoupon(**msgspec.structs.asdict(coupon), saves_minor=saves)


async def add_coupon(
    tx: Transaction,
    *,
    shop_id: int,
    terms: CouponTerms,
    now: datetime,
    merchant_id: int | None = None,
    product: str = "",
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    max_uses: int | None = None,
) -> Coupon:
    """A new coupon by price in the shop's currency; `product` is a handle of the merchant's.

    With `max_uses` prices are without it once so many orders have used it. Writes a `coupon.changed` event.
    Raises Conflict `exists` for a code that another coupon has, NotFound `not_found` for an unknown product,
    Invalid `invalid_input` with the `field`.
    """
    _check(terms, starts_at=starts_at, ends_at=ends_at, max_uses=max_uses)
    product_id = await _product_id(tx, shop_id=shop_id, merchant_id=merchant_id, handle=product)
    coupon_id = await tx.value(
        "insert into coupons (shop_id, code, kind, currency, threshold_minor, amount_minor, percent_bp,"
        " merchant_id, product_id, starts_at, ends_at, max_uses, created_at, updated_at)"
        " select id, %s, %s, currency, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s from shops where id = %s"
        " on conflict (shop_id, lower(code)) where removed_at is null do nothing returning id",
        (
            terms.code,
            terms.kind,
            terms.threshold_minor,
            terms.amount_minor,
            terms.percent_bp,
            merchant_id,
            product_id,
            starts_at,
            ends_at,
            max_uses,
            now,
            now,
            shop_id,
        ),
    )
    if coupon_id is None:
        raise code_exists(terms.code)
    event = CouponChanged(merchant_id=merchant_id, product_id=product_id)
    await write_event(tx, shop_id=shop_id, event=event, subject_id=coupon_id, now=now)
    return await read_coupon(tx, shop_id=shop_id, code=terms.code)


async def enable_coupon(
    tx: Transaction, *, shop_id: int, code: str, enabled: bool, now: datetime
) -> Coupon:
    """Switch a coupon on or off, be it by price or by code. Raises NotFound `not_found`."""
    changed = await tx.one(
        "update coupons set enabled = %s, updated_at = %s where shop_id = %s"
        " and lower(code) = lower(%s) and removed_at is null and enabled <> %s"
        " returning id, merchant_id, product_id, given",
        (enabled, now, shop_id, code, enabled),
    )
    if changed and changed[3] == "price":
        event = CouponChanged(merchant_id=changed[1], product_id=changed[2])
        await write_event(tx, shop_id=shop_id, event=event, subject_id=changed[0], now=now)
    return await read_coupon(tx, shop_id=shop_id, code=code)


async def list_coupons(tx: Transaction, *, shop_id: int) -> list[Coupon]:
    """The shop's coupons, of both kinds, sorted by code."""
    rows = await tx.all(f"{COUPON} order by c.code", {"shop": shop_id})
    return [read_row(row) for row in rows]


async def read_coupon(tx: Transaction, *, shop_id: int, code: str) -> Coupon:
    """The coupon with this code. Raises NotFound `not_found`."""
    values = {"shop": shop_id, "code": code}
    row = await tx.one(f"{COUPON} and lower(c.code) = lower(%(code)s)", values)
    if row is None:
        raise NotFound("not_found", f"There is no coupon {code!r}.")
    return read_row(row)


def code_exists(code: str) -> Conflict:
    """The error for a code, in any case, that another coupon of the shop has."""
    return Conflict("exists", f"There is a coupon {code!r} already.", {"field": "code"})


def _check(
    terms: CouponTerms,
    *,
    starts_at: datetime | None,
    ends_at: datetime | None,
    max_uses: int | None,
) -> None:
    amounts = (terms.threshold_minor, terms.amount_minor or 0)
    is_of_kind = {
        "amount_off": (terms.amount_minor or 0) > 0 and terms.percent_bp is None,
        "percent_off": 1 <= (terms.percent_bp or 0) <= 10_000 and terms.amount_minor is None,
        "free_shipping": terms.amount_minor is None and terms.percent_bp is None,
    }
    wrong = {
        "code": not visible(terms.code)
        or terms.code != terms.code.strip()
        or len(terms.code) > CODE_MAX
        or any(mark in terms.code for mark in ",|*"),
        "amount": not all(0 <= amount <= MINOR_MAX for amount in amounts),
        "kind": not is_of_kind.get(terms.kind, False),
        "ends": starts_at is not None and ends_at is not None and starts_at >= ends_at,
        "max_uses": max_uses is not None
        and (not 1 <= max_uses <= USES_MAX or terms.kind == "free_shipping"),
    }
    if fields := [field for field, is_wrong in wrong.items() if is_wrong]:
        message = {
            "code": f"A code has 1 to {CODE_MAX} characters, none of them a comma, a bar or an asterisk.",
            "amount": "An amount is out of range.",
            "kind": "amount_off takes an amount, percent_off a percentage, free_shipping neither.",
            "ends": "A coupon ends after it starts.",
            "max_uses": "Uses are counted from 1 on, and not of free shipping.",
        }[fields[0]]
        raise Invalid("invalid_input", message, {"field": fields[0]})


async def _product_id(
    tx: Transaction, *, shop_id: int, merchant_id: int | None, handle: str
) -> int | None:
    if not handle:
        return None
    if merchant_id is None:
        message = "A coupon for a product names the product's merchant."
        raise Invalid("invalid_input", message, {"field": "merchant"})
    found = await tx.value(
        "select id from products where shop_id = %s and merchant_id = %s and handle = %s",
        (shop_id, merchant_id, handle),
    )
    if found is None:
        raise NotFound("not_found", f"The merchant has no product {handle!r}.")
    return int(found)


def read_row(row: tuple[Any, ...]) -> Coupon:
    """The coupon of a row of COUPON."""
    values = dict(zip(Coupon.__struct_fields__, row, strict=True))
    for name in ("merchant_ids", "product_ids"):
        values[name] = None if values[name] is None else tuple(values[name])
    return Coupon(**values)


COUPON: Final = """
    select c.id, c.code, c.given, c.kind, c.currency, c.threshold_minor, c.amount_minor, c.percent_bp,
           coalesce(m.slug, ''), coalesce(p.handle, ''), c.merchant_ids, c.product_ids, c.min_order_minor,
           c.max_discount_minor, c.max_uses, c.used_count, c.starts_at, c.ends_at, c.enabled, c.created_at,
           c.updated_at
    from coupons c
    left join merchants m on m.shop_id = c.shop_id and m.id = c.merchant_id
    left join products p on p.shop_id = c.shop_id and p.id = c.product_id
    where c.shop_id = %(shop)s and c.removed_at is null
"""
