"""A row for the lists of the console that orders and partners alone do not fill."""

from datetime import datetime

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.acts import Act, begin_act
from crossdock.shop.catalogue import add_merchant, merchant_record
from crossdock.shop.deliveries import queue_delivery
from crossdock.shop.events import number_events
from crossdock.shop.ledger import Account, Transfer, post_transfers
from crossdock.shop.mailing import Mailing
from crossdock.shop.resellers import NewClaim, request_payout
from crossdock.shop.shops import read_shop_by_id
from tests.support.factories import ShopFixture, box
from tests.support.reselling import make_reseller


async def fill_lists(db: Database, *, shop: ShopFixture, now: datetime) -> None:
    """A merchant, a delivery, a mail, an account, a payout, an act, and the events of all that."""
    begin_act(
        Act(
            actor="noor@shop.example",
            act="/console/merchants/new",
            subject="/console/merchants/new",
            details={"name": "Blue Harbour"},
            clock=FrozenClock(now),
            shop_id=shop.id,
        )
    )
    try:
        async with db.begin() as tx:
            record = merchant_record({"name": "Blue Harbour"})
            await add_merchant(tx, shop_id=shop.id, record=record, now=now)
    finally:
        begin_act(None)
    async with db.begin() as tx:
        await queue_delivery(
            tx, shop_id=shop.id, kind="nobody_sends_this", target="x", subject_id=None, now=now
        )
        await Mailing(box=box(), mailer=None, host="shop.example").queue_mail(
            tx,
            shop_id=shop.id,
            template="item_delivery",
            to="ada@buyer.example",
            values={"product": "Blue Mug", "serials": ["KEY-1"]},
            key="ada@buyer.example",
            now=now,
        )
        reseller = await make_reseller(tx, shop_id=shop.id)
        earned = Transfer(
            debit=Account("reseller_costs"),
            credit=Account("reseller_available", f"reseller:{reseller.id}"),
            amount_minor=10_000,
            currency=(await read_shop_by_id(tx, shop_id=shop.id)).currency,
            kind="commission",
        )
        await post_transfers(tx, shop_id=shop.id, transfers=[earned], now=now)
        await request_payout(
            tx,
            shop_id=shop.id,
            reseller_id=reseller.id,
            claim=NewClaim(amount_minor=2_000, asset="USDT", network="TRON", address="T1"),
            now=now,
        )
    async with db.begin() as tx:
        await number_events(tx, shop_id=shop.id)
