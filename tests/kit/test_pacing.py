"""What is paced..."""

from datetime import timedelta

from crossdock.kit.clock import FrozenClock
from crossdock.kit.pacing import Pace, Pacer
from tests.conftest import NOON


def taken(pacer: Pacer, name: str) -> Pace:
    """One more of this name, which has a limit."""
    found = pacer.take(name)
    assert found is not None
    return found


def test_is_let_through_so_many_at_once_and_then_steadily():
    clock = FrozenClock(NOON)
    pacer = Pacer(clock, per_minute=3)
    found = [taken(pacer, "a") for _ in range(4)]
    assert [(each.left, each.retry_after_s) for each in found] == [(2, 0), (1, 0), (0, 0), (0, 20)]
    assert [(each.full_at - NOON).total_seconds() for each in found] == [20, 40, 60, 60]
    assert {each.per_minute for each in found} == {3}
    clock.move(timedelta(seconds=19))
    assert taken(pacer, "a").retry_after_s == 1
    clock.move(timedelta(seconds=1))
    assert (taken(pacer, "a").left, taken(pacer, "a").retry_after_s) == (0, 20)
    clock.move(timedelta(seconds=60))
    assert taken(pacer, "a").left == 2


def test_is_counted_for_each_name():
    pacer = Pacer(FrozenClock(NOON), per_minute=1)
    assert [taken(pacer, name).retry_after_s for name in "aba"] == [0, 0, 60]


def test_is_never_stopped_without_a_limit():
    pacer = Pacer(FrozenClock(NOON), per_minute=0)
    assert [pacer.take("a") for _ in range(5)] == [None] * 5


def test_is_stopped_for_no_more_than_a_minute_by_a_clock_that_is_set_back():
    clock = FrozenClock(NOON)
    pacer = Pacer(clock, per_minute=2)
    taken(pacer, "a")
    taken(pacer, "a")
    clock.move(timedelta(hours=-1))
    assert taken(pacer, "a").retry_after_s == 30
    clock.move(timedelta(seconds=30))
    assert taken(pacer, "a").retry_after_s == 0


def test_forgets_names_rather_than_grow(monkeypatch):
    monkeypatch.setattr("crossdock.kit.pacing._COUNTED_MAX", 2)
    pacer = Pacer(FrozenClock(NOON), per_minute=1)
    for name in "abc":
        taken(pacer, name)
    assert [taken(pacer, name).retry_after_s for name in "cab"] == [60, 0, 0]
