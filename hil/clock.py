"""The only module that reads time.

Every instant in hil is CLOCK_MONOTONIC in integer nanoseconds (``*_ns``), every duration a float in
seconds (``*_s``). The kernel stamps packets with CLOCK_REALTIME; :func:`realtime_offset_ns` maps them.
"""

import time
from typing import Protocol

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


class Clock(Protocol):
    """What a caller needs of time; ``hil.testing.FakeClock`` is the other implementation."""

    def now_ns(self) -> int:
        """CLOCK_MONOTONIC, nanoseconds."""

    def sleep(self, duration_s: float) -> None:
        """Let ``duration_s`` pass; only for pacing what has no event to wait for."""


class MonotonicClock:
    """The machine's own clock."""

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def sleep(self, duration_s: float) -> None:
        time.sleep(duration_s)


now_ns = time.monotonic_ns
"""CLOCK_MONOTONIC, nanoseconds."""


def to_ns(duration_s: float) -> int:
    """A duration in seconds as whole nanoseconds."""
    return round(duration_s * NS_PER_S)


def to_s(duration_ns: int) -> float:
    """A duration in nanoseconds as seconds."""
    return duration_ns / NS_PER_S


def realtime_offset_ns() -> tuple[int, int]:
    """CLOCK_MONOTONIC minus CLOCK_REALTIME, and the error bound of that difference, in nanoseconds.

    The tightest of five readings is taken, each between two readings of the monotonic clock.
    """
    best: tuple[int, int] | None = None
    for _ in range(5):
        before = time.monotonic_ns()
        real = time.time_ns()
        after = time.monotonic_ns()
        bound = (after - before) // 2 + 1
        if best is None or bound < best[1]:
            best = ((before + after) // 2 - real, bound)
    assert best is not None
    return best


class Deadline:
    """An instant by which something must have happened."""

    def __init__(self, within_s: float, clock: Clock | None = None) -> None:
        self._clock = clock or MonotonicClock()
        self.within_s = within_s
        self.at_ns = self._clock.now_ns() + to_ns(within_s)

    @property
    def left_s(self) -> float:
        """Seconds left; never negative."""
        return max(0.0, to_s(self.at_ns - self._clock.now_ns()))

    @property
    def passed(self) -> bool:
        return self._clock.now_ns() >= self.at_ns
