"""The write paths of the reseller programme, for the claim that interrupts each between any two statements."""

from typing import Any

import msgspec

from crossdock.db.unit_of_work import Database
from crossdock.jobs.consuming import run_consumers
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import SeededIds
from crossdock.shop.events import number_events
from crossdock.shop.invoices import complete_invoice
from crossdock.shop.resellers import (
    ClaimAction,
    ProgramChanges,
    allocate_transfer,
    change_program,
    create_transfer_consumer,
    fulfil,
    invoice_transfer,
    mark_transfer_paid,
    revoke_transfer,
)
from proof.paths import NOW, Scene, WritePath
from tests.support.bought_stock import Bought
from tests.support.earning import book, claim, decide, give_back, line, order, pay, sold
from tests.support.factories import box
from tests.support.reselling import Reselling, request_of

SERIALS = ("KEY-1", "KEY-2", "KEY-3")
BOOKED_ONCE = """
    select (select count(*) = 1 and bool_and(status = 'approved' and commission_minor = 10000) from reseller_sales)
       and (select sum(balance_minor) = 10000 from accounts where kind = 'reseller_available')
       and (select count(*) = 1 from events where kind = 'reseller.sale')
"""
TAKEN_BACK_ONCE = """
    select (select bool_and(status = 'approved' and reversed_minor = 5000) from reseller_sales)
       and (select sum(balance_minor) = 5000 from accounts where kind = 'reseller_available')
"""
GIVEN_ONCE = """
    select (select bool_and(state = 'allocated' and allocated_count = 2) from reseller_transfers)
       and (select count(*) = 2 from reseller_items)
       and (select count(*) = 1 from serials where sold_at is null)
       and (select count(*) = 1 from events where kind = 'reseller.stock_allocated')
"""


def _selling(database: Database, scene: Scene) -> Reselling:
    return Reselling(database, FrozenClock(NOW), scene.shop)


async def _open(database: Database, scene: Scene) -> Reselling:
    """Switch the programme on."""
    changes = ProgramChanges(enabled=True, default_mode="both", default_commission_bp=5_000)
    async with database.begin() as tx:
        await change_program(tx, shop_id=scene.shop.id, changes=changes, now=NOW)
    return _selling(database, scene)


async def _topped_up(database: Database, scene: Scene) -> None:
    selling = await _open(database, scene)
    licence = await selling.licence(*SERIALS)
    _, partner = await selling.reseller(credit_minor=5_000)
    scene.made |= {"licence": licence, "partner": partner}


async def _fulfil(database: Database, scene: Scene) -> None:
    async with database.begin() as tx:
        await fulfil(
            tx,
            partner=scene.made["partner"],
            request=request_of(scene.made["licence"], quantity=2),
            ids=SeededIds("fulfilment"),
            box=box(),
            now=NOW,
        )


async def _requested(database: Database, scene: Scene) -> None:
    """Ask for two serials of three."""
    selling = await _open(database, scene)
    scene.made["bought"] = await Bought.of(selling, *SERIALS, quantity=2)


def _bought(database: Database, scene: Scene) -> Bought:
    made: Bought = scene.made["bought"]
    return msgspec.structs.replace(made, selling=_selling(database, scene))


async def _mark_paid(database: Database, scene: Scene) -> None:
    await _bought(database, scene).do(mark_transfer_paid)


async def _allocate(database: Database, scene: Scene) -> None:
    await _bought(database, scene).do(allocate_transfer)


async def _deliver(database: Database, scene: Scene) -> None:
    await _bought(database, scene).deliver(scene.numbers["item"])


async def _revoke(database: Database, scene: Scene) -> None:
    await _bought(database, scene).do(revoke_transfer)


async def _marked(database: Database, scene: Scene) -> None:
    await _requested(database, scene)
    await _mark_paid(database, scene)


async def _allocated(database: Database, scene: Scene) -> None:
    await _marked(database, scene)
    await _allocate(database, scene)
    scene.numbers["item"] = (await _bought(database, scene).items())[0].id


async def _delivered(database: Database, scene: Scene) -> None:
    """One of the two was delivered."""
    await _allocated(database, scene)
    await _deliver(database, scene)


async def _invoice(database: Database, scene: Scene) -> None:
    bought = _bought(database, scene)
    async with database.begin() as tx:
        made = await invoice_transfer(
            tx, **bought.names, transfer_id=bought.id, ids=SeededIds("invoice"), now=NOW
        )
    scene.numbers["invoice"] = made.invoice.id


async def _invoiced_and_paid(database: Database, scene: Scene) -> None:
    await _requested(database, scene)
    await _invoice(database, scene)
    async with database.begin() as tx:
        await complete_invoice(
            tx, shop_id=scene.shop.id, invoice_id=scene.numbers["invoice"], now=NOW
        )


async def _follow(database: Database, scene: Scene) -> None:
    """Number the events and let the consumer of paid invoices read them."""
    async with database.begin() as tx:
        await number_events(tx, shop_id=scene.shop.id)
    while await run_consumers(database, consumers=[create_transfer_consumer()], now=NOW):
        pass


async def _place(database: Database, scene: Scene) -> None:
    """Place an order that a reseller brought."""
    selling = _selling(database, scene)
    goods = line(selling, scene.made["licence"], price_minor=20_000)
    code = scene.made["reseller"].attribution_code
    scene.numbers["order"], _ = await order(selling, goods, code=code, number="A-1")


async def _brought(database: Database, scene: Scene) -> None:
    selling = await _open(database, scene)
    licence = await selling.licence()
    reseller, _ = await selling.reseller()
    scene.made |= {"licence": licence, "reseller": reseller}


async def _paid(database: Database, scene: Scene) -> None:
    await _brought(database, scene)
    await _place(database, scene)
    await pay(_selling(database, scene), scene.numbers["order"])


async def _book(database: Database, scene: Scene) -> None:
    """Number the events and book, then do both with the events that this wrote."""
    await book(_selling(database, scene))


async def _refunded(database: Database, scene: Scene) -> None:
    """Half of what was booked is refunded."""
    await _paid(database, scene)
    await _book(database, scene)
    await give_back(_selling(database, scene), scene.numbers["order"], 10_000)


async def _earned(database: Database, scene: Scene) -> None:
    """100.00 are available."""
    await _brought(database, scene)
    selling = _selling(database, scene)
    goods = line(selling, scene.made["licence"], price_minor=20_000)
    await sold(selling, scene.made["reseller"], goods)


async def _claim(database: Database, scene: Scene) -> None:
    made = await claim(_selling(database, scene), scene.made["reseller"], 6_000)
    scene.numbers["claim"] = made.id


async def _claimed(database: Database, scene: Scene) -> None:
    await _earned(database, scene)
    await _claim(database, scene)


async def _approved(database: Database, scene: Scene) -> None:
    await _claimed(database, scene)
    await _decision("approve")(database, scene)


def _decision(action: ClaimAction) -> Any:
    async def act(database: Database, scene: Scene) -> None:
        await decide(
            _selling(database, scene), scene.made["reseller"], scene.numbers["claim"], action
        )

    return act


RESELLING_PATHS = (
    WritePath(name="fulfil for a reseller", prepare=_topped_up, act=_fulfil),
    WritePath(name="mark a stock purchase as paid", prepare=_requested, act=_mark_paid),
    WritePath(name="allocate a stock purchase", prepare=_marked, act=_allocate),
    WritePath(name="deliver an item", prepare=_allocated, act=_deliver),
    WritePath(name="revoke a stock purchase", prepare=_delivered, act=_revoke),
    WritePath(name="invoice a stock purchase", prepare=_requested, act=_invoice),
    WritePath(
        name="follow the payment of a stock purchase",
        prepare=_invoiced_and_paid,
        act=_follow,
        commits=3,
        recover=_follow,
        settled=GIVEN_ONCE,
    ),
    WritePath(name="place what a reseller brought", prepare=_brought, act=_place),
    WritePath(
        name="book a commission",
        prepare=_paid,
        act=_book,
        commits=4,
        recover=_book,
        settled=BOOKED_ONCE,
    ),
    WritePath(
        name="take a commission back",
        prepare=_refunded,
        act=_book,
        commits=4,
        recover=_book,
        settled=TAKEN_BACK_ONCE,
    ),
    WritePath(name="request a payout", prepare=_earned, act=_claim),
    WritePath(name="approve a payout", prepare=_claimed, act=_decision("approve")),
    WritePath(name="complete a payout", prepare=_approved, act=_decision("complete")),
    WritePath(name="reject a payout", prepare=_claimed, act=_decision("reject")),
)
