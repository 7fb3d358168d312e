"""Workers take deliveries that are due: each one once, a few of each target, none that others hold."""

import asyncio
from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.shop.deliveries import (
    DeliveryKinds,
    claim_deliveries,
    claim_due,
    deliver_due,
)
from tests.support.locks import waiting_for_a_lock


async def test_two_workers_call_each_delivery_once(engine, box, receiver, database_url):
    ids = {await box.put(target) for target in "abcdef" for _ in range(5)}
    other = Database(database_url, min_size=1, max_size=4)
    await other.open()

    async def work(service) -> dict[int, str]:
        done: dict[int, str] = {}
        while len(done) < 30 and (now := await deliver_due(service, limit=7, shop_id=box.shop_id)):
            done |= now
        return done

    first, second = await asyncio.gather(
        work(engine), work(msgspec.structs.replace(engine, db=other))
    )
    while rest := await deliver_due(engine, limit=50, shop_id=box.shop_id):
        first |= rest
    await other.close()
    assert first.keys().isdisjoint(second)
    assert first | second == dict.fromkeys(ids, "sent")
    assert Counter(request.headers["delivery-id"] for request in receiver.requests) == Counter(
        map(str, ids)
    )


async def test_a_claim_waits_for_another_and_keeps_the_bound_with_it(engine, box, database, clock):
    for _ in range(5):
        await box.put()

    async def claim():
        return await claim_due(engine, limit=10, shop_id=box.shop_id)

    async with database.begin() as tx:
        first = await claim_deliveries(
            tx, kinds=engine.kinds, limit=2, due=clock.now(), now=clock.now(), shop_id=box.shop_id
        )
        second = asyncio.create_task(claim())
        await waiting_for_a_lock(database, behind=tx)
    taken = [claim.id for claim in (*first, *await second)]
    assert len(first) == 2
    assert len(set(taken)) == len(taken) == 3


async def test_only_so_many_calls_to_one_target_are_under_way(engine, box):
    ids = [await box.put() for _ in range(5)]
    first = await claim_due(engine, limit=100, shop_id=box.shop_id)
    assert [claim.id for claim in first] == ids[:3]
    assert await claim_due(engine, limit=100, shop_id=box.shop_id) == []


async def test_a_full_target_leaves_the_turns_to_others(engine, box):
    for _ in range(50):
        await box.put("crowded")
    quiet = await box.put("quiet")
    claims = await claim_due(engine, limit=2, shop_id=box.shop_id)
    assert {claim.target for claim in claims} == {"crowded", "quiet"}
    assert quiet in {claim.id for claim in claims}
    assert all(
        claim.target == "crowded" for claim in await claim_due(engine, limit=9, shop_id=box.shop_id)
    )


async def test_rows_that_somebody_holds_are_passed_over(engine, box, database):
    held, free = await box.put(), await box.put()
    async with database.begin() as tx:
        await tx.run("select 1 from deliveries where id = %s for no key update", (held,))
        claims = await claim_due(engine, limit=10, shop_id=box.shop_id)
    assert [claim.id for claim in claims] == [free]


async def test_what_is_not_due_yet_waits(engine, box, database, clock):
    later = await box.put()
    async with database.begin() as tx:
        await tx.run(
            "update deliveries set next_attempt_at = %s where id = %s",
            (clock.now() + timedelta(seconds=10), later),
        )
    clock.move(timedelta(seconds=9))
    assert await claim_due(engine, limit=10, shop_id=box.shop_id) == []
    clock.move(timedelta(seconds=1))
    assert [claim.id for claim in await claim_due(engine, limit=10, shop_id=box.shop_id)] == [later]


async def test_kinds_that_this_worker_does_not_know_are_left_alone(engine, box):
    await box.put(kind="unheard-of")
    known = await box.put()
    assert [claim.id for claim in await claim_due(engine, limit=10, shop_id=box.shop_id)] == [known]


async def test_a_claim_says_whether_the_other_side_may_have_it(engine, box, database, clock):
    delivery_id = await box.put()
    [first] = await claim_due(engine, limit=1, shop_id=box.shop_id)
    async with database.begin() as tx:
        await tx.run(
            "update deliveries set status = 'queued', next_attempt_at = %s where id = %s",
            (clock.now(), delivery_id),
        )
    [second] = await claim_due(engine, limit=1, shop_id=box.shop_id)
    assert [(claim.attempt, claim.may_exist) for claim in (first, second)] == [
        (1, False),
        (2, True),
    ]


async def test_a_claim_lasts_longer_than_the_call_may(engine, box, kind):
    delivery_id = await box.put()
    await claim_due(engine, limit=1, shop_id=box.shop_id)
    assert await box.due_in_s(delivery_id) == kind.claim_s == kind.deadline_s + 120


async def test_without_a_clock_of_its_own_turns_come_by_the_database_s(engine, box, database):
    """A shop whose clock stands still, or is ahead, sends all the same."""
    service = msgspec.structs.replace(engine, turns=None)
    box.clock.move(timedelta(days=3650))
    delivery_id = await box.put()
    claims = await claim_due(service, limit=1, shop_id=box.shop_id)
    assert [claim.id for claim in claims] == [delivery_id]


async def test_a_kind_is_registered_once(kind):
    kinds = DeliveryKinds([kind])
    with pytest.raises(ValueError, match="'post' already"):
        kinds.add(kind)
