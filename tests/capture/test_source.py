"""Stamps of the kernel's real-time clock, mapped."""

import time

from hil.capture.source import Moment, RealtimeMap
from hil.clock import now_ns


def test_real_time_is_mapped_within_its_error() -> None:
    """A stamp taken now lies between two monotonic readings, give or take the error."""
    clock = RealtimeMap()
    before = now_ns()
    real = time.time_ns()
    after = now_ns()
    mapped = clock.moment(real, Moment(after, 0))
    assert before - mapped.err_ns <= mapped.t_ns <= after + mapped.err_ns


def test_stamp_after_the_reading_is_only_as_good_as_the_reading() -> None:
    """The kernel stamps at reading what it had not stamped: the bound reaches back over the reading's own."""
    clock = RealtimeMap()
    reading = Moment(now_ns(), 7_000_000)
    mapped = clock.moment(time.time_ns() + 1_000_000, reading)
    assert mapped.t_ns - mapped.err_ns <= reading.t_ns - reading.err_ns


def test_real_time_of_a_moment_is_the_inverse() -> None:
    """Mapping there and back gives the same instant."""
    clock = RealtimeMap()
    now = Moment(now_ns(), 0)
    assert clock.moment(clock.real_ns(now), now).t_ns == now.t_ns
