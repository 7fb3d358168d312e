"""P17: the parts of every cart add up to its total, to the minor unit, in every kind of currency."""

import random
import time
import uuid
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from crossdock.channels.shoppex_partner.app import RULES
from crossdock.kit.clock import SystemClock
from crossdock.kit.money import (
    allocate,
    exponent,
    format_minor,
    parse_amount,
    share_bp,
    tax_within_bp,
    to_decimal,
)
from crossdock.shop.orders import (
    DraftLine,
    OrderItem,
    OrderRequest,
    Placing,
    place,
    place_for_customer,
)
from crossdock.shop.partners import Partner
from proof.claim import Claim, Findings, Result, Size
from proof.doors import signed_request
from proof.stand import Stand
from tests.support.drafts import draft_of, line_of
from tests.support.factories import (
    PartnerFixture,
    ShopFixture,
    make_partner,
    make_shop,
    make_variant,
)
from tests.support.ordering import placing, read_partner
from tests.support.raw_http import Connection

CURRENCIES = ("JPY", "EUR", "USD", "KWD")
SHELF = 12
LINES_MAX = 12
PRICE_MAX = 10**9
QUANTITY_MAX = 1_000
PLACED_EVERY = 400
COMMISSION_BP = 1_250


@dataclass(frozen=True)
class Counter:
    """A shop in one currency, with priced goods."""

    currency: str
    shop: ShopFixture
    partner: Partner
    fixture: PartnerFixture
    prices: dict[int, int]


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Check the arithmetic of every cart; one in 400 becomes an order in the database."""
    findings = Findings()
    counters = [await _furnish(stand, currency, rng) for currency in CURRENCIES]
    service = placing(stand.database, SystemClock())
    placed = 0
    for number in range(size["carts"]):
        counter = rng.choice(counters)
        cart = _cart(counter, rng)
        if wrong := _arithmetic(counter, cart, rng):
            findings.expect(False, f"cart {number} in {counter.currency}: {wrong}")
        if number % PLACED_EVERY == 0:
            wrong = await _order(stand, service, counter, cart)
            findings.expect(not wrong, f"order of cart {number} in {counter.currency}: {wrong}")
            wrong = await _sale(stand, counter, cart, rng)
            findings.expect(not wrong, f"sale of cart {number} in {counter.currency}: {wrong}")
            placed += 1
    floats = await _float_columns(stand)
    findings.expect(not floats, f"columns that are not exact: {floats}")
    shown = 0
    for counter in counters:
        shown += await _wire(stand, counter, findings)
    return findings.result(
        carts=size["carts"], orders=placed, sales_posted=placed, prices_on_the_wire=shown
    )


async def _furnish(stand: Stand, currency: str, rng: random.Random) -> Counter:
    prices: dict[int, int] = {}
    async with stand.database.begin() as tx:
        shop = await make_shop(tx, currency=currency)
        terms = "update merchants set commission_bp = %s where id = %s"
        await tx.run(terms, (COMMISSION_BP, shop.merchant_id))
        for _ in range(SHELF):
            price = rng.choice(
                [rng.randint(0, 99), rng.randint(1, 10**5), rng.randint(1, PRICE_MAX)]
            )
            variant_id = await make_variant(
                tx, shop=shop, own=None, price_minor=price, currency=currency, stock_managed=False
            )
            prices[variant_id] = price
        fixture = await make_partner(tx, shop=shop)
    partner = await read_partner(stand.database, fixture)
    return Counter(currency, shop, partner, fixture, prices)


def _cart(counter: Counter, rng: random.Random) -> list[tuple[int, int]]:
    variants = list(counter.prices)
    return [
        (rng.choice(variants), rng.randint(1, QUANTITY_MAX))
        for _ in range(rng.randint(1, LINES_MAX))
    ]


def _arithmetic(counter: Counter, cart: list[tuple[int, int]], rng: random.Random) -> str:
    """The error in the cart's sums, compared with exact decimals; '' if there is none."""
    currency = counter.currency
    unit = Decimal(1).scaleb(-exponent(currency))
    lines = [counter.prices[variant_id] * quantity for variant_id, quantity in cart]
    total = sum(lines)
    exact = sum((to_decimal(counter.prices[v], currency) * q for v, q in cart), Decimal(0))
    discount_bp, vat_bp = rng.randint(0, 10_000), rng.choice([0, 600, 900, 2_100, 2_550])
    discount = share_bp(total, discount_bp)
    shares = allocate(discount, lines)
    paid = [line - share for line, share in zip(lines, shares, strict=True)]
    taxes = [tax_within_bp(amount, vat_bp) for amount in paid]
    rounded = (exact * discount_bp / 10_000).quantize(unit, rounding=ROUND_HALF_UP)
    checks = {
        "the total differs": to_decimal(total, currency) == exact,
        "the discount is not rounded half up": to_decimal(discount, currency) == rounded,
        "the shares do not sum to the discount": sum(shares) == discount,
        "a share is off by more than a unit": all(
            abs(share * max(total, 1) - discount * line) <= max(total, 1)
            for share, line in zip(shares, lines, strict=True)
        ),
        "a line is below zero": min(paid) >= 0,
        "what is paid is not total less discount": sum(paid) == total - discount,
        "net and tax do not make the gross": all(
            _tax_is_near(amount, tax, vat_bp) for amount, tax in zip(paid, taxes, strict=True)
        ),
        "text and number differ": parse_amount(format_minor(total, currency), currency=currency)
        == total,
        "a float": all(type(value) is int for value in (total, discount, *shares, *paid, *taxes)),
    }
    return ", ".join(name for name, held in checks.items() if not held)


def _tax_is_near(gross: int, tax: int, vat_bp: int) -> bool:
    """Within half a minor unit of gross x rate / (1 + rate), in whole numbers."""
    whole = 10_000 + vat_bp
    return 2 * abs(tax * whole - gross * vat_bp) <= whole


async def _order(
    stand: Stand, service: Placing, counter: Counter, cart: list[tuple[int, int]]
) -> str:
    request = OrderRequest(
        partner_order_id=uuid.uuid4().hex,
        items=tuple(OrderItem(variant_id=v, quantity=q) for v, q in cart),
        source="proof",
    )
    placed = await place_for_customer(
        service, partner=counter.partner, request=request, rules=RULES
    )
    async with stand.database.statement() as tx:
        row = await tx.one(
            "select o.subtotal_minor, o.total_minor, o.currency, sum(l.total_minor),"
            " sum(l.quantity * l.unit_price_minor) from orders o join order_lines l"
            " on l.shop_id = o.shop_id and l.order_id = o.id where o.id = %s group by o.shop_id, o.id",
            (placed.id,),
        )
    assert row is not None
    expected = sum(counter.prices[v] * q for v, q in cart)
    sums = {placed.total_minor, row[0], row[1], int(row[3]), int(row[4])}
    if sums != {expected} or row[2] != counter.currency:
        return f"{sums} {row[2]}, expected {expected} {counter.currency}"
    return ""


async def _sale(
    stand: Stand, counter: Counter, cart: list[tuple[int, int]], rng: random.Random
) -> str:
    """Place an order with discount, tax and shipping, and expect exactly its parts in the ledger."""
    lines = [_sold_line(counter, v, quantity=q, rng=rng) for v, q in cart]
    draft = draft_of(
        *lines,
        shop=counter.shop,
        currency=counter.currency,
        customer_id=counter.shop.customer_id,
        payment_state="awaiting",
    )
    async with stand.database.begin() as tx:
        placed = await place(tx, draft=draft, now=SystemClock().now())
        rows = await tx.all(
            "select kind, sum(amount_minor)::bigint from ledger_entries where shop_id = %s and order_id = %s"
            " group by kind",
            (counter.shop.id, placed.id),
        )
    goods = sum(line.unit_price_minor * line.quantity - line.discount_minor for line in lines)
    expected = {
        "sale": goods,
        "shipping": sum(line.shipping_minor for line in lines),
        "tax": sum(line.tax_minor for line in lines),
        "commission": share_bp(goods, COMMISSION_BP),
    }
    posted = dict.fromkeys(expected, 0) | dict(rows)
    owed = posted["sale"] + posted["shipping"] + posted["tax"]
    if posted != expected or owed != placed.total_minor:
        return f"posted {posted}, expected {expected}, the total is {placed.total_minor}"
    return ""


def _sold_line(
    counter: Counter, variant_id: int, *, quantity: int, rng: random.Random
) -> DraftLine:
    price = counter.prices[variant_id]
    discount = share_bp(price * quantity, rng.randint(0, 10_000))
    return line_of(
        variant_id,
        shop=counter.shop,
        quantity=quantity,
        price_minor=price,
        take=None,
        discount_minor=discount,
        tax_minor=share_bp(price * quantity - discount, rng.choice([0, 600, 2_100, 2_550])),
        shipping_minor=rng.randint(0, 5_000),
    )


async def _wire(stand: Stand, counter: Counter, findings: Findings) -> int:
    """Expect every price of the channel to be text with exactly the currency's decimals."""
    connection = await Connection.open(stand.server.port)
    request = signed_request(
        counter.fixture, "GET", timestamp=int(time.time()), nonce=uuid.uuid4().hex
    )
    reply = await connection.exchange(request)
    connection.close()
    rows: list[dict[str, Any]] = reply.json() or []
    told = {row["id"]: row["price"] for row in rows}
    for variant_id, price in counter.prices.items():
        text = told.get(variant_id)
        right = text == format_minor(price, counter.currency)
        findings.expect(right, f"{price} {counter.currency} is told as {text!r}")
    return len(told)


async def _float_columns(stand: Stand) -> list[str]:
    """Columns with a binary floating-point type in our schema."""
    async with stand.database.statement() as tx:
        rows = await tx.all(
            "select table_name || '.' || column_name from information_schema.columns"
            " where table_schema = 'public' and data_type in ('real', 'double precision')"
            " and table_name not like 'procrastinate%'"
        )
    return [row[0] for row in rows]


CLAIM = Claim(
    id="P17",
    title="money",
    workload="random carts in currencies with 0, 2 and 3 decimals: sums, discounts shared over lines, "
    "contained tax, each computed again in exact decimals; one in 400 placed as an order, "
    "and as a sale with discount, tax, shipping and commission",
    must_hold="parts = total, in the ledger too, every rounding half up, no float anywhere, prices exact "
    "on the wire",
    full={"carts": 1_000_000},
    quick={"carts": 20_000},
    run=run,
)
