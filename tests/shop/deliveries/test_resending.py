"""What has failed is sent again by hand: one, or all of a time range."""

from datetime import timedelta

import pytest

from crossdock.errors import NotFound, Refused
from crossdock.shop.deliveries import (
    deliver_due,
    repeat_delivery,
    resend_delivery,
    resend_failed,
    withdraw_by_id,
)
from tests.shop.deliveries.conftest import KIND
from tests.support.simulators.http import Reply


@pytest.fixture
def failed(engine, box, receiver):
    """The ids of deliveries that failed at once, queued a minute apart."""

    async def make(*targets: str) -> list[int]:
        ids = []
        for target in targets:
            receiver.moods[target] = [Reply(410)]
            ids.append(await box.put(target))
            await deliver_due(engine, limit=1, shop_id=box.shop_id)
            box.clock.move(timedelta(minutes=1))
        return ids

    return make


async def test_a_failed_one_begins_anew_and_its_log_goes_on(engine, box, failed, database):
    [delivery_id] = await failed("a")
    async with database.begin() as tx:
        await resend_delivery(tx, shop_id=box.shop_id, delivery_id=delivery_id, now=box.clock.now())
    row = await box.row(delivery_id)
    assert (row["status"], row["attempts"]) == ("queued", 0)
    assert await deliver_due(engine, limit=1, shop_id=box.shop_id) == {delivery_id: "sent"}
    log = await box.log(delivery_id)
    assert [(line["attempt"], line["outcome"]) for line in log] == [(1, "failed"), (1, "sent")]


async def test_one_that_has_not_failed_is_left(engine, box, database):
    delivery_id = await box.put()
    async with database.begin() as tx:
        with pytest.raises(Refused) as refusal:
            await resend_delivery(
                tx, shop_id=box.shop_id, delivery_id=delivery_id, now=box.clock.now()
            )
    assert refusal.value.code == "order_state"


async def test_of_a_range_the_first_moment_counts_and_the_last_does_not(box, failed, database):
    began = box.clock.now()
    ids = await failed("a", "b", "a", "b")
    async with database.begin() as tx:
        resent = await resend_failed(
            tx,
            shop_id=box.shop_id,
            now=box.clock.now(),
            since=began + timedelta(minutes=1),
            until=began + timedelta(minutes=3),
        )
    assert resent == ids[1:3]
    assert [await box.status(one) for one in ids] == ["failed", "queued", "queued", "failed"]


async def test_a_range_is_of_one_kind_and_target_where_they_are_named(box, failed, database):
    ids = await failed("a", "b", "a")
    async with database.begin() as tx:
        facts = {"shop_id": box.shop_id, "now": box.clock.now()}
        assert await resend_failed(tx, kind="another", **facts) == []
        assert await resend_failed(tx, kind="post", target="a", **facts) == [ids[0], ids[2]]
        assert await resend_failed(tx, **{**facts, "shop_id": box.shop_id + 1}) == []
        assert await resend_failed(tx, **facts) == [ids[1]]


async def test_one_that_arrived_is_repeated_under_its_number(engine, box, receiver, database):
    delivery_id = await box.put()
    await deliver_due(engine, limit=1, shop_id=box.shop_id)

    async def repeat(kind: str = KIND) -> bool:
        async with database.begin() as tx:
            return await repeat_delivery(
                tx, shop_id=box.shop_id, kind=kind, delivery_id=delivery_id, now=box.clock.now()
            )

    assert await repeat()
    assert not await repeat()
    row = await box.row(delivery_id)
    assert (row["status"], row["sent_at"], row["last_error"]) == ("queued", None, "resent by hand")
    assert await deliver_due(engine, limit=1, shop_id=box.shop_id) == {delivery_id: "sent"}
    assert [request.headers["delivery-id"] for request in receiver.requests] == [
        str(delivery_id)
    ] * 2
    with pytest.raises(NotFound):
        await repeat("another")


async def test_one_that_was_withdrawn_is_not_repeated(box, database):
    delivery_id = await box.put()
    async with database.begin() as tx:
        facts = {"shop_id": box.shop_id, "delivery_id": delivery_id, "now": box.clock.now()}
        await withdraw_by_id(tx, **facts)
        with pytest.raises(Refused):
            await repeat_delivery(tx, kind=KIND, **facts)
    assert await box.status(delivery_id) == "withdrawn"
