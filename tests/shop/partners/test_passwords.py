"""Name and password: one hash for many calls, the same work for an unknown name."""

import asyncio
import statistics
import time
from datetime import timedelta

import pytest

from crossdock.errors import CrossdockError
from crossdock.kit.ids import RandomIds
from crossdock.kit.passwords import Hasher
from crossdock.shop.partners import Callers, Passwords, revoke_secrets, rotate_secret
from tests.support.factories import box


class CountingHasher(Hasher):
    """A hasher that knows how often it compared."""

    compared = 0

    async def verify(self, password: str, *, known: str | None) -> bool:
        self.compared += 1
        return await super().verify(password, known=known)


@pytest.fixture
def passwords(database, clock) -> Passwords:
    callers = Callers(database, channel="toy_tokens", box=box(), clock=clock)
    made = Passwords(callers, free_failures=1000, longest_wait_s=60)
    made._hasher = CountingHasher()
    return made


async def told(passwords: Passwords, name: str, password: str, *, source: str = "") -> str:
    """'' or the code of the refusal."""
    try:
        found = await passwords.verify(
            name=name, password=password, source=source, rate_limit_per_minute=0
        )
    except CrossdockError as error:
        return error.code
    assert found.public_key == name
    return ""


async def test_a_hundred_calls_at_once_compare_one_hash_once(passwords, user):
    answers = await asyncio.gather(*(told(passwords, user.key, user.secret) for _ in range(100)))

    assert set(answers) == {""}
    assert passwords._hasher.compared == 1


async def test_a_good_pair_is_remembered_for_five_minutes_alone(passwords, user, clock):
    assert await told(passwords, user.key, user.secret) == ""
    clock.move(timedelta(minutes=5) - timedelta(seconds=1))
    assert await told(passwords, user.key, user.secret) == ""
    assert passwords._hasher.compared == 1
    clock.move(timedelta(seconds=1))
    assert await told(passwords, user.key, user.secret) == ""
    assert passwords._hasher.compared == 2


async def test_what_is_remembered_ends_with_its_secret(passwords, user, clock, database):
    assert await told(passwords, user.key, user.secret) == ""
    async with database.begin() as tx:
        await revoke_secrets(tx, key=user.key, now=clock.now())

    assert await told(passwords, user.key, user.secret) == "credential_unknown"

    async with database.begin() as tx:
        fresh = await rotate_secret(
            tx, key=user.key, ids=RandomIds(), box=box(), now=clock.now(), overlap_s=0
        )
    assert await told(passwords, user.key, user.secret) == "credential_unknown"
    assert await told(passwords, user.key, fresh.secret) == ""


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("", ""),
        ("x" * 300, "p"),
        ("nul\x00", "p"),
        ("half \ud800", "half \udfff"),
        ("' or 1=1 --", "p"),
    ],
)
async def test_strange_pairs_are_unknown_after_the_same_work(passwords, name, password):
    assert await told(passwords, name, password) == "credential_unknown"
    assert passwords._hasher.compared == 1


async def test_half_a_character_is_a_wrong_password(passwords, user):
    assert await told(passwords, user.key, user.secret + "\ud800") == "credential_unknown"


async def test_one_ipv6_customer_is_one_source(database, clock, user):
    callers = Callers(database, channel="toy_tokens", box=box(), clock=clock)
    passwords = Passwords(callers, free_failures=2, longest_wait_s=60)

    answers = [
        await told(passwords, user.key, "wrong", source=f"2001:db8:1:2::{n}") for n in range(3)
    ]

    assert answers == ["credential_unknown", "credential_unknown", "rate_limited"]
    other = await told(passwords, user.key, "wrong", source="2001:db8:1:3::1")
    assert other == "credential_unknown"


@pytest.mark.slow
async def test_an_unknown_name_takes_as_long_as_a_wrong_password(passwords, user, add_caller):
    async def took(name: str, number: int) -> float:
        started = time.perf_counter()
        assert await told(passwords, name, f"no such boats {number}") == "credential_unknown"
        return time.perf_counter() - started

    await took("warm", 0)
    pairs = [(await took(user.key, n), await took(f"user_nobody{n}", n)) for n in range(7)]

    ratio = statistics.median(unknown / known for known, unknown in pairs)
    assert 0.5 < ratio < 2, pairs
