"""The write paths of money and serials, for the claim that interrupts each between any two statements."""

import contextlib
from datetime import timedelta
from typing import Any

from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.ledger import post_transfers
from crossdock.shop.orders import (
    OrderItem,
    Placed,
    StaffOrder,
    cancel_order,
    pay_order,
    place,
    place_on_account,
    place_with_card,
    refund_order,
)
from crossdock.shop.payments import capture
from crossdock.shop.shops import read_shop
from crossdock.shop.stock import add_serials, take_serials
from crossdock.shop.warehouse import (
    Consignment,
    close_short,
    pack_lines,
    pick_lines,
    refund_with_goods,
    ship_package,
)
from proof.paths import LOST, NOW, UNCLAIMED, Scene, WritePath, seeded_paying, settle_later
from tests.support.drafts import draft_of, line_of
from tests.support.factories import box, make_variant
from tests.support.ledger import transfer
from tests.support.ordering import placing
from tests.support.paying import authorised, card

PLACED_ONCE = """
    select (select count(*) = 1 from orders) and (select count(*) = 1 from payments where state = 'authorised')
       and (select bool_and(order_id is not null) from payments where state = 'authorised')
       and (select sum(held) = 0 from stock_levels)
"""
CAPTURED_ONCE = """
    select bool_and(state = 'captured') and (select sum(amount_minor) = 10000 from ledger_entries)
       and (select count(*) = 1 from sandbox_operations where action = 'capture') from payments
"""
REFUNDED_ONCE = """
    select bool_and(refunded_minor = 1000 and refunding_minor = 0)
       and (select sum(amount_minor) = 1000 from sandbox_operations where action = 'refund') from payments
"""
LET_GO = "select coalesce(bool_and(state in ('voided', 'abandoned')), true) from payments"
CLOSED_ONCE = """
    select (select bool_and(fulfilment_state = 'shipped' and payment_state = 'partially_refunded') from orders)
       and (select bool_and(refunded_minor = 3998 and refunding_minor + refund_due_minor = 0) from payments)
       and (select sum(amount_minor) = 3998 from sandbox_operations where action = 'refund' and approved)
       and (select sum(committed) = 0 from stock_levels)
"""
CANCELLED_ONCE = """
    select (select bool_and(fulfilment_state = 'cancelled' and payment_state = 'refunded') from orders)
       and (select bool_and(refunded_minor = captured_minor and refunding_minor + refund_due_minor = 0) from payments)
       and (select count(*) = 1 from sandbox_operations where action = 'refund')
       and (select sum(committed) = 0 from stock_levels)
"""
TAKEN_BACK = """
    select (select bool_and(fulfilment_state = 'cancelled' and payment_state = 'refunded') from orders)
       and (select sum(committed) = 0 from stock_levels)
       and (select count(*) = 1 from sandbox_operations where action = 'refund')
"""


async def _post(database: Database, scene: Scene) -> None:
    transfers = [
        transfer("bank", "prepaid reseller:1", 500),
        transfer("prepaid reseller:1", "sales merchant:1", 120),
    ]
    async with database.begin() as tx:
        await post_transfers(tx, shop_id=scene.shop.id, transfers=transfers, now=NOW)


async def _licence(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        scene.numbers["licence"] = await make_variant(tx, shop=scene.shop, own=None)


async def _add_serials(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        await add_serials(
            tx,
            shop_id=scene.shop.id,
            variant_id=scene.numbers["licence"],
            serials=["KEY-1", "KEY-2", "KEY-3"],
            box=box(),
            now=NOW,
        )


async def _licensed(database: Database, scene: Scene) -> None:
    await _licence(database, scene)
    await _add_serials(database, scene)


async def _take_serials(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        await take_serials(
            tx,
            shop_id=scene.shop.id,
            order_id=1,
            line_no=1,
            variant_id=scene.numbers["licence"],
            quantity=2,
            now=NOW,
        )


async def _topped_up(database: Database, scene: Scene) -> None:
    await _licensed(database, scene)
    transfers = [transfer("bank", "prepaid reseller:1", 5_000)]
    async with database.begin() as tx:
        await post_transfers(tx, shop_id=scene.shop.id, transfers=transfers, now=NOW)


async def _place_serials(database: Database, scene: Scene) -> None:
    line = line_of(scene.numbers["licence"], shop=scene.shop, quantity=2, take="serials")
    draft = draft_of(
        line,
        shop=scene.shop,
        number="F-1",
        currency="EUR",
        state="completed",
        payment_state="paid",
        prepaid_owner="reseller:1",
    )
    async with database.begin() as tx:
        await place(tx, draft=draft, now=NOW)


async def _authorise(database: Database, scene: Scene) -> None:
    payment = await authorised(seeded_paying(database), scene.shop.id)
    scene.numbers["payment"] = payment.id


async def _capture(database: Database, scene: Scene, *, later: timedelta = timedelta()) -> None:
    await capture(
        seeded_paying(database, later=later),
        shop_id=scene.shop.id,
        payment_id=scene.numbers["payment"],
    )


async def _capture_now(database: Database, scene: Scene) -> None:
    await _capture(database, scene)


async def _capture_again(database: Database, scene: Scene) -> None:
    await settle_every_payment(seeded_paying(database, later=LOST))
    with contextlib.suppress(Refused):  # it was captured
        await _capture(database, scene, later=LOST)


async def _reps(database: Database, scene: Scene) -> None:
    """A sales rep for every customer, so that placing an order need not find one."""
    async with database.begin() as tx:
        await tx.run(
            "update customers set sales_rep_id = (select min(id) from sales_reps),"
            " sales_rep_source = 'stored' where sales_rep_id is null"
        )


def _order(scene: Scene) -> StaffOrder:
    items = (
        OrderItem(variant_id=scene.variants[0], quantity=1),
        OrderItem(variant_id=scene.variants[1], quantity=2),
    )
    return StaffOrder(customer_id=scene.shop.customer_id, items=items, number="T-1")


async def _on_account(database: Database, scene: Scene) -> None:
    async with database.statement() as tx:
        shop = await read_shop(tx, slug=scene.shop.slug)
    service = placing(database, FrozenClock(NOW))
    placed = await place_on_account(service, shop=shop, order=_order(scene))
    scene.numbers["order"] = placed.id


async def _placed_on_account(database: Database, scene: Scene) -> None:
    await _reps(database, scene)
    await _on_account(database, scene)


async def _note_transfer(database: Database, scene: Scene) -> None:
    await pay_order(
        seeded_paying(database),
        shop_id=scene.shop.id,
        order_id=scene.numbers["order"],
        reference="Statement 7",
    )


async def _cancel(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        await cancel_order(tx, shop_id=scene.shop.id, order_id=scene.numbers["order"], now=NOW)


async def _with_card(database: Database, scene: Scene, *, later: timedelta = timedelta()) -> Placed:
    async with database.statement() as tx:
        shop = await read_shop(tx, slug=scene.shop.slug)
    return await place_with_card(
        placing(database, FrozenClock(NOW + later)),
        seeded_paying(database, later=later),
        shop=shop,
        order=_order(scene),
        card=card(),
        provider="sandbox",
    )


async def _place_with_card(database: Database, scene: Scene) -> None:
    scene.numbers["order"] = (await _with_card(database, scene)).id


async def _place_again(database: Database, scene: Scene) -> None:
    """Settle as the worker does, then place the order again, as staff do who saw no answer."""
    await settle_later(database, scene)
    with contextlib.suppress(Conflict):  # it was placed
        await _with_card(database, scene, later=2 * UNCLAIMED)


async def _placed_with_card(database: Database, scene: Scene) -> None:
    await _reps(database, scene)
    await _place_with_card(database, scene)


async def _paid(database: Database, scene: Scene) -> None:
    await _placed_with_card(database, scene)
    await pay_order(seeded_paying(database), shop_id=scene.shop.id, order_id=scene.numbers["order"])


async def _ship_some(database: Database, scene: Scene) -> None:
    """The first line leaves."""
    where: dict[str, Any] = {"shop_id": scene.shop.id, "now": NOW}
    order_id, lines = scene.numbers["order"], {1: 1}
    async with database.begin() as tx:
        await pick_lines(tx, order_id=order_id, quantities=lines, **where)
        package_id = await pack_lines(tx, order_id=order_id, quantities=lines, **where)
        gone = Consignment(carrier="own", tracking_number="N1", tracking_url="")
        await ship_package(tx, package_id=package_id, consignment=gone, **where)


async def _packed_here(database: Database, _scene: Scene) -> None:
    """Orders go to no outside system."""
    async with database.begin() as tx:
        await tx.run("delete from connectors")


async def _partly_shipped(database: Database, scene: Scene) -> None:
    await _packed_here(database, scene)
    await _placed_with_card(database, scene)
    await _ship_some(database, scene)


async def _paid_and_partly_shipped(database: Database, scene: Scene) -> None:
    await _packed_here(database, scene)
    await _paid(database, scene)
    await _ship_some(database, scene)


async def _close(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        await close_short(tx, shop_id=scene.shop.id, order_id=scene.numbers["order"], now=NOW)


async def _close_and_refund(database: Database, scene: Scene) -> None:
    """What the command does."""
    await _close(database, scene)
    await settle_every_payment(seeded_paying(database, later=timedelta(1)))


async def _close_again(database: Database, scene: Scene) -> None:
    """Closed once more, which changes nothing, and the worker refunds what is due and not refunded."""
    await _close(database, scene)
    await settle_every_payment(seeded_paying(database, later=timedelta(1) + LOST))


async def _cancel_and_refund(database: Database, scene: Scene) -> None:
    """What the command does."""
    await _cancel(database, scene)
    await settle_every_payment(seeded_paying(database, later=timedelta(1)))


async def _cancel_again(database: Database, scene: Scene) -> None:
    """Cancelled once more, which is refused, and the worker refunds what is due and not refunded."""
    with contextlib.suppress(Refused):
        await _cancel(database, scene)
    await settle_every_payment(seeded_paying(database, later=timedelta(1) + LOST))


async def _refund(database: Database, scene: Scene, *, later: timedelta = timedelta(1)) -> None:
    await refund_order(
        seeded_paying(database, later=later),
        shop_id=scene.shop.id,
        order_id=scene.numbers["order"],
        amount_minor=1_000,
    )


async def _refund_again(database: Database, scene: Scene) -> None:
    """Refund again; it is looked up first, so nothing is refunded twice."""
    await settle_every_payment(seeded_paying(database, later=timedelta(1) + LOST))
    async with database.statement() as tx:
        given = await tx.value("select sum(refunded_minor) from payments")
    if not given:
        await _refund(database, scene, later=timedelta(2))


async def _take_back(database: Database, scene: Scene) -> None:
    await refund_with_goods(
        seeded_paying(database, later=timedelta(1)),
        shop_id=scene.shop.id,
        order_id=scene.numbers["order"],
    )


async def _take_back_again(database: Database, scene: Scene) -> None:
    await settle_every_payment(seeded_paying(database, later=timedelta(1) + LOST))
    try:
        await refund_with_goods(
            seeded_paying(database, later=timedelta(2)),
            shop_id=scene.shop.id,
            order_id=scene.numbers["order"],
        )
    except Refused as refused:
        if refused.code == "payment_state":  # the money was given back, the goods were not
            await _cancel(database, scene)


MONEY_PATHS = (
    WritePath(name="post transfers", act=_post),
    WritePath(name="add serials", prepare=_licence, act=_add_serials),
    WritePath(name="sell serials", prepare=_licensed, act=_take_serials),
    WritePath(name="place serials, prepaid", prepare=_topped_up, act=_place_serials),
    WritePath(name="authorise", act=_authorise, commits=3, recover=settle_later, settled=LET_GO),
    WritePath(
        name="capture",
        prepare=_authorise,
        act=_capture_now,
        commits=3,
        recover=_capture_again,
        settled=CAPTURED_ONCE,
    ),
    WritePath(name="place on account", prepare=_reps, act=_on_account),
    WritePath(name="note a transfer", prepare=_placed_on_account, act=_note_transfer),
    WritePath(name="cancel on account", prepare=_placed_on_account, act=_cancel),
    WritePath(
        name="place with a card",
        prepare=_reps,
        act=_place_with_card,
        commits=5,
        recover=_place_again,
        settled=PLACED_ONCE,
    ),
    WritePath(name="cancel with a card", prepare=_placed_with_card, act=_cancel),
    WritePath(
        name="cancel what is paid",
        prepare=_paid,
        act=_cancel_and_refund,
        commits=4,
        recover=_cancel_again,
        settled=CANCELLED_ONCE,
    ),
    WritePath(
        name="refund",
        prepare=_paid,
        act=_refund,
        commits=3,
        recover=_refund_again,
        settled=REFUNDED_ONCE,
    ),
    WritePath(name="close what is authorised", prepare=_partly_shipped, act=_close),
    WritePath(
        name="close what is paid",
        prepare=_paid_and_partly_shipped,
        act=_close_and_refund,
        commits=4,
        recover=_close_again,
        settled=CLOSED_ONCE,
    ),
    WritePath(
        name="refund with goods",
        prepare=_paid,
        act=_take_back,
        commits=4,
        recover=_take_back_again,
        settled=TAKEN_BACK,
    ),
)
