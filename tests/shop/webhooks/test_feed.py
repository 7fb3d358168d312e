"""The feed of what happened..."""

from datetime import UTC, datetime, timedelta

from crossdock.shop.webhooks import FEED_DAYS, Message, purge_webhook_feeds, resume_webhook
from tests.support.factories import make_shop
from tests.support.hooked import ALERTED, DIALECT


async def test_has_the_same_events_by_number_without_gap_or_repeat(hook):
    await hook.add()
    for count in (3, 1, 2):
        await hook.happen(count)
        await hook.work()

    items = await hook.feed()
    assert [item.sequence for item in items] == [1, 2, 3, 4, 5, 6]
    told = [request.json()["data"] for request in hook.receiver.requests]
    assert sorted(map(str, told)) == sorted(str(item.data) for item in items)
    assert {item.name for item in items} == {ALERTED}
    assert [item.sequence for item in await hook.feed(after=4)] == [5, 6]


async def test_goes_on_while_a_subscription_is_paused(hook):
    made, _ = await hook.add()
    async with hook.db.begin() as tx:
        await tx.run("update webhook_subscriptions set paused_at = now() where id = %s", (made.id,))
    await hook.happen(2)
    assert await hook.work() == []
    assert len(await hook.feed()) == 2

    async with hook.db.begin() as tx:
        await resume_webhook(
            tx, dialect=DIALECT, shop_id=hook.shop.id, subscription_id=made.id,
            now=hook.clock.now(),
        )  # fmt: skip
    await hook.happen()
    assert await hook.work() == ["sent"]
    assert len(await hook.feed()) == 3


async def test_is_not_kept_where_nobody_could_read_it(hook):
    await hook.happen()
    await hook.work()
    assert await hook.feed() == []


async def test_is_of_one_shop(hook, database):
    await hook.add()
    await hook.happen()
    await hook.work()
    async with database.begin() as tx:
        other = await make_shop(tx)
    mine, hook.shop = hook.shop, other
    assert await hook.feed() == []
    hook.shop = mine
    assert len(await hook.feed()) == 1


async def test_is_kept_ninety_days_and_its_numbers_go_on(hook):
    await hook.add()
    await hook.happen(2)
    await hook.work()
    async with hook.db.begin() as tx:
        noted = datetime.now(UTC) - timedelta(days=FEED_DAYS, hours=1)
        await tx.run(
            "update webhook_events set noted_at = %s where shop_id = %s", (noted, hook.shop.id)
        )
        await purge_webhook_feeds(tx, now=datetime.now(UTC) - timedelta(days=1))
    assert len(await hook.feed()) == 2

    async with hook.db.begin() as tx:
        await purge_webhook_feeds(tx, now=datetime.now(UTC) + timedelta(days=365))
    assert await hook.feed() == []
    await hook.happen()
    await hook.work()
    assert [item.sequence for item in await hook.feed()] == [3]


async def test_is_read_in_several_transactions_where_the_channel_says_so(hook):
    await hook.add()
    await hook.happen(3)

    async def one_by_one(tx, *, batch):
        first = batch.events[0]
        message = Message(name=ALERTED, data={"n": first.subject_id}, happened_at=first.created_at)
        return [message], first.sequence

    hook.dialect = type(DIALECT)(
        **{name: getattr(DIALECT, name) for name in DIALECT.__struct_fields__}
        | {"read": one_by_one}
    )
    assert await hook.work() == ["sent"] * 3
    assert [item.sequence for item in await hook.feed()] == [1, 2, 3]
