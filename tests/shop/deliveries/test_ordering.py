"""Deliveries of one object: in order, or only the newest, where the kind asks for it."""

from datetime import timedelta

import msgspec
import pytest

from crossdock.shop.deliveries import DeliveryKinds, claim_due, deliver, deliver_due, resend_failed
from tests.support.simulators.http import Reply


@pytest.fixture
def ordered(engine, kind):
    """The engine with the kind's ordering as given."""

    def with_ordering(ordering):
        changed = msgspec.structs.replace(kind, ordering=ordering)
        return msgspec.structs.replace(engine, kinds=DeliveryKinds([changed]))

    return with_ordering


async def _ids(engine, box):
    return [claim.id for claim in await claim_due(engine, limit=20, shop_id=box.shop_id)]


async def test_without_an_order_nothing_waits(engine, box):
    ids = [await box.put(key="order:1") for _ in range(3)]
    assert await _ids(engine, box) == ids


async def test_in_order_a_later_one_waits_until_the_earlier_is_sent(ordered, box, receiver):
    engine = ordered("in_order")
    for key in ("order:1", "order:1", "order:2", "order:1"):
        await box.put(key=key)
    rounds = []
    while done := await deliver_due(engine, limit=20, shop_id=box.shop_id):
        rounds.append(len(done))
    assert rounds == [2, 1, 1]
    of_first = [payload["number"] for _, payload in receiver.arrived if payload["number"] != 3]
    assert of_first == [1, 2, 4]


async def test_in_order_holds_while_a_retry_waits_and_not_after_a_failure(
    ordered, box, receiver, clock
):
    engine = ordered("in_order")
    receiver.moods["a"] = [Reply(503), Reply(410)]
    first, second = await box.put(key="k"), await box.put(key="k")
    await deliver_due(engine, limit=20, shop_id=box.shop_id)
    assert await _ids(engine, box) == []
    clock.move(timedelta(seconds=10))
    assert await deliver_due(engine, limit=20, shop_id=box.shop_id) == {first: "failed"}
    assert await deliver_due(engine, limit=20, shop_id=box.shop_id) == {second: "sent"}


async def test_order_is_kept_for_each_target_alone(ordered, box):
    engine = ordered("in_order")
    ids = [await box.put("a", key="k"), await box.put("b", key="k")]
    assert await _ids(engine, box) == ids


async def test_the_newest_takes_the_place_of_those_that_wait(ordered, box, receiver):
    engine = ordered("newest_wins")
    old, older, newest = [await box.put(key="k") for _ in range(3)]
    while await deliver_due(engine, limit=20, shop_id=box.shop_id):
        pass
    assert [await box.status(one) for one in (old, older, newest)] == [
        "withdrawn",
        "withdrawn",
        "sent",
    ]
    assert [payload["number"] for _, payload in receiver.arrived] == [3]
    assert (await box.row(old))["last_error"] == "a newer one of the same object took its place"


async def test_the_newest_waits_for_one_that_is_under_way(ordered, box, receiver):
    """Otherwise the older one could arrive after it."""
    engine = ordered("newest_wins")
    await box.put(key="k")
    [under_way] = await claim_due(engine, limit=1, shop_id=box.shop_id)
    newest = await box.put(key="k")
    assert await _ids(engine, box) == []
    await deliver(engine, under_way)
    assert await deliver_due(engine, limit=9, shop_id=box.shop_id) == {newest: "sent"}
    assert [payload["number"] for _, payload in receiver.arrived] == [1, 2]


async def test_the_newest_takes_the_place_of_one_that_waits_for_its_retry(ordered, box, receiver):
    engine = ordered("newest_wins")
    receiver.moods["a"] = [Reply(503)]
    old = await box.put(key="k")
    await deliver_due(engine, limit=9, shop_id=box.shop_id)
    newest = await box.put(key="k")
    assert await deliver_due(engine, limit=9, shop_id=box.shop_id) == {newest: "sent"}
    assert await box.status(old) == "withdrawn"


async def test_an_old_state_that_is_sent_again_never_follows_a_newer_one(
    ordered, box, receiver, database, clock
):
    engine = ordered("newest_wins")
    receiver.moods["a"] = [Reply(410)]
    old = await box.put(key="k")
    await deliver_due(engine, limit=9, shop_id=box.shop_id)
    newest = await box.put(key="k")
    await deliver_due(engine, limit=9, shop_id=box.shop_id)
    async with database.begin() as tx:
        assert await resend_failed(tx, shop_id=box.shop_id, now=clock.now()) == [old]
    assert await deliver_due(engine, limit=9, shop_id=box.shop_id) == {}
    assert [await box.status(one) for one in (old, newest)] == ["withdrawn", "sent"]


async def test_without_an_object_the_newest_replaces_nothing(ordered, box):
    engine = ordered("newest_wins")
    ids = [await box.put(), await box.put()]
    assert await _ids(engine, box) == ids
