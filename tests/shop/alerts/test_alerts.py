"""An alert..."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import NotFound
from crossdock.kit.clock import FrozenClock
from crossdock.shop.alerts import count_open, list_alerts, mark_seen, raise_alert, read_alert
from tests.support.factories import ShopFixture, make_shop
from tests.support.locks import waiting_for_a_lock


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    async with database.begin() as tx:
        return await make_shop(tx)


async def _events(tx: Transaction, shop: ShopFixture) -> list[tuple]:
    return await tx.all(
        "select kind, topic, subject_id, payload from events where shop_id = %s order by id",
        (shop.id,),
    )


async def test_is_raised_once_while_it_is_open(tx: Transaction, clock: FrozenClock) -> None:
    shop = await make_shop(tx)
    wanted = [("first", 7, ""), ("again", 7, ""), ("other order", 8, ""), ("part", 7, "part 2")]

    news = [
        await raise_alert(
            tx,
            shop_id=shop.id,
            kind="dispatch_failed",
            message=message,
            order_id=order_id,
            subject=subject,
            now=clock.now(),
        )
        for message, order_id, subject in wanted
    ]

    assert news == [True, False, True, True]
    alerts = await list_alerts(tx, shop_id=shop.id)
    assert [alert.message for alert in alerts] == ["part", "other order", "first"]
    assert await _events(tx, shop) == [
        ("alert.raised", "alerts", alert.id, {"alert_kind": "dispatch_failed"})
        for alert in reversed(alerts)
    ]


async def test_without_an_order_is_one_for_its_kind(tx: Transaction, clock: FrozenClock) -> None:
    shop, other = await make_shop(tx), await make_shop(tx)
    before = (await count_open(tx)).get("sales_rep_missing", 0)

    news = [
        await raise_alert(
            tx, shop_id=shop_id, kind="sales_rep_missing", message="Nobody.", now=clock.now()
        )
        for shop_id in (shop.id, shop.id, other.id)
    ]

    assert news == [True, False, True]
    assert (await count_open(tx))["sales_rep_missing"] == before + 2


async def test_can_be_raised_again_when_it_was_seen(tx: Transaction, clock: FrozenClock) -> None:
    shop = await make_shop(tx)

    async def raise_it(message: str) -> bool:
        return await raise_alert(
            tx, shop_id=shop.id, kind="stuck", message=message, order_id=1, now=clock.now()
        )

    assert await raise_it("one")
    (first,) = await list_alerts(tx, shop_id=shop.id)
    clock.move(timedelta(minutes=5))
    seen: dict[str, Any] = {
        "shop_id": shop.id,
        "alert_ids": [first.id],
        "by": "Ann",
        "now": clock.now(),
    }
    assert await mark_seen(tx, **seen) == 1
    assert await mark_seen(tx, **seen) == 0
    assert await list_alerts(tx, shop_id=shop.id) == []
    assert await raise_it("two")

    both = await list_alerts(tx, shop_id=shop.id, seen=None)
    assert [(a.message, a.seen_by, a.seen_at) for a in both] == [
        ("two", "", None),
        ("one", "Ann", clock.now()),
    ]
    assert await list_alerts(tx, shop_id=shop.id, seen=True) == both[1:]


async def test_of_another_shop_is_like_one_that_is_not_there(
    tx: Transaction, clock: FrozenClock
) -> None:
    shop, other = await make_shop(tx), await make_shop(tx)
    await raise_alert(tx, shop_id=shop.id, kind="stuck", message="Stuck.", now=clock.now())
    (alert,) = await list_alerts(tx, shop_id=shop.id)

    assert await read_alert(tx, alert_id=alert.id) == alert
    with pytest.raises(NotFound):
        await read_alert(tx, alert_id=alert.id, shop_id=other.id)
    seen: dict[str, Any] = {"alert_ids": [alert.id], "by": "Ann", "now": clock.now()}
    assert await mark_seen(tx, shop_id=other.id, **seen) == 0
    assert await mark_seen(tx, shop_id=other.id, **(seen | {"alert_ids": None})) == 0
    assert await list_alerts(tx, shop_id=shop.id) == [alert]


async def test_raised_by_two_at_once_is_one(
    database: Database, shop: ShopFixture, clock: FrozenClock
) -> None:
    async def raise_it(tx: Transaction) -> bool:
        return await raise_alert(
            tx, shop_id=shop.id, kind="stuck", message="Stuck.", now=clock.now()
        )

    async def second() -> bool:
        async with database.begin() as tx:
            return await raise_it(tx)

    async with database.begin() as first:
        assert await raise_it(first)
        late = asyncio.create_task(second())
        await waiting_for_a_lock(database, behind=first)
    assert not await late

    async with database.statement() as tx:
        assert len(await list_alerts(tx, shop_id=shop.id)) == 1
        assert len(await _events(tx, shop)) == 1
