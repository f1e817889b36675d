"""What the loop asks of a live channel, and how well the instant of a reading is known."""

import os
from pathlib import Path
from typing import Any

from msgspec import Struct

from hil.clock import now_ns, realtime_offset_ns
from hil.timeline.events import CaptureGap, Event

OPEN_END = -1.0
"""``CaptureGap.lasted_s`` of a gap whose end is not known: until the run ends."""
SYS = Path("/sys")


class Moment(Struct, frozen=True, gc=False):
    """The instant of a reading; what was read happened at most ``err_ns`` before it."""

    t_ns: int
    err_ns: int

    def stamp(self, board: str, source: str) -> dict[str, Any]:
        """The four stamp fields of an event."""
        return {"t_ns": self.t_ns, "t_err_ns": self.err_ns, "board": board, "source": source}


class Source:
    """One live descriptor. Bytes of any kind yield events; no byte may raise.

    ``read`` is called when the descriptor is readable and takes what is there without waiting; ``wake`` when
    ``deadline_ns`` has passed. Once ``ended`` is true the loop closes it and forgets it.
    """

    channel = ""

    def __init__(self, fd: int, board: str = "") -> None:
        self._fd = fd
        self.board = board
        self.ended = False
        self.more = False
        """The last ``read`` stopped before the descriptor was empty."""
        self.deadline_ns: int | None = None
        self.since_ns = now_ns()
        """An instant at which the descriptor held nothing yet."""

    def fileno(self) -> int:
        """-1 for a source that has no descriptor and lives on its deadlines."""
        return self._fd

    def read(self, now: Moment) -> list[Event]:
        raise NotImplementedError

    def afterwards(self) -> None:
        """What a reading leaves to do and no waiting test needs; called when its events have been written."""

    def wake(self, now: Moment) -> list[Event]:
        return []

    def finish(self, now: Moment) -> list[Event]:
        """What is still held back when the run ends."""
        return []

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def gap(self, now: Moment, reason: str, lasted_s: float = OPEN_END) -> CaptureGap:
        """The event of lost data on this channel."""
        return CaptureGap(self.channel, reason, lasted_s, **now.stamp(self.board, "harness"))


class RealtimeMap:
    """CLOCK_REALTIME stamps of the kernel as CLOCK_MONOTONIC.

    The difference of the clocks is measured for each reading. Where it moved since the reading before (a step, or
    NTP slewing), a stamp may have been taken under either value: the error grows by that move.
    """

    def __init__(self) -> None:
        self._offset_ns, self._bound_ns = realtime_offset_ns()
        self._moved_ns = 0

    def refresh(self) -> None:
        """Measure again; once for each batch of stamps."""
        before = self._offset_ns
        self._offset_ns, self._bound_ns = realtime_offset_ns()
        self._moved_ns = abs(self._offset_ns - before)

    def moment(self, real_ns: int, now: Moment) -> Moment:
        """The monotonic instant of a stamp that was found by the reading ``now``.

        A stamp later than ``now`` may be the kernel's substitute for one that it did not take: it stamps at reading
        what came before stamping was switched on (net/socket.c, ``__sock_recv_timestamp``). Then only the reading's
        own bound holds.
        """
        t_ns = real_ns + self._offset_ns
        late_ns = t_ns - now.t_ns
        err_ns = self._bound_ns + self._moved_ns
        return Moment(t_ns, err_ns + late_ns + now.err_ns if late_ns > 0 else err_ns)

    def real_ns(self, now: Moment) -> int:
        """CLOCK_REALTIME of an instant of ours."""
        return now.t_ns - self._offset_ns
