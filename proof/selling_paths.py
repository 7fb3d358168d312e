"""The write paths of carts, of orders that await their payment, and of invoices, for the claim that interrupts each."""

import contextlib
from datetime import timedelta

from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import SeededIds
from crossdock.shop.carts import Carts, delete_cart
from crossdock.shop.invoices import Invoice, read_invoice, refund_invoice, settle_every_payment
from crossdock.shop.orders import expire_orders, run_releases
from crossdock.shop.pricing import CouponTerms, add_coupon
from proof.paths import LOST, NOW, UNCLAIMED, Scene, WritePath, seeded_paying, settle_later
from tests.support.awaiting import DAY_S, WINDOW_S, Dropship
from tests.support.invoicing import Invoicing
from tests.support.ordering import placing
from tests.support.paying import DECLINED, GOOD
from tests.support.shopping import Mall, partner_of

CART = SeededIds("cart").uuid()
LATE = 2 * UNCLAIMED
NOTHING_TAKEN = """
    (select coalesce(sum(held), 0) = 0 from stock_levels)
    and (select count(*) = 0 from payments where state in ('created', 'authorised'))
"""
BOUGHT_ONCE = f"""
    select (select count(*) = 1 and bool_and(payment_state = 'paid') from orders)
       and (select count(*) = 1 from sandbox_operations where action = 'capture' and approved)
       and (select count(*) = 1 and sum(captured_minor) = (select sum(total_minor) from orders)
            from payments where state = 'captured')
       and (select bool_and(order_id is not null) and count(*) = 1 from carts)
       and (select count(*) = 0 from cart_lines) and (select sum(used_count) = 1 from coupons)
       and (select sum(committed) = 3 from stock_levels) and {NOTHING_TAKEN}
"""
NOT_BOUGHT = f"""
    select (select count(*) = 0 from orders) and (select bool_and(order_id is null) from carts)
       and (select sum(committed) = 0 from stock_levels) and (select count(*) = 2 from cart_lines)
       and (select count(*) = 0 from sandbox_operations where approved) and {NOTHING_TAKEN}
"""
PAID_ONCE = """
    select (select bool_and(state = 'completed') from invoices)
       and (select count(*) = 1 and sum(captured_minor) = 2500 from payments where state = 'captured')
       and (select count(*) = 1 from sandbox_operations where action = 'capture' and approved)
       and (select count(*) = 0 from payments where state in ('created', 'authorised'))
       and (select sum(balance_minor) = 2500 from accounts where kind = 'sales')
"""
GIVEN_BACK_ONCE = """
    select (select bool_and(state = 'partially_refunded') from invoices)
       and (select bool_and(refunded_minor = 1000 and refunding_minor = 0) from payments)
       and (select sum(amount_minor) = 1000 from sandbox_operations where action = 'refund')
"""


def _mall(database: Database, scene: Scene, *, later: timedelta = timedelta()) -> Mall:
    """The scene's partner with carts whose ids are the same in every run."""
    clock = FrozenClock(NOW + later)
    carts = Carts(db=database, clock=clock, ids=SeededIds("cart"))
    return Mall(database, clock, scene.shop, partner_of(scene.shop, id=scene.partner.id), carts)


async def _fill(database: Database, scene: Scene) -> None:
    first, second = scene.variants
    await _mall(database, scene).put(CART, (first, 1), (second, 2))


async def _open(database: Database, scene: Scene) -> None:
    await _mall(database, scene).cart()


async def _filled(database: Database, scene: Scene) -> None:
    """Fill a cart at prices of a coupon that is good for one order."""
    async with database.begin() as tx:
        terms = CouponTerms(code="TEN", kind="percent_off", percent_bp=1000)
        await add_coupon(tx, shop_id=scene.shop.id, terms=terms, max_uses=1, now=NOW)
    await _open(database, scene)
    await _fill(database, scene)


async def _left_claimed(database: Database, scene: Scene) -> None:
    """The cart of a checkout that died after its claim."""
    await _filled(database, scene)
    async with database.begin() as tx:
        await tx.run(
            "select claim_cart(shop_id, id, revision, %s::jsonb, %s, %s, %s) from carts",
            (
                f'[{{"variant_id": {scene.variants[0]}, "quantity": 1}}]',
                *(NOW + LOST, NOW + 2 * LATE, NOW),
            ),
        )


async def _change_again(database: Database, scene: Scene) -> None:
    first, second = scene.variants
    await _mall(database, scene, later=LATE).put(CART, (first, 0), (second, 3))


async def _delete(database: Database, scene: Scene) -> None:
    mall = _mall(database, scene, later=LATE)
    await delete_cart(mall.carts, partner=mall.partner, cart_id=CART)


async def _check_out(
    database: Database, scene: Scene, *, number: str = GOOD, later: timedelta = timedelta()
) -> None:
    mall = _mall(database, scene, later=later)
    done = await mall.check_out(
        CART, card_number=number, paying=seeded_paying(database, later=later)
    )
    scene.numbers["order"] = done.order_id


async def _buy(database: Database, scene: Scene) -> None:
    await _check_out(database, scene)


async def _buy_again(database: Database, scene: Scene) -> None:
    """Settle as the worker does, then check out again, as a shopper does who saw no answer."""
    await settle_later(database, scene)
    with contextlib.suppress(Conflict):  # it was bought
        await _check_out(database, scene, later=LATE)


async def _be_declined(database: Database, scene: Scene) -> None:
    with contextlib.suppress(Refused):
        await _check_out(database, scene, number=DECLINED)


def _dropship(database: Database, scene: Scene, *, later: timedelta = timedelta()) -> Dropship:
    partner = partner_of(scene.shop, id=scene.partner.id, customer_id=None)
    clock = FrozenClock(NOW + later)
    return Dropship(database, clock, scene.shop, partner, placing(database, clock))


async def _await_payment(database: Database, scene: Scene) -> None:
    first, second = scene.variants
    placed = await _dropship(database, scene).place((first, 1), (second, 2), number="D-1")
    scene.numbers["order"] = placed.id


async def _charge(database: Database, scene: Scene) -> None:
    await _dropship(database, scene).charge(scene.numbers["order"], "ch-1")


async def _charged(database: Database, scene: Scene) -> None:
    await _await_payment(database, scene)
    await _charge(database, scene)


async def _expire(database: Database, _scene: Scene) -> None:
    await expire_orders(database, now=NOW + timedelta(seconds=2 * DAY_S))


async def _cancel_line(database: Database, scene: Scene) -> None:
    await _dropship(database, scene).cancel(scene.numbers["order"], 2)


async def _cancel_all(database: Database, scene: Scene) -> None:
    await _dropship(database, scene).cancel(scene.numbers["order"])


async def _release(database: Database, _scene: Scene) -> None:
    await run_releases(database, now=NOW + timedelta(seconds=2 * WINDOW_S))


def _invoicing(database: Database, scene: Scene, *, later: timedelta = timedelta()) -> Invoicing:
    made = Invoicing(database, FrozenClock(NOW + later), scene.shop, ids=SeededIds("invoice"))
    made.paying = seeded_paying(database, later=later)
    return made


async def _invoice(database: Database, scene: Scene) -> None:
    made = await _invoicing(database, scene).create(currency="USD")
    scene.numbers["invoice"] = made.id


async def _read(database: Database, scene: Scene) -> Invoice:
    async with database.statement() as tx:
        return await read_invoice(tx, shop_id=scene.shop.id, invoice_id=scene.numbers["invoice"])


async def _complete(database: Database, scene: Scene) -> None:
    await _invoicing(database, scene).complete(await _read(database, scene), note="Statement 7")


async def _void(database: Database, scene: Scene) -> None:
    await _invoicing(database, scene).void(await _read(database, scene))


async def _pay(database: Database, scene: Scene) -> None:
    await _invoicing(database, scene).pay(await _read(database, scene))


async def _pay_again(database: Database, scene: Scene) -> None:
    """Settle as the worker does, then pay again, as somebody does who saw no answer."""
    await settle_later(database, scene)
    with contextlib.suppress(Refused):  # it was paid
        await _invoicing(database, scene, later=LATE).pay(await _read(database, scene))


async def _paid(database: Database, scene: Scene) -> None:
    await _invoice(database, scene)
    await _pay(database, scene)


async def _give_back(database: Database, scene: Scene, *, later: timedelta = timedelta(1)) -> None:
    await refund_invoice(
        seeded_paying(database, later=later),
        shop_id=scene.shop.id,
        invoice_id=scene.numbers["invoice"],
        amount_minor=1_000,
    )


async def _give_back_now(database: Database, scene: Scene) -> None:
    await _give_back(database, scene)


async def _give_back_again(database: Database, scene: Scene) -> None:
    """Refund again unless it is found to be refunded."""
    await settle_every_payment(seeded_paying(database, later=timedelta(1) + LOST))
    if (await _read(database, scene)).state == "completed":
        await _give_back(database, scene, later=timedelta(2))


SELLING_PATHS = (
    WritePath(name="fill a cart", prepare=_open, act=_fill),
    WritePath(name="change a cart that was left claimed", prepare=_left_claimed, act=_change_again),
    WritePath(name="delete a cart that was left claimed", prepare=_left_claimed, act=_delete),
    WritePath(
        name="check a cart out",
        prepare=_filled,
        act=_buy,
        commits=6,
        recover=_buy_again,
        settled=BOUGHT_ONCE,
    ),
    WritePath(
        name="check a cart out, declined",
        prepare=_filled,
        act=_be_declined,
        commits=5,
        recover=settle_later,
        settled=NOT_BOUGHT,
    ),
    WritePath(name="await a payment", act=_await_payment),
    WritePath(name="pay with a charge", prepare=_await_payment, act=_charge),
    WritePath(name="expire what is not paid", prepare=_await_payment, act=_expire),
    WritePath(name="cancel a line freely", prepare=_charged, act=_cancel_line),
    WritePath(name="cancel freely what is paid", prepare=_charged, act=_cancel_all),
    WritePath(name="release after the time to cancel", prepare=_charged, act=_release),
    WritePath(name="create an invoice", act=_invoice),
    WritePath(name="complete an invoice by hand", prepare=_invoice, act=_complete),
    WritePath(name="void an invoice", prepare=_invoice, act=_void),
    WritePath(
        name="pay an invoice with a card",
        prepare=_invoice,
        act=_pay,
        commits=7,
        recover=_pay_again,
        settled=PAID_ONCE,
    ),
    WritePath(
        name="refund an invoice",
        prepare=_paid,
        act=_give_back_now,
        commits=3,
        recover=_give_back_again,
        settled=GIVEN_BACK_ONCE,
    ),
)
