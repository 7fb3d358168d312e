"""Counting failed proofs: who has to wait, and how long."""

from datetime import timedelta

import pytest

from crossdock.errors import Unavailable
from crossdock.shop.partners.guesses import Counted, Guesses
from tests.conftest import NOON

PAIR, SOURCE = Counted("pair", 3), Counted("source", 6)


@pytest.fixture
def guesses() -> Guesses:
    return Guesses(longest_wait_s=60)


def wait(guesses: Guesses, *counted: Counted, at=NOON) -> int:
    """0 when the proof may go on, else the seconds to wait."""
    try:
        guesses.begin(counted, now=at)
    except Unavailable as error:
        return int(error.data["retry_after_s"])
    return 0


def test_the_wait_doubles_up_to_the_longest(guesses):
    for _ in range(2):
        assert wait(guesses, PAIR) == 0
    at, waits = NOON, []
    for _ in range(6):
        assert wait(guesses, PAIR, at=at) == 0
        waits.append(wait(guesses, PAIR, at=at))
        at += timedelta(seconds=waits[-1])

    assert waits == [4, 8, 16, 32, 60, 60]


def test_who_waits_is_not_counted_again(guesses):
    for _ in range(3):
        wait(guesses, PAIR)

    assert [wait(guesses, PAIR) for _ in range(5)] == [4] * 5
    assert wait(guesses, PAIR, at=NOON + timedelta(seconds=1)) == 3


def test_each_of_what_is_counted_holds_back(guesses):
    for number in range(6):
        assert wait(guesses, Counted(f"pair {number}", 3), SOURCE) == 0

    assert wait(guesses, Counted("pair 7", 3), SOURCE) == 4
    assert wait(guesses, Counted("pair 7", 3)) == 0


def test_success_clears_the_first_and_costs_the_others_nothing(guesses):
    for _ in range(40):
        assert wait(guesses, PAIR, SOURCE) == 0
        guesses.forgive((PAIR, SOURCE))
    for _ in range(2):
        assert wait(guesses, PAIR, SOURCE) == 0


def test_a_quiet_day_clears_everything(guesses):
    for _ in range(3):
        wait(guesses, PAIR)

    later = NOON + timedelta(days=1, seconds=1)
    assert [wait(guesses, PAIR, at=later) for _ in range(3)] == [0, 0, 0]
    assert wait(guesses, PAIR, at=later) == 4


def test_a_flood_of_names_takes_no_more_room_than_there_is(guesses):
    for number in range(10_100):
        wait(guesses, Counted(str(number), 3))

    assert len(guesses._counts) == 10_000
