"""P17 for publishers: the parts of a cart of many merchants are its total, from the cart to the ledger and the feed."""

import json
import random
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from crossdock.kit.clock import FrozenClock
from crossdock.kit.money import exponent, format_minor, share_bp, to_decimal
from crossdock.shop.carts import Bill, CartView, CheckingOut, quote
from crossdock.shop.pricing import Destination, Taxable, TaxRate, set_tax_rate, tax_of
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p17_goods import COMMISSION_BP, Good, furnish_goods, sums_of
from proof.claims.p17_money import CURRENCIES, PLACED_EVERY
from proof.doors import SOLD
from proof.publishers import (
    CHANNEL,
    ShoppableDoor,
    checkout,
    feed,
    get,
    log_in,
    make_publisher,
    make_reader,
    post,
)
from proof.stand import Stand
from tests.support.drafts import BUYER
from tests.support.factories import PartnerFixture
from tests.support.raw_http import Connection
from tests.support.shopping import Mall

QUANTITY_MAX = 1_000
LINE_MAX = 12  # the most units of a line that the channel sells by default
LINES_MAX = 12
FEED_ROWS = 1_000
_FRACTION = re.compile(rb":-?\d+\.(\d+)(?=[,}\]])")

Cart = dict[int, int]
"""Quantities by variant."""


@dataclass(frozen=True)
class Counter:
    """A shop in one currency with several merchants, and a cart that has one of everything."""

    currency: str
    mall: Mall
    publisher: PartnerFixture
    access: str
    goods: dict[int, Good]
    everything: CartView
    rate: TaxRate
    service: CheckingOut


class OneRate:
    """Taxes by one rate, without looking it up for every cart."""

    def __init__(self, rate: TaxRate) -> None:
        self._rate = rate

    async def of_lines(
        self, *, shop_id: int, currency: str, to: Destination, lines: Sequence[Taxable]
    ) -> list[int]:
        """The tax of each line."""
        return [tax_of(line, rate=self._rate) for line in lines]


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Check the arithmetic of every cart; one in 400 is checked out, and followed to ledger and feed."""
    findings = Findings()
    connection = await Connection.open(stand.server.port)
    counters = [await _furnish(stand, connection, each, rng, findings) for each in CURRENCIES]
    ordered: dict[str, list[int]] = defaultdict(list)
    lines = 0
    for number in range(size["carts"]):
        counter = rng.choice(counters)
        is_placed = number % PLACED_EVERY == 0
        wanted = _cart(counter, rng, most=LINE_MAX if is_placed else QUANTITY_MAX)
        cart = _chosen(counter.everything, wanted)
        bill = await quote(counter.service, partner=counter.mall.partner, cart=cart, shipping=BUYER)
        lines += len(bill.lines)
        where = f"cart {number} in {counter.currency}"
        wrong = _arithmetic(counter, cart, bill, wanted)
        findings.expect(not wrong, f"{where}: {wrong}")
        if is_placed:
            order_id, wrong = await _buy(connection, counter, wanted, cart=cart, bill=bill)
            findings.expect(not wrong, f"order of {where}: {wrong}")
            ordered[counter.currency].append(order_id)
    fed = [
        await _feed(connection, stand, each, ordered[each.currency], findings) for each in counters
    ]
    connection.close()
    return findings.result(
        carts=size["carts"], lines=lines, orders=sum(map(len, ordered.values())), lines_fed=sum(fed)
    )


async def _furnish(
    stand: Stand, connection: Connection, currency: str, rng: random.Random, findings: Findings
) -> Counter:
    mall = await Mall.open(stand.database, FrozenClock(datetime.now(UTC)), currency=currency)
    goods = await furnish_goods(mall, rng)
    rate = TaxRate(
        country="US",
        state="TX",
        rate_bp=rng.choice([0, 600, 825, 2_100, 2_550]),
        taxes_shipping=rng.random() < 0.5,
    )
    async with stand.database.begin() as tx:
        await set_tax_rate(tx, shop_id=mall.shop.id, rate=rate)
        publisher = await make_publisher(tx, shop=mall.shop)
        pair = await make_reader(tx, partner=publisher)
    access = (await connection.exchange(log_in(*pair))).json()[0]["token"]
    everything = await mall.put(await mall.cart(), *((variant, 1) for variant in goods))
    for line in everything.lines:
        told, due = line.price_minor, goods[line.variant_id].price
        right = (
            to_decimal(told, currency) == due
            and line.free_shipping == goods[line.variant_id].is_free
        )
        findings.expect(right, f"variant {line.variant_id} in {currency} costs {told}, not {due}")
    service = CheckingOut(carts=mall.carts, paying=mall.paying, taxes=OneRate(rate))
    return Counter(currency, mall, publisher, access, goods, everything, rate, service)


def _cart(counter: Counter, rng: random.Random, *, most: int) -> Cart:
    chosen = rng.sample(list(counter.goods), rng.randint(1, LINES_MAX))
    return {variant: rng.randint(1, most) for variant in chosen}


def _chosen(everything: CartView, wanted: Cart) -> CartView:
    """The cart with these quantities."""
    replaced = msgspec.structs.replace
    merchants = [
        replaced(
            merchant,
            lines=tuple(
                replaced(line, wanted=wanted[line.variant_id], quantity=wanted[line.variant_id])
                for line in merchant.lines
                if line.variant_id in wanted
            ),
        )
        for merchant in everything.merchants
    ]
    return replaced(everything, merchants=tuple(each for each in merchants if each.lines))


def _arithmetic(counter: Counter, cart: CartView, bill: Bill, wanted: Cart) -> str:
    """The error in the cart's sums, compared with exact decimals; '' if there is none."""
    currency, rate = counter.currency, counter.rate
    sums = sums_of(counter.goods, wanted)
    lines = bill.lines
    merchants = {
        merchant.id: [line for line in lines if line.line.merchant_id == merchant.id]
        for merchant in cart.merchants
    }
    taxed = [
        line.line.total_minor + (line.shipping_minor if rate.taxes_shipping else 0)
        for line in lines
    ]
    checks = {
        "goods of a merchant": {
            m.id: to_decimal(m.subtotal_minor, currency) for m in cart.merchants
        }
        == {merchant: goods for merchant, (goods, _) in sums.items()},
        "shipping of a merchant": {
            m.id: to_decimal(m.shipping_minor, currency) for m in cart.merchants
        }
        == {merchant: shipping for merchant, (_, shipping) in sums.items()},
        "shares of the shipping": all(
            sum(line.shipping_minor for line in merchants[m.id]) == m.shipping_minor
            for m in cart.merchants
        ),
        "a share is off by more than a unit": all(
            abs(line.shipping_minor * m.subtotal_minor - m.shipping_minor * line.line.total_minor)
            <= m.subtotal_minor
            for m in cart.merchants
            for line in merchants[m.id]
            if m.subtotal_minor
        ),
        "a tax is not rounded half up": all(
            2 * abs(line.tax_minor * 10_000 - amount * rate.rate_bp) <= 10_000
            for line, amount in zip(lines, taxed, strict=True)
        ),
        "the total": bill.total_minor == cart.total_minor + bill.tax_minor
        and to_decimal(cart.total_minor, currency) == sum(map(sum, sums.values())),
        "a float": all(
            type(value) is int
            for line in lines
            for value in (line.total_minor, line.shipping_minor, line.tax_minor)
        ),
    }
    return ", ".join(name for name, held in checks.items() if not held)


async def _buy(
    connection: Connection, counter: Counter, wanted: Cart, *, cart: CartView, bill: Bill
) -> tuple[int, str]:
    """Fill a cart and check it out over the wire: the order, and what is wrong with its amounts."""
    publisher, currency = counter.publisher, counter.currency
    cart_id = (await connection.exchange(get(publisher, "/v3/cart/"))).json()["cart"]["id"]
    items = [{"sku": str(variant), "qty": quantity} for variant, quantity in wanted.items()]
    reply = await connection.exchange(
        post(publisher, "/v3/cart/put/bundling", {"id": cart_id, "items": items})
    )
    wrong = [] if _is_exact(reply.body, currency) else [f"decimals in {reply.body!r}"]
    told = json.loads(reply.body, parse_float=Decimal)
    if _of_cart(told) != _expected_of_cart(cart):
        wrong.append(f"the cart tells {_of_cart(told)}, not {_expected_of_cart(cart)}")
    reply = await connection.exchange(checkout(publisher, cart_id, currency=currency))
    outcome = ShoppableDoor(publisher).outcome(reply)
    if outcome.kind != SOLD:
        raise RuntimeError(f"no order of {wanted}: {reply.status} {reply.body[:300]!r}")
    if not _is_exact(reply.body, currency):
        wrong.append(f"decimals in {reply.body!r}")
    lines = json.loads(reply.body, parse_float=Decimal)
    if any(_of_line(line) != _expected_of_line(line, bill, currency=currency) for line in lines):
        wrong.append(f"the checkout tells {[_of_line(line) for line in lines]}")
    if _shares_told(lines) != _shares_expected(bill, currency=currency):
        wrong.append(f"the shipping is shared as {_shares_told(lines)}")
    wrong += await _kept(counter, outcome.order_id, bill)
    return outcome.order_id, ", ".join(wrong)


def _is_exact(body: bytes, currency: str) -> bool:
    """Whether every number has exactly the currency's decimals."""
    return {len(digits) for digits in _FRACTION.findall(body)} <= {exponent(currency)}


def _of_cart(told: dict[str, Any]) -> dict[str, tuple[Decimal, ...]]:
    """The amounts of the cart, its merchants and its lines as they are told."""
    sums = ("subtotal", "shipping_total", "total")
    found = {"cart": tuple(told["cart"][name] for name in sums)}
    for merchant in told["merchants"]:
        found[f"merchant {merchant['id']}"] = tuple(merchant[name] for name in sums)
        for item in merchant["items"]:
            found[item["sku"]] = item["price"], item["subtotal"], item["total"]
    return found


def _expected_of_cart(cart: CartView) -> dict[str, tuple[Decimal, ...]]:
    sums = {"cart": (cart.subtotal_minor, cart.shipping_minor, cart.total_minor)}
    for each in cart.merchants:
        sums[f"merchant {each.id}"] = each.subtotal_minor, each.shipping_minor, each.total_minor
    for line in cart.lines:
        sums[str(line.variant_id)] = line.price_minor, line.total_minor, line.total_minor
    return {
        name: tuple(to_decimal(minor, cart.currency) for minor in amounts)
        for name, amounts in sums.items()
    }


def _of_line(told: dict[str, Any]) -> dict[str, Any]:
    names = ("total", "item_total", "shipping_total", "tax_payable", "price", "merchant_total")
    return {name: told[name] for name in names}


def _shares_told(lines: list[dict[str, Any]]) -> list[tuple[str, Decimal, Decimal]]:
    """Merchant, goods and shipping of each line, sorted: which of two like lines has a unit more is up to the cart."""
    return sorted(
        (line["merchant_id"], line["price"] * line["quantity"], line["shipping_charge"])
        for line in lines
    )


def _shares_expected(bill: Bill, *, currency: str) -> list[tuple[str, Decimal, Decimal]]:
    return sorted(
        (
            str(each.line.merchant_id),
            to_decimal(each.line.total_minor, currency),
            to_decimal(each.shipping_minor, currency),
        )
        for each in bill.lines
    )


def _expected_of_line(told: dict[str, Any], bill: Bill, *, currency: str) -> dict[str, Any]:
    own = next(line for line in bill.lines if str(line.line.variant_id) == told["sku"])
    part = [line for line in bill.lines if line.line.merchant_id == own.line.merchant_id]
    texts = {
        "total": bill.total_minor,
        "item_total": sum(line.line.total_minor for line in bill.lines),
        "shipping_total": sum(line.shipping_minor for line in part),
        "tax_payable": bill.tax_minor,
    }
    numbers = {
        "price": own.line.price_minor,
        "merchant_total": sum(line.line.total_minor for line in part),
    }
    return {name: format_minor(minor, currency) for name, minor in texts.items()} | {
        name: to_decimal(minor, currency) for name, minor in numbers.items()
    }


async def _kept(counter: Counter, order_id: int, bill: Bill) -> list[str]:
    """What order, parts, payment and ledger have that is not of the bill."""
    async with counter.mall.db.statement() as tx:
        found = await tx.one(_KEPT, (counter.mall.shop.id, order_id))
        rows = await tx.all(
            "select kind, sum(amount_minor)::bigint from ledger_entries"
            " where shop_id = %s and order_id = %s and kind <> 'capture' group by kind",
            (counter.mall.shop.id, order_id),
        )
    goods: dict[int, int] = defaultdict(int)
    for line in bill.lines:
        goods[line.line.merchant_id] += line.line.total_minor
    posted = {
        "sale": sum(goods.values()),
        "shipping": sum(line.shipping_minor for line in bill.lines),
        "tax": bill.tax_minor,
        "commission": sum(share_bp(amount, COMMISSION_BP) for amount in goods.values()),
    }
    booked = {kind: amount for kind, amount in rows if kind in posted}
    wrong = []
    if found != (bill.total_minor,) * 4:
        wrong.append(f"order, parts, lines and payment have {found}, not {bill.total_minor}")
    if dict.fromkeys(posted, 0) | booked != posted:
        wrong.append(f"posted {booked}, expected {posted}")
    return wrong


_KEPT = """
    select o.total_minor,
           (select sum(p.total_minor)::bigint from order_parts p where p.shop_id = o.shop_id and p.order_id = o.id),
           (select sum(l.total_minor)::bigint from order_lines l
            where l.shop_id = o.shop_id and l.order_id = o.id),
           coalesce((select p.captured_minor from payments p
                     where p.shop_id = o.shop_id and p.order_id = o.id), o.total_minor)
    from orders o where o.shop_id = %s and o.id = %s
"""


async def _feed(
    connection: Connection, stand: Stand, counter: Counter, order_ids: list[int], findings: Findings
) -> int:
    """Expect the feed's lines to be the orders: their total, and the commission that the ledger has."""
    told: dict[int, list[dict[str, Any]]] = defaultdict(list)
    page = 0
    while lines := (
        await connection.exchange(feed(counter.access, rows=FEED_ROWS, page=page))
    ).json():
        for line in lines:
            told[line["id"]].append(line)
        page += 1
    async with stand.database.statement() as tx:
        kept = await tx.all(
            "select o.id, o.total_minor, sum(p.commission_minor)::bigint from orders o join order_parts p"
            " on p.shop_id = o.shop_id and p.order_id = o.id where o.shop_id = %s group by o.shop_id, o.id",
            (counter.mall.shop.id,),
        )
    currency = counter.currency
    findings.expect(sorted(told) == sorted(order_ids), f"the feed in {currency} has other orders")
    for order_id, total, commission in kept:
        lines = told[order_id]
        sums = [Decimal(line["subtotal"]) for line in lines]
        shipping = {line["merchant_id"]: Decimal(line["shipping_total"]) for line in lines}
        tax = Decimal(str(lines[0]["tax"]))
        added = sum(sums, Decimal(0)) + sum(shipping.values(), Decimal(0)) + tax
        shares = sum((Decimal(line["commission"]) for line in lines), Decimal(0))
        right = (added, shares) == (to_decimal(total, currency), to_decimal(commission, currency))
        findings.expect(right, f"order {order_id} in {currency} is fed as {added}, {shares}")
    return sum(map(len, told.values()))


CLAIM = Claim(
    id="P17",
    door=CHANNEL,
    title="money",
    workload="random carts of several merchants in currencies with 0, 2 and 3 decimals, with sales, coupons, "
    "shipping terms and taxes, each computed again in exact decimals; one in 400 filled and checked out",
    must_hold="parts = total in cart, checkout, order, payment, ledger and feed; numbers on the wire have "
    "exactly the currency's decimals",
    full={"carts": 200_000},
    quick={"carts": 5_000},
    run=run,
)
