"""Guessing is slowed: per account, per source, doubling, shared by all workers, forgiven by success."""

from datetime import timedelta

import pytest

from crossdock.errors import Unavailable
from crossdock.shop.people.attempts import (
    Limits,
    _words,
    begin_attempt,
    end_attempt,
    password_attempt,
)
from tests.support.factories import box

LIMITS = Limits(free_failures=3, longest_wait_s=60)


@pytest.fixture
def attempt(tx, clock):
    """Count one attempt; 0, or the seconds to wait."""

    async def run(email="a@x.example", source="192.0.2.1", *, succeeds=False):
        made = password_attempt(box(), email=email, source=source)
        try:
            await begin_attempt(tx, attempt=made, limits=LIMITS, now=clock.now())
        except Unavailable as held:
            return held.data["retry_after_s"]
        if succeeds:
            await end_attempt(tx, attempt=made, now=clock.now())
        return 0

    return run


async def test_each_failure_beyond_the_free_ones_doubles_the_wait(attempt, clock):
    assert [await attempt() for _ in range(3)] == [0, 0, 0]

    waits = []
    for _ in range(6):
        waits.append(await attempt())
        clock.move(timedelta(seconds=waits[-1]))
        assert await attempt() == 0

    assert waits == [4, 8, 16, 32, 60, 60]


async def test_waiting_less_is_not_enough_and_costs_nothing(attempt, clock):
    for _ in range(3):
        await attempt()

    clock.move(timedelta(seconds=3))

    assert await attempt() == 1
    assert await attempt() == 1
    clock.move(timedelta(seconds=1))
    assert await attempt() == 0


async def test_the_wait_is_told_in_whole_seconds_and_minutes():
    told = {seconds: _words(seconds) for seconds in (1, 2, 59, 60, 61, 120, 121)}
    assert told == {
        1: "a second",
        2: "2 seconds",
        59: "59 seconds",
        60: "a minute",
        61: "2 minutes",
        120: "2 minutes",
        121: "3 minutes",
    }


async def test_an_account_is_slowed_wherever_the_guesses_come_from(attempt):
    for number in range(3):
        assert await attempt(source=f"192.0.2.{number}") == 0

    assert await attempt(source="192.0.2.99") == 4
    assert await attempt(email="b@x.example", source="192.0.2.99") == 0


async def test_a_source_is_slowed_whatever_accounts_it_tries(attempt):
    for number in range(18):
        assert await attempt(email=f"{number}@x.example", source="192.0.2.50") == 0

    assert await attempt(email="19@x.example", source="192.0.2.50") == 4
    assert await attempt(email="19@x.example", source="192.0.2.51") == 0


async def test_one_ipv6_customer_is_one_source(attempt):
    for number in range(18):
        assert await attempt(email=f"{number}@x.example", source=f"2001:db8:1:2::{number:x}") == 0

    assert await attempt(email="y@x.example", source="2001:db8:1:2:ffff::1") == 4
    assert await attempt(email="y@x.example", source="2001:db8:1:3::1") == 0


async def test_success_clears_the_account_and_costs_the_source_nothing(attempt):
    for _ in range(40):
        assert await attempt(succeeds=True) == 0
    for _ in range(8):
        assert await attempt() == 0
        assert await attempt() == 0
        assert await attempt(succeeds=True) == 0


async def test_failures_are_forgotten_after_a_day(attempt, clock):
    for _ in range(3):
        await attempt()
    clock.move(timedelta(days=1, seconds=1))

    assert [await attempt() for _ in range(3)] == [0, 0, 0]


async def test_the_table_knows_neither_e_mail_nor_address(attempt, tx):
    await attempt(email="secret-name@x.example", source="192.0.2.77")

    rows = await tx.all("select to_jsonb(a)::text, key_hash from sign_in_attempts a")

    assert all(len(row[1]) == 32 for row in rows)
    assert not any("secret-name" in row[0] or "192.0.2.77" in row[0] for row in rows)


async def test_a_source_that_waits_writes_no_row_for_the_accounts_it_tries(attempt, tx):
    for number in range(18):
        await attempt(email=f"{number}@x.example", source="192.0.2.60")
    before = await tx.all("select key_hash, failures, last_at from sign_in_attempts order by 1")

    for number in range(20, 30):
        assert await attempt(email=f"{number}@x.example", source="192.0.2.60") == 4

    after = await tx.all("select key_hash, failures, last_at from sign_in_attempts order by 1")
    assert after == before
