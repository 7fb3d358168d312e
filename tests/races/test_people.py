"""Guesses and changes of staff at the same moment: the later one waits and then knows."""

import asyncio

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused, Unavailable
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.people import disable_person, list_people
from crossdock.shop.people.attempts import Attempt, Limits, begin_attempt, password_attempt
from tests.support.factories import box, make_shop
from tests.support.locks import waiting_for_a_lock
from tests.support.people import make_person

pytestmark = pytest.mark.races

LIMITS = Limits(free_failures=2, longest_wait_s=60)


async def test_a_guess_that_waits_for_another_is_counted_after_it(
    database: Database, clock: FrozenClock
) -> None:
    name = RandomIds().random_token(10)
    attempt = password_attempt(box(), email=f"{name}@x.example", source=name)

    async def guess(tx: Transaction) -> None:
        await begin_attempt(tx, attempt=attempt, limits=LIMITS, now=clock.now())

    async def beside() -> None:
        async with database.begin() as tx:
            await guess(tx)

    await beside()
    async with database.begin() as tx:
        # As one that has its rows locked and counts in them next.
        locked = "select 1 from sign_in_attempts where key_hash = any(%s) for no key update"
        await tx.run(locked, ([attempt.account, attempt.source],))
        third = asyncio.create_task(beside())
        await waiting_for_a_lock(database, behind=tx)
        await guess(tx)
    with pytest.raises(Unavailable) as held:
        await third

    assert (held.value.code, held.value.data) == ("rate_limited", {"retry_after_s": 4})
    async with database.statement() as tx:
        counted = "select failures from sign_in_attempts where key_hash = %s"
        assert await tx.value(counted, (attempt.account,)) == 2
        assert await tx.value(counted, (attempt.source,)) == 2


async def test_a_guess_that_is_refused_after_it_waited_leaves_no_row(
    database: Database, clock: FrozenClock
) -> None:
    name = RandomIds().random_token(10)
    here, there = [
        password_attempt(box(), email=f"{name}@x.example", source=f"{name}{place}")
        for place in ("here", "there")
    ]

    async def guess(tx: Transaction, attempt: Attempt) -> None:
        await begin_attempt(tx, attempt=attempt, limits=LIMITS, now=clock.now())

    async with database.begin() as tx:
        await guess(tx, here)
    async with database.begin() as tx:
        locked = "select 1 from sign_in_attempts where key_hash = any(%s) for no key update"
        await tx.run(locked, ([here.account],))

        async def from_there() -> None:
            async with database.begin() as other:
                with pytest.raises(Unavailable):
                    await guess(other, there)

        refused = asyncio.create_task(from_there())
        await waiting_for_a_lock(database, behind=tx)
        await guess(tx, here)
    await refused

    async with database.statement() as tx:
        counted = "select count(*) from sign_in_attempts where key_hash = any(%s)"
        assert await tx.value(counted, ([here.account, here.source],)) == 2
        assert await tx.value(counted, ([there.source],)) == 0


async def test_a_guess_that_has_to_wait_is_told_so_beside_one_that_is_counted(
    database: Database, clock: FrozenClock
) -> None:
    """By the account alone: from there nobody has guessed too often yet."""
    name = RandomIds().random_token(10)
    here, there, other = [
        password_attempt(box(), email=f"{account}@x.example", source=f"{name}{place}")
        for account, place in ((name, "here"), (name, "there"), (f"{name}2", "there"))
    ]

    async def guess(attempt: Attempt) -> None:
        async with database.begin() as tx:
            await begin_attempt(tx, attempt=attempt, limits=LIMITS, now=clock.now())

    for attempt in (here, here, other):
        await guess(attempt)
    async with database.begin() as tx:
        locked = "select 1 from sign_in_attempts where key_hash = any(%s) for no key update"
        await tx.run(locked, ([there.account],))
        with pytest.raises(Unavailable, match="rate_limited"):
            await asyncio.wait_for(guess(there), timeout=5)


async def test_of_two_owners_that_are_disabled_at_once_one_stays(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        first, second = [await make_person(tx, shop_id=shop.id, role="owner") for _ in range(2)]

    async def disable() -> None:
        async with database.begin() as tx:
            await disable_person(tx, person_id=second.id)

    async with database.begin() as tx:
        await disable_person(tx, person_id=first.id)
        disabling = asyncio.create_task(disable())
        await waiting_for_a_lock(database, behind=tx)
    with pytest.raises(Refused, match="last owner"):
        await disabling

    async with database.statement() as tx:
        active = {person.id: person.active for person in await list_people(tx, shop_id=shop.id)}
    assert active == {first.id: False, second.id: True}
