"""How long ago something that epoll reports can have happened.

What is found without waiting came after the descriptor was last known to be empty. What ends a wait came when the
process was made runnable: the kernel counts the time a thread is runnable and not running (``run_delay``, second
field of /proc/thread-self/schedstat, Documentation/scheduler/sched-stats.rst), so the instant is the end of the wait
less that delay. The loop must be the only thread of its process that does more than wait in the kernel: a wait for the
interpreter's lock is not counted. A kernel without the counter leaves the first bound, and the loop then waits in short
rounds.
"""

import os

from hil.capture.source import Moment
from hil.clock import NS_PER_MS, now_ns

WAKE_NS = NS_PER_MS // 5
"""From the interrupt to the thread being runnable: idle exit, softirq."""
EMULATED_WAKE_NS = 5 * NS_PER_MS
"""The same where every instruction is emulated, some twenty times as slowly."""
BLIND_ROUND_S = 0.05
"""Longest wait where ``run_delay`` is not counted."""


class RunDelay:
    """The thread's own time spent runnable and not running, in nanoseconds; belongs to the thread that makes it."""

    def __init__(self, path: str = "/proc/thread-self/schedstat") -> None:
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._fd = -1

    @property
    def counted(self) -> bool:
        return self._fd >= 0

    def read_ns(self) -> int:
        if self._fd < 0:
            return 0
        return int(os.pread(self._fd, 64, 0).split()[1])

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Arrivals:
    """Bounds for every descriptor of one epoll set.

    Args:
        run_delay: of the thread that waits.
        wake_ns: longest time from what ends a wait to the thread being runnable.
    """

    def __init__(self, run_delay: RunDelay, wake_ns: int = WAKE_NS) -> None:
        self._delay = run_delay
        self._counted = run_delay.counted
        self._wake_ns = wake_ns
        self._looked_ns = now_ns()
        self._before_ns = self._looked_ns
        self._woken_ns = 0
        self._delay_ns = 0
        self._round = 0
        self._emptied: dict[int, tuple[int, int]] = {}

    @property
    def longest_wait_s(self) -> float:
        return 3600.0 if self._counted else BLIND_ROUND_S

    def looked(self) -> None:
        """About to ask epoll without waiting."""
        self._round += 1
        self._before_ns, self._looked_ns = self._looked_ns, now_ns()
        self._woken_ns = 0

    def waiting(self) -> None:
        """Nothing was ready; about to wait."""
        self._before_ns = self._looked_ns
        self._delay_ns = self._delay.read_ns()

    def woke(self) -> None:
        """The wait ended."""
        if self._counted:
            self._woken_ns = now_ns() - (self._delay.read_ns() - self._delay_ns) - self._wake_ns

    def moment(self, fd: int) -> Moment:
        """Of reading ``fd`` now."""
        t_ns = now_ns()
        round_, empty_ns = self._emptied.get(fd, (-1, 0))
        since_ns = empty_ns if round_ == self._round - 1 else self._before_ns
        since_ns = max(since_ns, self._woken_ns)
        return Moment(t_ns, max(0, t_ns - since_ns))

    def added(self, fd: int, since_ns: int) -> None:
        """``fd`` was empty at ``since_ns``."""
        self._emptied[fd] = (self._round, since_ns)

    def emptied(self, fd: int, now: Moment, more: bool) -> None:
        """``fd`` was read at ``now``; ``more`` if it still holds something that came earlier."""
        self._emptied[fd] = (self._round, now.t_ns - now.err_ns if more else now.t_ns)

    def forget(self, fd: int) -> None:
        self._emptied.pop(fd, None)
