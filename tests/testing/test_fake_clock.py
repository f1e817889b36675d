import pytest

from hil.clock import Clock, Deadline
from hil.testing.fake_clock import FakeClock


def test_time_passes_only_when_told():
    """Sleeping moves the clock on at once and is written down."""
    clock: Clock = FakeClock(start_ns=5)
    assert clock.now_ns() == clock.now_ns() == 5
    clock.sleep(0.5)
    assert clock.now_ns() == 500_000_005
    assert isinstance(clock, FakeClock)
    assert clock.slept_s == [0.5]
    clock.advance(1)
    clock.set(2_000_000_000)
    assert clock.now_ns() == 2_000_000_000


def test_a_deadline_passes_with_it():
    """Whoever takes a clock can be tested without waiting."""
    clock = FakeClock()
    deadline = Deadline(2.0, clock)
    clock.advance(1.5)
    assert deadline.left_s == 0.5
    clock.advance(0.5)
    assert deadline.passed


def test_a_monotonic_clock_never_goes_back():
    """Neither by setting it nor by sleeping a negative time."""
    clock = FakeClock(start_ns=10)
    with pytest.raises(ValueError, match="clock set to 9 ns, before its 10 ns"):
        clock.set(9)
    with pytest.raises(ValueError, match="sleep of -1 s; a duration is never negative"):
        clock.sleep(-1)
