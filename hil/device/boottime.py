"""The clock of the boot that is running, from what the timeline knows: for firmware that does not tell its uptime.

Theory of operation. Two kinds of evidence date an entry of the board's event log (see :mod:`hil.timeline.boardclock`):

- The board's supply went off, and so its boot began later: a lower bound, and enough to know that an entry is of the
  present cable cycle.
- Its log was heard meanwhile, each line with the board's time: an upper bound, and on a live port a close one. What a
  port brings when it is opened may have waited there, and is no more than an upper bound.

A board that comes back onto the bus may or may not have booted: what its log said before then is left out, the lower
bound stays true. No entry serves to date another one, so that one that lies costs itself alone.
"""

from collections import defaultdict
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass

from msgspec.structs import replace

from hil.bench import Board
from hil.board.sight import VBUS_OFF
from hil.clock import NS_PER_MS
from hil.timeline.backlog import Backlog
from hil.timeline.boardclock import BoardClock
from hil.timeline.events import Acted, BoardSaid, BootMessage, Event, SerialLine, SerialOpened, UsbAttached
from hil.wire.esplog import NO_MS, ROM, LogLine, parse_line, plain_times

LIVE = ("serial", "console")
"""``BoardSaid.via`` of what was heard when it was said."""


@dataclass(frozen=True, slots=True)
class BootTime:
    """Dates what the running boot stamped, as far as is known.

    Args:
        clock: its evidence; None where there is none at all.
        read_ns: when the board was asked: it can have stamped nothing later.
        skew_ms: as :func:`heard_clock` was given it.
    """

    clock: BoardClock | None
    read_ns: int
    skew_ms: int = 0

    def date(self, ms: int) -> tuple[int, int] | None:
        """``(t_ns, t_err_ns)`` of a stamp; None where that is not known.

        Raises:
            ValueError: no boot that is possible can have stamped that.
        """
        if self.clock is None:
            return None
        clock = deepcopy(self.clock)
        wrong = clock.contradictions
        clock.observe(ms, self.read_ns, in_order=False, prompt=False)
        if clock.contradictions > wrong:
            raise ValueError(f"stamped {ms} ms, which is still to come")
        t_ns, t_err_ns = clock.to_host(ms, self.read_ns)
        if clock.anchored:
            return t_ns, t_err_ns
        spare_ns = self.skew_ms * NS_PER_MS  # a line's stamp was taken to be early by the skew, and may be late by it
        return t_ns - spare_ns, t_err_ns + spare_ns

    def born_ns(self) -> int | None:
        """The boot certainly began at this instant or later; None where that is not known."""
        if self.clock is None:
            return None
        clock = deepcopy(self.clock)
        clock.observe(0, self.read_ns, in_order=False, prompt=False)
        if not clock.anchored:
            return None
        t_ns, t_err_ns = clock.to_host(0)
        return t_ns - t_err_ns


def heard_clock(events: Iterable[Event], board: Board, step_ms: int, skew_ms: int = 0) -> BoardClock | None:
    """The clock of the running boot by the timeline's evidence; None where there is none.

    Args:
        events: by time.
        board: whose.
        step_ms: of its stamps.
        skew_ms: by how much the log's time and the event log's may differ.
    """
    ports = Ports(board.name)
    clock = BoardClock(quantum_ms=step_ms)
    off_ns: int | None = None
    for event in sorted(events, key=_known_ns):
        prompt = ports.prompt(event)
        ms = _stamp(event, board.name)
        if _powers(event, board.name):
            off_ns = event.t_ns - event.t_err_ns
        if _may_boot(event, board) or _powers(event, board.name):
            clock.new_boot(off_ns)
        elif ms != NO_MS and (prompt or isinstance(event, SerialLine)):
            clock.observe(max(0, ms - skew_ms), event.t_ns, event.t_err_ns, in_order=prompt, prompt=prompt)
    return clock if clock.located else None


class Ports:
    """Which of a board's lines were heard when they were written (:mod:`hil.timeline.backlog`)."""

    def __init__(self, board: str) -> None:
        self._board = board
        self._backlogs: defaultdict[str, Backlog] = defaultdict(_long_open)

    def prompt(self, event: Event) -> bool:
        """Whether this event, the next of the timeline, tells of such a line."""
        if event.board != self._board:
            return False
        if isinstance(event, SerialOpened):
            self._backlogs[event.source].opened(event.t_ns, ready=event.dtr or event.source == "console")
        live = isinstance(event, SerialLine) or (isinstance(event, BoardSaid) and event.via in LIVE)
        return live and self._backlogs[event.source].prompt(event.t_ns, event.t_err_ns)


def _long_open() -> Backlog:
    """Of a port that was opened before anything is known."""
    backlog = Backlog()
    backlog.opened(-(1 << 62))
    return backlog


class Redating:
    """What a board was heard to say, its times narrowed by what was heard later in the same boot.

    A claim that had waited for its port to be opened is dated by the capture process with a bound that reaches far
    back: lines that come later, or on the other port, know better. A time is never moved out of its first bound.
    """

    def __init__(self, board: Board, step_ms: int) -> None:
        self._board = board
        self._ports = Ports(board.name)
        self._clock = BoardClock(quantum_ms=step_ms)
        self._running: list[BoardSaid] = []
        self._past: list[BoardSaid] = []

    def take(self, events: Iterable[Event]) -> None:
        """The next events, by arrival."""
        for event in events:
            prompt = self._ports.prompt(event)
            boot = self._clock.boot
            if _may_boot(event, self._board):
                self._end_boot()
                self._clock.new_boot()
            elif isinstance(event, SerialLine) and (ms := _stamp(event, self._board.name)) != NO_MS:
                self._clock.observe(ms, event.t_ns, in_order=prompt, prompt=prompt)
            if self._clock.boot != boot:  # by its stamps: the boot before cannot be asked any more
                self._past += self._running
                self._running = []
            if isinstance(event, BoardSaid) and event.board == self._board.name:
                self._running.append(event)

    def said(self) -> list[BoardSaid]:
        """All that was said, by time."""
        return sorted([*self._past, *map(self._narrowed, self._running)], key=lambda said: said.t_ns)

    def _end_boot(self) -> None:
        self._past += map(self._narrowed, self._running)
        self._running = []

    def _narrowed(self, said: BoardSaid) -> BoardSaid:
        if said.via not in LIVE or said.board_ms == NO_MS or not self._clock.located:
            return said
        t_ns, t_err_ns = self._clock.to_host(said.board_ms)
        low_ns = max(t_ns - t_err_ns, said.t_ns - said.t_err_ns)
        high_ns = min(t_ns + t_err_ns, said.t_ns + said.t_err_ns)
        if high_ns - low_ns < 0 or high_ns - low_ns >= 2 * said.t_err_ns:
            return said
        middle_ns = (low_ns + high_ns) // 2
        return replace(said, t_ns=middle_ns, t_err_ns=high_ns - middle_ns)


def _known_ns(event: Event) -> int:
    """The order in which it was learnt: a claim is dated before the line that makes it."""
    return event.t_ns + event.t_err_ns if isinstance(event, BoardSaid) else event.t_ns


def _powers(event: Event, board: str) -> bool:
    return isinstance(event, Acted) and event.board == board and event.sees == VBUS_OFF


def _may_boot(event: Event, board: Board) -> bool:
    if isinstance(event, UsbAttached):
        return event.path == board.usb
    return isinstance(event, BootMessage) and event.board == board.name and event.stage == ROM


def _stamp(event: Event, board: str) -> int:
    """The board's own time of a line that was heard as it came, or NO_MS."""
    if event.board != board:
        return NO_MS
    if isinstance(event, BoardSaid):
        return event.board_ms if event.via in LIVE else NO_MS
    if isinstance(event, SerialLine):
        (ms,) = plain_times([event.text])
        if ms != NO_MS:
            return ms
        meaning = parse_line(event.text)
        return meaning.ms if isinstance(meaning, LogLine) else NO_MS
    return NO_MS
