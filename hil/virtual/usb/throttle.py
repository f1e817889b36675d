"""How fast a full-speed bus is.

A frame lasts 1 ms and holds at most 19 bulk packets of 64 bytes (USB 2.0 table 5-9), whatever endpoint and direction
they belong to: 1216 kB/s. An interrupt endpoint is asked once per interval (USB 2.0 section 5.7.4).
"""

from math import ceil

PACKET = 64
PACKETS_PER_FRAME = 19
FRAME_S = 0.001
OCTETS_PER_S = PACKET * PACKETS_PER_FRAME / FRAME_S
CATCH_UP_S = 0.002
TIMER_TOLERANCE = 1e-6
"""Of an interval: a timer may fire this much early."""


class FullSpeedBus:
    """Gives each bulk transfer the instant at which its last packet has crossed the bus.

    Args:
        catch_up_s: a timer that fires late does not cost bandwidth for ever: a transfer may begin up to this long in
            the past, if the bus was free then. So a burst after a pause can be ahead by this much, never more.
    """

    def __init__(self, catch_up_s: float = CATCH_UP_S) -> None:
        self._catch_up_s = catch_up_s
        self._free_at_s = 0.0

    def reserve(self, octets: int, now_s: float) -> float:
        """Take the next free packets for ``octets`` bytes (0: a zero-length packet); the end of the last one."""
        packets = max(1, ceil(octets / PACKET))
        begin = max(self._free_at_s, now_s - self._catch_up_s)
        self._free_at_s = begin + packets * FRAME_S / PACKETS_PER_FRAME
        return self._free_at_s


class PollGrid:
    """Instants at which the host asks one interrupt endpoint; the first call fixes the phase."""

    def __init__(self) -> None:
        self._first_s: float | None = None

    def next_poll(self, interval_frames: int, now_s: float) -> float:
        """The first instant of the grid after ``now_s``, so at most one interval away; at the first call ``now_s``."""
        if self._first_s is None:
            self._first_s = now_s
            return now_s
        interval_s = max(1, interval_frames) * FRAME_S
        turns = int((now_s - self._first_s) / interval_s + TIMER_TOLERANCE) + 1
        return self._first_s + turns * interval_s
