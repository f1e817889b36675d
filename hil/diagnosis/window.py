"""The part of a timeline that a signature looks at."""

from collections.abc import Iterable

from hil.expect import matches
from hil.timeline.events import CaptureGap, Event, UsbAttached


ESPRESSIF = 0x303A
"""Vendor of the chip's own USB identities; a board's UART bridge has another."""


class Window:
    """One board's events from ``since_ns`` to ``until_ns``, by time.

    Args:
        events: any iterable of events; those of other boards are left out.
        board: the board's name.
    """

    def __init__(self, events: Iterable[Event], board: str, since_ns: int, until_ns: int) -> None:
        self.board = board
        self.since_ns = since_ns
        self.until_ns = until_ns
        mine = (e for e in events if e.board in (board, "") and since_ns <= e.t_ns + e.t_err_ns and e.t_ns <= until_ns)
        self.events = sorted(mine, key=lambda event: event.t_ns)

    @property
    def length_s(self) -> float:
        return (self.until_ns - self.since_ns) / 1e9

    def all(self, pattern: Event) -> list[Event]:
        return [event for event in self.events if matches(pattern, event)]

    def first(self, pattern: Event) -> Event | None:
        return next((event for event in self.events if matches(pattern, event)), None)

    def last(self, pattern: Event) -> Event | None:
        return next((event for event in reversed(self.events) if matches(pattern, event)), None)

    def after(self, event: Event) -> "Window":
        """The part that begins with ``event``."""
        return Window(self.events, self.board, event.t_ns, self.until_ns)

    def until(self, event: Event) -> "Window":
        """The part that ends with ``event``."""
        return Window(self.events, self.board, self.since_ns, event.t_ns)

    def enumerations(self) -> list["Window"]:
        """The window cut at every enumeration of the board, the latest first; whole where there was none."""
        starts = [event.t_ns for event in self.all(UsbAttached(vid=ESPRESSIF))]
        if not starts:
            return [self]
        ends = [*starts[1:], self.until_ns]
        pairs = list(zip(starts, ends, strict=True))
        return [Window(self.events, self.board, start, end) for start, end in reversed(pairs)]

    def blind(self, channel: str) -> bool:
        """Whether ``channel`` lost data, so that an absence in it proves nothing."""
        return self.first(CaptureGap(channel=channel)) is not None
