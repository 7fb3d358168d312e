"""An address whose calls fail..."""

from datetime import timedelta

import pytest

from crossdock.errors import Unavailable
from crossdock.kit.clock import FrozenClock
from crossdock.shop.partners import FailedCalls
from tests.conftest import NOON

HERE, THERE = "203.0.113.7", "203.0.113.8"


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOON)


def waits(failed: FailedCalls, address: str) -> int:
    """How long the address waits, in seconds; 0 if it may go on."""
    try:
        failed.check(address)
    except Unavailable as error:
        return int(error.data["retry_after_s"])
    return 0


def test_waits_after_as_many_as_a_minute_allows(clock):
    failed = FailedCalls(clock, per_minute=20)
    for _ in range(20):
        assert waits(failed, HERE) == 0
        failed.note(HERE)
    assert (waits(failed, HERE), waits(failed, THERE)) == (3, 0)
    clock.move(timedelta(seconds=2))
    assert waits(failed, HERE) == 1
    clock.move(timedelta(seconds=1))
    assert waits(failed, HERE) == 0
    failed.note(HERE)
    assert waits(failed, HERE) == 3
    clock.move(timedelta(minutes=1))
    for _ in range(20):
        failed.note(HERE)
    assert waits(failed, HERE) == 3


def test_never_waits_longer_than_for_the_next_call_whatever_the_clock_does(clock):
    failed = FailedCalls(clock, per_minute=2)
    for _ in range(50):
        failed.note(HERE)
    assert waits(failed, HERE) == 30
    clock.move(timedelta(hours=-5))
    assert waits(failed, HERE) <= 30


def test_counts_with_its_network_where_addresses_are_plenty(clock):
    failed = FailedCalls(clock, per_minute=1)
    failed.note("2001:db8:1:2::1")
    assert waits(failed, "2001:db8:1:2:ffff::9") == 60
    assert waits(failed, "2001:db8:1:3::1") == 0


def test_never_waits_without_a_limit(clock):
    failed = FailedCalls(clock, per_minute=0)
    for _ in range(100):
        failed.note(HERE)
    assert waits(failed, HERE) == 0
