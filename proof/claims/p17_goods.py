"""Goods of several merchants with sales, coupons and shipping terms, and what they cost in exact decimals."""

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from crossdock.kit.money import exponent, to_decimal
from crossdock.shop.pricing import CouponTerms, add_coupon
from tests.support.shopping import Mall

MERCHANTS = 4
EACH = 6
PRICE_MAX = 10**9
COMMISSION_BP = 1_250


@dataclass(frozen=True)
class Terms:
    """A merchant's shipping, in major units; `free_from` None is never."""

    merchant_id: int
    flat: Decimal
    free_from: Decimal | None


@dataclass(frozen=True)
class Good:
    """A variant: what a unit costs after sales and coupons, its own charge, whether it ships free."""

    terms: Terms
    price: Decimal
    charge: Decimal
    is_free: bool


async def furnish_goods(mall: Mall, rng: random.Random) -> dict[int, Good]:
    """Merchants, goods and coupons; the goods by variant."""
    goods: dict[int, Good] = {}
    currency = mall.partner.currency
    shared = await _coupon(mall, rng, code="SHOP")
    for number in range(MERCHANTS):
        flat, free_from = rng.randint(0, 2_000), rng.choice([None, rng.randint(1, 10**6)])
        merchant_id = await mall.merchant(
            commission_bp=COMMISSION_BP,
            shipping_flat_minor=flat,
            free_shipping_from_minor=free_from,
        )
        terms = Terms(
            merchant_id,
            to_decimal(flat, currency),
            None if free_from is None else to_decimal(free_from, currency),
        )
        own = await _coupon(mall, rng, code=f"OWN{number}", merchant_id=merchant_id)
        for place in range(EACH):
            variant_id, good = await _good(
                mall, rng, terms, [shared, own], code=f"ONE{number}{place}"
            )
            goods[variant_id] = good
    return goods


async def _good(
    mall: Mall, rng: random.Random, terms: Terms, coupons: list[CouponTerms], *, code: str
) -> tuple[int, Good]:
    retail = rng.choice([rng.randint(1, 99), rng.randint(1, 10**5), rng.randint(1, PRICE_MAX)])
    sale = rng.choice([None, rng.randint(1, retail)])
    charge, is_free = rng.choice([0, rng.randint(1, 500)]), rng.random() < 0.2
    variant_id = await mall.variant(
        merchant_id=terms.merchant_id,
        own=10**6,
        price_minor=retail,
        sale_minor=sale,
        shipping_minor=charge,
        free_shipping=is_free,
    )
    if rng.random() < 0.3:
        merchant_id = terms.merchant_id
        extra = await _coupon(
            mall, rng, code=code, merchant_id=merchant_id, product=await _handle(mall, variant_id)
        )
        coupons = [*coupons, extra]
    currency = mall.partner.currency
    base = sale if sale is not None and sale < retail else retail
    counting = [coupon for coupon in coupons if base > coupon.threshold_minor]
    is_free = is_free or any(coupon.kind == "free_shipping" for coupon in counting)
    price = min(_price(to_decimal(base, currency), each, currency) for each in [None, *counting])
    return variant_id, Good(terms, price, to_decimal(charge, currency), is_free)


def _price(base: Decimal, coupon: CouponTerms | None, currency: str) -> Decimal:
    """What a coupon leaves of a price, the part that it takes rounded half up."""
    if coupon is not None and coupon.amount_minor is not None:
        return max(base - to_decimal(coupon.amount_minor, currency), Decimal(0))
    if coupon is not None and coupon.percent_bp is not None:
        unit = Decimal(1).scaleb(-exponent(currency))
        off = (base * coupon.percent_bp / 10_000).quantize(unit, rounding=ROUND_HALF_UP)
        return base - off
    return base


async def _coupon(mall: Mall, rng: random.Random, *, code: str, **scope: Any) -> CouponTerms:
    values: dict[str, Any] = rng.choice(
        [
            {"kind": "amount_off", "amount_minor": rng.randint(1, 2_000)},
            {"kind": "percent_off", "percent_bp": rng.randint(1, 9_999)},
            {"kind": "free_shipping"},
        ]
    )
    terms = CouponTerms(code=code, threshold_minor=rng.choice([0, rng.randint(1, 10**5)]), **values)
    async with mall.db.begin() as tx:
        await add_coupon(tx, shop_id=mall.shop.id, terms=terms, now=mall.clock.now(), **scope)
    return terms


async def _handle(mall: Mall, variant_id: int) -> str:
    async with mall.db.statement() as tx:
        return str(
            await tx.value(
                "select p.handle from variants v join products p on p.shop_id = v.shop_id"
                " and p.id = v.product_id where v.shop_id = %s and v.id = %s",
                (mall.shop.id, variant_id),
            )
        )


def sums_of(
    goods: Mapping[int, Good], wanted: Mapping[int, int]
) -> dict[int, tuple[Decimal, Decimal]]:
    """Of each merchant: what its goods cost and what it asks for shipping them (spec shoppable 6.3)."""
    lines: dict[Terms, list[tuple[Good, int]]] = defaultdict(list)
    for variant, quantity in wanted.items():
        lines[goods[variant].terms].append((goods[variant], quantity))
    found = {}
    for terms, own in lines.items():
        subtotal = sum((good.price * quantity for good, quantity in own), Decimal(0))
        charges = sum((good.charge * many for good, many in own if not good.is_free), Decimal(0))
        is_free = all(good.is_free for good, _ in own)
        is_free = is_free or (terms.free_from is not None and subtotal >= terms.free_from)
        found[terms.merchant_id] = subtotal, Decimal(0) if is_free else terms.flat + charges
    return found
