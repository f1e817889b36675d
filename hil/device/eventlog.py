"""Reads a board's event log and flags, dates what they say, and tells what they may lack."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from hil.bench import Board
from hil.clock import now_ns, to_ns
from hil.device.boottime import LIVE, BootTime, heard_clock
from hil.device.readings import Reading, Readings
from hil.device.testimony import VIA, LogReading
from hil.device.witness import Witness
from hil.errors import BoardFailure, BoardMute, WireError
from hil.profiles import Profile
from hil.timeline.events import BoardSaid, HttpFailed, HttpReply
from hil.wire.board_status import KNOWN, NO_COUNT, NO_MS, EventEntry, EventFormat, EventLog, parse_events, parse_status

TRIES = 3
"""A board whose log is locked gives an empty body after 100 ms; by the third request it has had its chance."""
SETTLED_S = 1.0
"""By so much at least the board's serial log must be ahead of its event log to say that the latter has stopped."""
T = TypeVar("T")


class EventLogReader:
    """Asks one board, over its fallback address where it has one."""

    def __init__(self, spec: Board, profile: Profile, witness: Witness, readings: Readings) -> None:
        self._spec = spec
        self._profile = profile
        self._witness = witness
        self._readings = readings
        self._form = form_of(profile)

    def read(self, over: str = "") -> LogReading:
        """GET the event log; its entries are recorded, with the host's time where something gives it.

        Raises:
            BoardMute: the board did not answer.
            BoardFailure: its answer is not an event log.
            MisuseError: the profile names no event log.
        """
        way = over or self._way()
        path = self._readings.path("events")
        clock = self._readings.board_clock(way)
        reading = self._ask(path, way)
        if self._locked(reading):
            return LogReading(unsure=f"the board's event log was locked {TRIES} times")
        log = self._parse(reading, lambda: parse_events(reading.body, self._form), "an event log")
        read_ns = now_ns()
        boot = self._heard(read_ns) if clock is None else BootTime(clock, read_ns)
        dated = self._dated(log, boot)
        return replace(dated, unsure=dated.unsure or self._outrun(dated, reading.t_ns))

    def read_all(self) -> LogReading:
        """The event log and the flags, as far as the profile names paths of them; raises as :meth:`read`."""
        log = self.read() if self._profile.http.events else LogReading()
        told = self._profile.http.events and self._form.flags
        if told or not (self._profile.http.status and self._profile.flags.names):
            return log
        reading = self._readings.get(self._profile.http.status, self._way())
        status = self._parse(reading, lambda: parse_status(reading.body), "a status")
        garbled = (*log.garbled, *status.garbled)
        if not self._profile.http.events:
            log = replace(log, born_ns=self._heard(now_ns()).born_ns())
        return replace(log, flags=self._flags(status.flags), flags_later=True, garbled=garbled)

    def _way(self) -> str:
        return "fallback" if self._spec.fallback else "usb"

    def _heard(self, read_ns: int) -> BootTime:
        """The running boot by what the timeline tells of it."""
        self._witness.refresh()
        log, events = self._profile.log, self._profile.events
        step_ms = max(log.step_ms, events.step_ms)
        clock = heard_clock(self._witness.timeline.by_time(), self._spec, step_ms, log.skew_ms)
        return BootTime(clock, read_ns, log.skew_ms)

    def _ask(self, path: str, way: str) -> Reading:
        reading = self._readings.get(path, way)
        for _ in range(TRIES - 1):
            if not self._locked(reading):
                break
            reading = self._readings.get(path, way)
        return reading

    def _locked(self, reading: Reading) -> bool:
        answered = isinstance(reading.reply, HttpReply) and reading.reply.status == 200
        return answered and not reading.body and self._profile.events.empty_when_busy

    def _parse(self, reading: Reading, parse: Callable[[], T], what: str) -> T:
        reply = reading.reply
        if isinstance(reply, HttpFailed):
            why = f"{reply.reason} after {reply.took_s:.3f} s: {reply.detail}"
            raise BoardMute(f"board {self._spec.name}: GET {reply.path}: {why}")
        try:
            return parse()
        except WireError as error:
            answer = f"GET {reply.path} is not {what} (status {reply.status})"
            raise BoardFailure(f"board {self._spec.name}: {answer}: {error}") from error

    def _dated(self, log: EventLog, boot: BootTime) -> LogReading:
        """What is in the log; entries that no possible boot has stamped are left out and named."""
        said: list[BoardSaid] = []
        impossible: dict[str, str] = {}
        for entry in log.entries:
            try:
                stamp = boot.date(entry.ms) if entry.ms != NO_MS else None
            except ValueError as error:
                impossible[self._profile.named(entry.name)] = str(error)
            else:
                said.append(self._record(entry, stamp or self._whenever(boot.read_ns)))
        return LogReading(
            said=tuple(said),
            undated=boot.clock is None or any(entry.ms == NO_MS for entry in log.entries),
            flags=self._flags(log.flags),
            full=self._full(log),
            unsure=_miscounted(log),
            garbled=log.garbled,
            impossible=impossible,
            born_ns=boot.born_ns(),
        )

    def _outrun(self, log: LogReading, asked_ns: int) -> str:
        """What the board has said aloud after the last entry, before it was asked, and did not write down; or ''.

        Such a log has stopped: it is full and does not say so, or cannot be written.
        """
        if log.undated or not log.said:
            return ""
        self._witness.refresh()
        last = max(log.said, key=lambda said: said.t_ns)
        missed = (
            said
            for said in self._witness.timeline.of(BoardSaid(board=self._spec.name))
            if isinstance(said, BoardSaid)
            and said.via in LIVE
            and self._writes_down(said.name)
            and last.t_ns + last.t_err_ns + to_ns(SETTLED_S) < said.t_ns - said.t_err_ns
            and said.t_ns + said.t_err_ns < asked_ns
        )
        first = next(missed, None)
        if first is None:
            return ""
        when = f"at {first.board_ms} ms" if first.board_ms >= 0 else "later"
        return f"the board's event log ends at {last.board_ms} ms of its time, its serial log says {first.name} {when}"

    def _writes_down(self, name: str) -> bool:
        claim = self._profile.claim(name)
        return claim is not None and not claim.log_only

    def _record(self, entry: EventEntry, stamp: tuple[int, int]) -> BoardSaid:
        name, (t_ns, t_err_ns) = self._profile.named(entry.name), stamp
        said = BoardSaid(
            name, entry.detail, entry.ms, VIA, board=self._spec.name, source="http", t_ns=t_ns, t_err_ns=t_err_ns
        )
        self._readings.record(said)
        return said

    def _whenever(self, read_ns: int) -> tuple[int, int]:
        """An instant that is only known to lie in this run, before ``read_ns``."""
        began_ns = next((event.t_ns for event in self._witness.timeline.by_time()), read_ns)
        middle_ns = (began_ns + read_ns) // 2
        return middle_ns, read_ns - middle_ns

    def _flags(self, flags: dict[str, bool]) -> dict[str, bool]:
        """By the claims' names; a flag that the profile does not list says nothing."""
        known = self._profile.flags.names
        return {self._profile.named(name): value for name, value in flags.items() if name in known}

    def _full(self, log: EventLog) -> bool:
        events = self._profile.events
        silent = not events.tells_full and len(log.entries) + len(log.garbled) >= events.capacity
        return log.discarded > 0 or silent


def _miscounted(log: EventLog) -> str:
    shown = len(log.entries) + len(log.garbled)
    if log.recorded == NO_COUNT or log.recorded <= shown:
        return ""
    return f"the board's event log counts {log.recorded} entries and shows {shown}"


def form_of(profile: Profile) -> EventFormat:
    """The form of a profile's event log: :data:`hil.wire.board_status.KNOWN` where it gives none."""
    events = profile.events
    if not events.entry:
        return KNOWN
    header, discarded = (re.compile(text) if text else None for text in (events.header, events.discarded))
    return EventFormat(re.compile(events.entry), header, discarded)
