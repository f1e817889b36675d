"""The channels over which a firmware speaks: its log, its event log, its flags; their forms and their limits."""

from dataclasses import dataclass

from hil.profiles.patterns import read_pattern
from hil.toml_table import Table

KEEPS = ("first", "last")
WHEN_FULL = ("counted", "never", "silent")


@dataclass(frozen=True, slots=True)
class Log:
    """The log on the serial ports."""

    line: str = ""
    """Searched in each line that no claim's own pattern is found in: its group ``name`` is what a claim is ``called``,
    ``detail`` and ``ms`` are the event's. '' where lines do not name claims."""
    step_ms: int = 1
    """Step of the board's time in its lines: 10 at the FreeRTOS tick of 100 Hz."""
    skew_ms: int = 0
    """The log's time and the event log's differ by at most this."""
    complete: bool = False
    """A line that was written is never lost; where lines can be, silence in the log proves nothing."""
    line_bytes: int = 0
    """A longer line is cut; 0 where that is not known."""
    ring_lines: int = 0
    """Lines that the board keeps for its log over HTTP, 0 where that is not known."""
    ring_line_bytes: int = 0
    serial_jtag: bool = False
    """It comes over the chip's USB-Serial/JTAG, the identity of a loader otherwise."""


@dataclass(frozen=True, slots=True)
class EventLog:
    """The body of ``http.events``. Where ``entry`` is '', it has the form that :mod:`hil.wire.board_status` shows."""

    entry: str = ""
    """A whole line: groups ``name``, ``ms``, ``detail``."""
    header: str = ""
    """The first line; group ``recorded``. '' where there is none."""
    discarded: str = ""
    """The line that counts what did not fit; group ``discarded``."""
    step_ms: int = 1
    capacity: int = 0
    """Entries; 0 where that is not known."""
    when_full: str = ""
    """counted: the body tells that entries were discarded. silent: it does not. never: it has room for all. ''
    without an event log."""
    keeps: str = "first"
    """Which entries stay when it is full: the first or the last ones."""
    detail_bytes: int = 0
    empty_when_busy: bool = False
    """An empty body means that the log was locked and not that it is wrong."""

    @property
    def tells_full(self) -> bool:
        """Whether a log that has lost entries would say so."""
        return self.when_full != "silent"


@dataclass(frozen=True, slots=True)
class Flags:
    """Booleans of ``http.status``, and of the event log where they stand there."""

    names: tuple[str, ...] = ()
    """As the firmware spells them."""
    since_boot: bool = True
    """Once true they stay so until the next boot; False: they are the state of now, and prove nothing of before."""


def read_log(table: Table) -> Log:
    """The ``[log]`` table."""
    log = Log(
        line=read_pattern(table, "line", ("name", "detail", "ms"), ("name",)),
        step_ms=_count(table, "step_ms", 1, least=1),
        skew_ms=_count(table, "skew_ms"),
        complete=table.boolean("complete", False),
        line_bytes=_count(table, "line_bytes"),
        ring_lines=_count(table, "ring_lines"),
        ring_line_bytes=_count(table, "ring_line_bytes"),
        serial_jtag=table.boolean("serial_jtag", False),
    )
    table.finish()
    return log


def read_event_log(table: Table, there: bool) -> EventLog:
    """The ``[events]`` table.

    Args:
        table: it.
        there: the firmware has an event log; then it has to be said what happens when that is full.
    """
    log = EventLog(
        entry=read_pattern(table, "entry", ("name", "ms", "detail"), ("name",)),
        header=read_pattern(table, "header", ("recorded",)),
        discarded=read_pattern(table, "discarded", ("discarded",), ("discarded",)),
        step_ms=_count(table, "step_ms", 1, least=1),
        capacity=_count(table, "capacity"),
        when_full=_when_full(table, there),
        keeps=table.choice("keeps", KEEPS, "first"),
        detail_bytes=_count(table, "detail_bytes"),
        empty_when_busy=table.boolean("empty_when_busy", False),
    )
    table.finish()
    if not log.entry and (log.header or log.discarded):
        raise table.wrong("entry", "wanted beside header and discarded: the form of an entry")
    if not log.tells_full and not log.capacity:
        raise table.wrong("capacity", "wanted beside when_full = 'silent': how many entries it holds")
    return log


def read_flags(table: Table) -> Flags:
    """The ``[flags]`` table."""
    flags = Flags(table.strings("names", ()), table.choice("since", ("boot", "now"), "boot") == "boot")
    table.finish()
    twice = [name for name in flags.names if flags.names.count(name) > 1]
    if twice:
        raise table.wrong("names", f"{twice[0]!r} stands there twice")
    return flags


def _when_full(table: Table, there: bool) -> str:
    if not there and "when_full" not in table.names:
        return ""
    return table.choice("when_full", WHEN_FULL)


def _count(table: Table, key: str, default: int = 0, least: int = 0) -> int:
    value = table.integer(key, default)
    if value < least:
        raise table.wrong(key, f"wanted {least} or more")
    return value
