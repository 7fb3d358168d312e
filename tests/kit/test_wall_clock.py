"""The wall clock that was set is told by the monotonic one beside it."""

from crossdock.kit.clock import WallClock


def test_a_step_is_told_once_and_the_passing_of_time_is_none():
    wall, monotonic = [1_000.0], [5.0]
    clock = WallClock(wall=lambda: wall[0], monotonic=lambda: monotonic[0])

    wall[0], monotonic[0] = 1_060.0, 65.0
    assert clock.was_set_by_s() == 0

    wall[0], monotonic[0] = -2_535.0, 70.0
    assert clock.was_set_by_s() == -3_600
    assert clock.was_set_by_s() == 0

    wall[0] += 86_400
    assert clock.was_set_by_s() == 86_400
