"""The part of a timeline that a signature looks at."""

from collections.abc import Callable, Iterable
from operator import attrgetter

from hil.timeline.events import CaptureGap, Event, ProfileRead, UsbAttached, UsbDetached
from hil.timeline.matching import field_matcher

_instant: Callable[[Event], int] = attrgetter("t_ns")
OPEN_END = -1
"""``CaptureGap.lasted_s`` of a channel that stayed blind to the end of the run."""
ESPRESSIF = 0x303A
"""Vendor of the chip's own USB identities; a board's UART bridge has another."""
LOADERS = {0x1001: "serial-jtag", 0x0009: "usb-otg"}
"""Products of the chip's own: USB-Serial/JTAG, which its loader and its boot show, and the loader over USB-OTG."""


class Window:
    """One board's events from ``since_ns`` to ``until_ns``, by time.

    Args:
        events: any iterable of events; those of other boards are left out of everything but :meth:`beside`.
        board: the board's name.
    """

    def __init__(self, events: Iterable[Event], board: str, since_ns: int, until_ns: int) -> None:
        self.board = board
        self.since_ns = since_ns
        self.until_ns = until_ns
        everything = list(events)
        self._elsewhere = [event for event in everything if event.board not in (board, "")]
        self._of_kind: dict[type[Event], list[Event]] = {}
        self._enumerations: list[Window] | None = None
        self._take(event for event in everything if event.board in (board, ""))

    def _take(self, own: Iterable[Event]) -> None:
        by_time = sorted(own, key=_instant)
        attached = (e for e in reversed(by_time) if isinstance(e, UsbAttached) and e.vid == ESPRESSIF)
        self.port = next((event.path for event in attached), "")
        """Topology path at which the board was last seen, or ''."""
        since_ns, until_ns = self.since_ns, self.until_ns
        self._past = _summary([event for event in by_time if event.t_ns + event.t_err_ns < since_ns])
        self.events = [event for event in by_time if since_ns <= event.t_ns + event.t_err_ns and event.t_ns <= until_ns]

    @property
    def length_s(self) -> float:
        return (self.until_ns - self.since_ns) / 1e9

    def all(self, pattern: Event) -> list[Event]:
        return list(filter(field_matcher(pattern), self._kind(type(pattern))))

    def first(self, pattern: Event) -> Event | None:
        return next(filter(field_matcher(pattern), self._kind(type(pattern))), None)

    def last(self, pattern: Event) -> Event | None:
        return next(filter(field_matcher(pattern), reversed(self._kind(type(pattern)))), None)

    def _kind(self, kind: type[Event]) -> list[Event]:
        """The events of one class, found once: a window is asked hundreds of times."""
        if kind not in self._of_kind:
            self._of_kind[kind] = [event for event in self.events if isinstance(event, kind)]
        return self._of_kind[kind]

    def first_after(self, pattern: Event, event: Event) -> Event | None:
        """The first that matches and, whatever the error of its stamp, did not come before ``event``."""
        return next((e for e in self.all(pattern) if e.t_ns - e.t_err_ns >= event.t_ns), None)

    def standing(self, kind: type[Event]) -> Event | None:
        """The state that held when the window began: the last event of ``kind`` before it, of the same enumeration."""
        for event in reversed(self._past):
            if isinstance(event, kind):
                return event
            if isinstance(event, UsbDetached | UsbAttached) and event.path == self.port:
                return None
        return None

    def told(self, kind: type[Event]) -> Event | None:
        """The last event of ``kind``, which does not end with an enumeration, such as what a profile says."""
        return next((event for event in reversed([*self._past, *self.events]) if isinstance(event, kind)), None)

    def beside(self) -> list["Window"]:
        """The same time on each of the other boards; none beside a part of a window."""
        boards = sorted({event.board for event in self._elsewhere})
        return [Window(self._elsewhere, board, self.since_ns, self.until_ns) for board in boards]

    def after(self, event: Event) -> "Window":
        """The part that begins with ``event``."""
        return self._part(event.t_ns, self.until_ns)

    def until(self, event: Event) -> "Window":
        """The part that ends with ``event``."""
        return self._part(self.since_ns, event.t_ns)

    def enumerations(self) -> list["Window"]:
        """The window cut at every enumeration of the board, the latest first; the last part is what was before any."""
        if self._enumerations is None:
            self._enumerations = self._cut()
        return self._enumerations

    def _cut(self) -> list["Window"]:
        starts = [self.since_ns, *(event.t_ns for event in self.all(UsbAttached(vid=ESPRESSIF)))]
        ends = [*starts[1:], self.until_ns]
        pairs = list(zip(starts, ends, strict=True))
        parts = [self._part(*pairs[0]), *(self._part(start, end, fresh=True) for start, end in pairs[1:])]
        return parts[::-1]

    def _part(self, since_ns: int, until_ns: int, fresh: bool = False) -> "Window":
        """A part of this window; a fresh one has no standing state but what no enumeration ends."""
        past = [event for event in self._past if not fresh or isinstance(event, CaptureGap | ProfileRead)]
        inside = [event for event in self.events if not fresh or since_ns <= event.t_ns + event.t_err_ns]
        part = Window((), self.board, since_ns, until_ns)
        part._take([*past, *inside])
        return part

    def blind(self, channel: str) -> bool:
        """Whether ``channel`` lost data, so that an absence in it proves nothing."""
        gaps = [event for event in self._past if isinstance(event, CaptureGap) and event.lasted_s == OPEN_END]
        return any(gap.channel == channel for gap in [*gaps, *self.all(CaptureGap())] if isinstance(gap, CaptureGap))


def _summary(past: list[Event]) -> list[Event]:
    """What a window can be asked of the time before it: the last event of each kind, and of some the last of each sort.

    A session's past is long, and each part of a window has one.
    """
    last = {id(event) for event in dict(zip(map(type, past), past, strict=True)).values()}
    several = [event for event in past if isinstance(event, UsbAttached | UsbDetached | CaptureGap)]
    last |= {id(event) for event in {_sort(event): event for event in several}.values()}
    return [event for event in past if id(event) in last]


def _sort(event: UsbAttached | UsbDetached | CaptureGap) -> tuple[object, ...]:
    if isinstance(event, CaptureGap):
        return CaptureGap, event.channel, event.lasted_s == OPEN_END
    return type(event), event.path
