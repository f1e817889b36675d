"""Time that passes only when a test lets it."""

from hil.clock import to_ns


class FakeClock:
    """A :class:`hil.clock.Clock` that stands still until told; sleeping moves it on at once."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns
        self.slept_s: list[float] = []
        """Every duration that was slept, in order."""
        self.interrupt_next_sleep = False
        """Ctrl-C comes during the next sleep."""

    def now_ns(self) -> int:
        return self._now_ns

    def sleep(self, duration_s: float) -> None:
        if duration_s < 0:
            raise ValueError(f"sleep of {duration_s} s; a duration is never negative")
        if self.interrupt_next_sleep:
            self.interrupt_next_sleep = False
            raise KeyboardInterrupt
        self.slept_s.append(duration_s)
        self._now_ns += to_ns(duration_s)

    def advance(self, duration_s: float) -> None:
        """Let ``duration_s`` pass without anybody sleeping."""
        self.set(self._now_ns + to_ns(duration_s))

    def set(self, t_ns: int) -> None:
        """Make it ``t_ns``; a monotonic clock never goes back."""
        if t_ns < self._now_ns:
            raise ValueError(f"clock set to {t_ns} ns, before its {self._now_ns} ns")
        self._now_ns = t_ns
