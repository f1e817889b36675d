"""The clock of the boot that is running, from what the timeline knows: for firmware that does not tell its uptime.

Theory of operation. Two kinds of evidence date an entry of the board's event log (see :mod:`hil.timeline.boardclock`):

- The board's supply went off, and so its boot began later: a lower bound, and enough to know that an entry is of the
  present cable cycle.
- Its log was heard meanwhile, each line with the board's time: an upper bound, and on a live port a close one.

A board that comes back onto the bus may or may not have booted: what its log said before then is left out, the lower
bound stays true. No entry serves to date another one, so that one that lies costs itself alone.
"""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass

from hil.bench import Board
from hil.board.sight import VBUS_OFF
from hil.clock import NS_PER_MS
from hil.timeline.boardclock import BoardClock
from hil.timeline.events import Acted, BoardSaid, BootMessage, Event, SerialLine, UsbAttached
from hil.wire.esplog import NO_MS, ROM, LogLine, parse_line

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
        clock.observe(ms, self.read_ns, in_order=False)
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
        clock.observe(0, self.read_ns, in_order=False)
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
    clock = BoardClock(quantum_ms=step_ms)
    off_ns: int | None = None
    known = False
    for event in events:
        ms = _stamp(event, board.name)
        if _powers(event, board.name):
            off_ns = event.t_ns - event.t_err_ns
        if _may_boot(event, board) or _powers(event, board.name):
            clock.new_boot(off_ns)
            known = off_ns is not None
        elif ms != NO_MS:
            clock.observe(max(0, ms - skew_ms), event.t_ns, event.t_err_ns)
            known = True
    return clock if known else None


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
        meaning = parse_line(event.text)
        return meaning.ms if isinstance(meaning, LogLine) else NO_MS
    return NO_MS
