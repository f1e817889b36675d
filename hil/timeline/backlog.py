"""Which lines of a log port may have waited on the board before anybody could read them.

A board keeps what it writes while its port is closed, or while the host has not raised DTR, and hands it over when it
can: what comes after an opening may be of any age. It has handed over everything once nothing comes for a while, or at
the latest some time after the opening (a FIFO of 64 KiB takes a tenth of a second at full speed).
"""

from hil.clock import to_ns

QUIET_S = 0.5
"""An open port that has brought nothing for so long holds nothing back."""
HANDED_OVER_S = 2.0
"""So long after its opening a port holds nothing back, even if its board never pauses."""
STALLED_S = 0.25
"""A reading known no better than this has found lines that waited on the host."""


class Backlog:
    """One port over all its openings; before the first one that is told of, it has just been opened."""

    def __init__(self) -> None:
        self._opened_ns: int | None = None
        self._latest_ns: int | None = None
        self._over = False
        self._ready = True

    def opened(self, t_ns: int, *, ready: bool = True) -> None:
        """The port was opened at ``t_ns``; ``ready`` is False where its board sees DTR low and may keep its lines."""
        self._opened_ns = self._latest_ns = t_ns
        self._over = False
        self._ready = ready

    def prompt(self, t_ns: int, err_ns: int) -> bool:
        """Whether what was read at ``t_ns`` had not waited for a reader; it came at most ``err_ns`` before."""
        came_ns = t_ns - err_ns
        if self._opened_ns is None or self._latest_ns is None:
            self._opened_ns = self._latest_ns = t_ns
        quiet = came_ns - self._latest_ns >= to_ns(QUIET_S)
        self._over = self._over or quiet or came_ns - self._opened_ns >= to_ns(HANDED_OVER_S)
        self._latest_ns = max(self._latest_ns, t_ns)
        return self._ready and self._over and err_ns <= to_ns(STALLED_S)
