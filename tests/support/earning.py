"""Orders that resellers brought: placed, paid, refunded."""

from datetime import timedelta
from typing import Any

import msgspec

from crossdock.kit.paging import PlacePage
from crossdock.shop.events import advance, number_events, read_new
from crossdock.shop.orders import DraftLine, Snapshot, pay_order, place, refund_order
from crossdock.shop.resellers import (
    Attribution,
    Campaign,
    Claim,
    ClaimAction,
    NewCampaign,
    NewClaim,
    Reseller,
    Sale,
    SaleFilter,
    attribute,
    commission_consumer,
    create_campaign,
    decide_claim,
    list_sales,
    read_buckets,
    request_payout,
)
from tests.support.drafts import draft_of, line_of
from tests.support.factories import box
from tests.support.paying import paying
from tests.support.reselling import Licence, Reselling


def line(selling: Reselling, goods: Licence, **more: Any) -> DraftLine:
    """So many of the goods, which are not counted."""
    made = line_of(goods.variant_id, shop=selling.shop, **({"take": None} | more))
    assert isinstance(made.variant, Snapshot)
    named = msgspec.structs.replace(made.variant, product_id=goods.product_id)
    return msgspec.structs.replace(made, variant=named)


async def order(
    selling: Reselling, *lines: DraftLine, code: str | None, **more: Any
) -> tuple[int, Attribution | None]:
    """An order that awaits its payment, with the code that its buyer came with, in one transaction."""
    draft = draft_of(*lines, shop=selling.shop, **({"payment_state": "awaiting"} | more))
    now, found = selling.clock.now(), None
    async with selling.database.begin() as tx:
        placed = await place(tx, draft=draft, now=now)
        if code is not None:
            found = await attribute(
                tx, shop_id=selling.shop.id, order_id=placed.id, code=code, now=now
            )
    return placed.id, found


async def pay(selling: Reselling, order_id: int) -> None:
    """A bank transfer comes in."""
    await pay_order(
        paying(selling.database, selling.clock),
        shop_id=selling.shop.id,
        order_id=order_id,
        reference=f"transfer {order_id}",
    )


async def give_back(selling: Reselling, order_id: int, amount_minor: int | None = None) -> None:
    """Refund an amount, or all that is left."""
    await refund_order(
        paying(selling.database, selling.clock),
        shop_id=selling.shop.id,
        order_id=order_id,
        amount_minor=amount_minor,
    )


async def campaign(selling: Reselling, reseller: Reseller, **goods: Any) -> Campaign:
    """A campaign of the relationship."""
    async with selling.database.begin() as tx:
        return await create_campaign(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            campaign=NewCampaign(**({"name": "Discord Launch"} | goods)),
            write_id=lambda number: f"campaign-{number}",
            box=box(),
            now=selling.clock.now(),
        )


async def book(selling: Reselling, *, hold: timedelta = timedelta(0)) -> int:
    """Number the events and let the consumer read all of this shop's; how many it read."""
    read, consumer = 0, commission_consumer(hold=hold)
    while True:
        async with selling.database.begin() as tx:
            await number_events(tx, shop_id=selling.shop.id)
        async with selling.database.begin() as tx:
            batch = await read_new(tx, shop_id=selling.shop.id, consumer=consumer)
            if batch is None:
                return read
            if batch.events:
                await consumer.take(tx, batch=batch, now=selling.clock.now())
            await advance(tx, batch=batch, consumer=consumer, now=selling.clock.now())
            read += len(batch.events)


async def sold(
    selling: Reselling, reseller: Reseller, *lines: DraftLine, hold: timedelta = timedelta(0)
) -> int:
    """An order that the relationship brought, paid and booked."""
    order_id, _ = await order(selling, *lines, code=reseller.attribution_code)
    await pay(selling, order_id)
    await book(selling, hold=hold)
    return order_id


async def buckets(selling: Reselling, reseller: Reseller) -> tuple[int, int, int, int]:
    """(pending, available, reserved, paid)."""
    async with selling.database.statement() as tx:
        found = await read_buckets(tx, shop_id=selling.shop.id, reseller_id=reseller.id)
    return found.pending_minor, found.available_minor, found.reserved_minor, found.paid_minor


async def sales(selling: Reselling, reseller: Reseller, **chosen: Any) -> list[Sale]:
    """The relationship's sales, the oldest first."""
    async with selling.database.statement() as tx:
        found = await list_sales(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            page=PlacePage(size=100),
            chosen=SaleFilter(**chosen),
        )
    return found[::-1]


async def faults(selling: Reselling) -> list[str]:
    """The checks of the doctor that find something wrong in this shop."""
    found = []
    async with selling.database.statement() as tx:
        for check in ("ledger_balances", "ledger_sums", "commission_buckets"):
            rows = await tx.all(f"select * from {check}(%s)", (selling.shop.id,))
            found += [check for row in rows if row[3]]
    return found


async def claim(selling: Reselling, reseller: Reseller, amount_minor: int, **more: Any) -> Claim:
    """A payout in a transaction of its own."""
    asked: dict[str, Any] = {
        "amount_minor": amount_minor,
        "asset": "USDT",
        "network": "TRON",
        "address": "T1",
    }
    async with selling.database.begin() as tx:
        return await request_payout(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            claim=NewClaim(**asked | more),
            now=selling.clock.now(),
        )


async def decide(
    selling: Reselling, reseller: Reseller, claim_id: int, action: ClaimAction
) -> Claim:
    """A decision in a transaction of its own."""
    async with selling.database.begin() as tx:
        return await decide_claim(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            claim_id=claim_id,
            action=action,
            now=selling.clock.now(),
        )
