"""A raised alert..."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.jobs.consuming import run_consumers
from crossdock.kit.clock import FrozenClock
from crossdock.kit.mail import Mailer
from crossdock.shop.alerts import Alert, list_alerts, mark_seen, raise_alert
from crossdock.shop.deliveries import (
    Delivering,
    DeliveryKinds,
    deliver_due,
    list_deliveries,
    resend_delivery,
)
from crossdock.shop.events import number_events
from crossdock.shop.mailing import ALERT_MAIL, PER_HOUR, AlertMail
from tests.support.factories import ShopFixture, make_shop
from tests.support.mailbox import Mailbox

OPS, BOSS = "ops@shop.example", "boss@shop.example"


class Post:
    """A shop whose alerts go out by mail: raise, let the worker's parts run, look at the mailbox."""

    def __init__(self, db: Database, clock: FrozenClock, shop: ShopFixture, port: int) -> None:
        self.db, self.clock, self.shop = db, clock, shop
        self.mail = self.with_recipients(port, OPS)

    def with_recipients(self, port: int, *recipients: str) -> AlertMail:
        self.mail = AlertMail(
            mailer=Mailer(
                host="127.0.0.1", port=port, encryption="none", sender="crossdock@shop.example"
            ),
            recipients=recipients,
            page_url="https://shop.example/console/alerts",
        )
        return self.mail

    async def raise_alert(self, kind: str = "dispatch_failed", order_id: int | None = 12) -> Alert:
        async with self.db.begin() as tx:
            await raise_alert(
                tx,
                shop_id=self.shop.id,
                kind=kind,
                message="Order 12 was not sent.",
                order_id=order_id,
                now=self.clock.now(),
            )
            return (await list_alerts(tx, shop_id=self.shop.id))[0]

    async def consume(self) -> None:
        async with self.db.begin() as tx:
            await number_events(tx, shop_id=self.shop.id)
        await run_consumers(self.db, consumers=[self.mail.consumer], now=self.clock.now())

    async def deliver(self) -> list[str]:
        service = Delivering(
            db=self.db,
            clock=self.clock,
            kinds=DeliveryKinds([self.mail.delivery_kind]),
            turns=self.clock,
        )
        return list((await deliver_due(service, limit=10, shop_id=self.shop.id)).values())

    async def work(self) -> list[str]:
        await self.consume()
        return await self.deliver()

    async def open_alerts(self) -> list[str]:
        async with self.db.statement() as tx:
            return [alert.kind for alert in await list_alerts(tx, shop_id=self.shop.id)]


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    async with Mailbox() as running:
        yield running


@pytest.fixture
async def post(database: Database, clock: FrozenClock, box: Mailbox) -> Post:
    async with database.begin() as tx:
        shop = await make_shop(tx)
    return Post(database, clock, shop, box.port)


async def test_is_mailed_to_everybody_once(post: Post, box: Mailbox) -> None:
    post.with_recipients(box.port, OPS, BOSS)
    alert = await post.raise_alert()

    assert await post.work() == ["sent", "sent"]
    assert await post.raise_alert() == alert
    assert await post.work() == []

    assert sorted(to for _, (to,) in box.envelopes) == [BOSS, OPS]
    came = box.mails[0]
    assert came["Subject"] == f"[{post.shop.slug}] Dispatch failed: order 12"
    assert came["Message-ID"] == f"<alert-{alert.id}@shop.example>"
    assert came.get_content().splitlines() == [
        "Order 12 was not sent.",
        "",
        f"Shop {post.shop.slug}, 2026-03-02 12:00 UTC, alert {alert.id}.",
        "See it and close it: https://shop.example/console/alerts",
    ]


async def test_is_mailed_later_when_the_server_has_no_time(post: Post, box: Mailbox) -> None:
    box.refusal = "451 later"
    await post.raise_alert()

    assert await post.work() == ["queued"]
    assert await post.deliver() == []
    assert box.mails == []
    assert await post.open_alerts() == ["dispatch_failed"]

    box.refusal = ""
    post.clock.move(timedelta(minutes=1))
    assert await post.deliver() == ["sent"]
    assert len(box.mails) == 1


async def test_stays_and_another_tells_of_the_mail_that_failed(post: Post, box: Mailbox) -> None:
    box.refusal = "550 no such user"
    await post.raise_alert()

    assert await post.work() == ["failed"]
    assert await post.open_alerts() == ["alert_mail_failed", "dispatch_failed"]
    assert await post.work() == []

    box.refusal = ""
    async with post.db.begin() as tx:
        (failed,) = await list_deliveries(tx, shop_id=post.shop.id, kind=ALERT_MAIL)
        assert failed.last_error == "the server answered 550 no such user"
        await resend_delivery(tx, shop_id=post.shop.id, delivery_id=failed.id, now=post.clock.now())
    post.clock.move(timedelta(days=400))
    assert await post.deliver() == ["sent"]
    assert len(box.mails) == 1


async def test_is_not_mailed_when_somebody_has_seen_it(post: Post, box: Mailbox) -> None:
    alert = await post.raise_alert(order_id=None)
    await post.consume()
    async with post.db.begin() as tx:
        await mark_seen(
            tx, shop_id=post.shop.id, alert_ids=[alert.id], by="Ann", now=post.clock.now()
        )

    assert await post.deliver() == ["withdrawn"]
    assert box.mails == []


async def test_of_a_flood_only_the_first_twenty_are_mailed(post: Post, box: Mailbox) -> None:
    for order_id in range(1, PER_HOUR + 4):
        await post.raise_alert(order_id=order_id)
    while await post.work():
        pass

    assert len(box.mails) == PER_HOUR
    told = [mail for mail in box.mails if "number 20 within an hour" in mail.get_content()]
    assert [mail["Subject"].rpartition(" ")[2] for mail in told] == ["20"]
    assert len(await post.open_alerts()) == PER_HOUR + 3

    post.clock.move(timedelta(hours=1, seconds=1))
    await post.raise_alert(order_id=99)
    assert await post.work() == ["sent"]


async def test_is_mailed_to_nobody_where_no_server_is_set(post: Post, box: Mailbox) -> None:
    post.mail = AlertMail(mailer=None, recipients=(OPS,), page_url="https://shop.example")
    await post.raise_alert()

    assert await post.work() == []
    async with post.db.statement() as tx:
        assert await list_deliveries(tx, shop_id=post.shop.id) == []
