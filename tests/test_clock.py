"""Time: units, deadlines, and the map from the kernel's wall clock."""

import time

from hil import clock
from hil.testing.fake_clock import FakeClock


def test_seconds_and_nanoseconds_are_inverse() -> None:
    """1.5 s are 1 500 000 000 ns and back."""
    assert clock.to_ns(1.5) == 1_500_000_000
    assert clock.to_s(1_500_000_000) == 1.5


def test_a_deadline_passes_when_its_time_has_come() -> None:
    """Seconds left count down to zero and not below."""
    fake = FakeClock()
    deadline = clock.Deadline(2.0, fake)
    fake.advance(1.5)
    assert (deadline.left_s, deadline.passed) == (0.5, False)
    fake.advance(1.0)
    assert (deadline.left_s, deadline.passed) == (0.0, True)


def test_the_wall_clock_maps_to_monotonic_within_its_bound() -> None:
    """A wall-clock reading, mapped, lies between two monotonic readings around it, give or take the bound."""
    offset_ns, bound_ns = clock.realtime_offset_ns()
    before_ns = clock.now_ns()
    mapped_ns = time.time_ns() + offset_ns
    after_ns = clock.now_ns()
    assert before_ns - bound_ns <= mapped_ns <= after_ns + bound_ns
