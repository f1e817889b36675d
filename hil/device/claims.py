"""The board's own event log as a second witness, mapped to the host's time."""

from collections.abc import Iterable

from hil.bench import Board
from hil.board.interfaces import Instant
from hil.clock import now_ns
from hil.device.readings import Reading, Readings
from hil.device.witness import Witness
from hil.errors import BoardFailure, BoardMute, WireError
from hil.profiles import Profile
from hil.timeline.boardclock import BoardClock
from hil.timeline.events import BoardSaid, HttpFailed
from hil.wire import board_status

SETTLE_S = 1.0
"""A claim that is only in the log arrives with the log: about this much later than the event."""
VIA = "events"


class ClaimReader:
    """Reads /events and looks for claims in all that the board said."""

    def __init__(self, spec: Board, profile: Profile, witness: Witness, readings: Readings) -> None:
        self._spec = spec
        self._profile = profile
        self._witness = witness
        self._readings = readings
        self._discarded = 0
        self._dated = True

    def read(self, over: str = "") -> list[BoardSaid]:
        """GET the event log and record each entry as a :class:`BoardSaid`.

        A firmware that does not tell its uptime leaves open when an entry was written: its error bound reaches back to
        the begin of the timeline.

        Raises:
            BoardMute: the board did not answer.
            BoardFailure: its answer is not an event log.
        """
        way = over or ("fallback" if self._spec.fallback else "usb")
        clock = self._readings.board_clock(way)
        log = self._parse(self._readings.get(self._readings.path("events"), way))
        self._discarded = log.discarded
        self._dated = clock is not None
        self._witness.refresh()
        read_ns = now_ns()
        said = [self._said(entry, clock, read_ns) for entry in log.entries]
        for event in said:
            self._readings.record(event)
        return said

    def demand(self, names: Iterable[str], since: Instant) -> list[str]:
        """Look for each claim since then; returns the checks that could not be made, with the reason.

        Raises:
            BoardMute: the board did not answer.
            BoardFailure: claims that the board should have made are missing, or its answer is not an event log.
        """
        unchecked = {name: self._unbelievable(name) for name in names}
        wanted = [name for name, reason in unchecked.items() if not reason]
        skipped = [f"{name}: {reason}" for name, reason in unchecked.items() if reason]
        if not wanted:
            return skipped
        if self._profile.http.events:
            self.read()
        missing = self._missing(wanted, since)
        if missing and self._discarded:
            return skipped + [f"{name}: the board's event log is full" for name in missing]
        if missing:
            raise BoardFailure(self._complaint(missing, since))
        return skipped + [f"{name}: {reason}" for name in wanted if (reason := self._undated(name, since))]

    def _unbelievable(self, name: str) -> str:
        """Why ``name`` cannot be demanded of this firmware, or ''."""
        if name not in self._profile.can_claim:
            return f"profile {self._profile.name} does not claim it"
        if name in self._profile.misleading:
            return f"not to be believed: {self._profile.misleading[name]}"
        return ""

    def _missing(self, wanted: list[str], since: Instant) -> list[str]:
        """Those of ``wanted`` that were not said since then, after all that can still arrive has arrived."""
        left = list(wanted)

        def look() -> bool:
            said = {event.name for event in self._since(since)}
            left[:] = [name for name in wanted if name not in said]
            return not left

        self._witness.until(look, SETTLE_S)
        return left

    def _undated(self, name: str, since: Instant) -> str:
        """Why it cannot be told whether ``name`` was said since then, or ''."""
        if self._dated or any(event.name == name and event.via != VIA for event in self._since(since)):
            return ""
        return f"profile {self._profile.name} got no uptime from http.version; the board's event log has no host time"

    def _since(self, since: Instant) -> list[BoardSaid]:
        """What the board may have said since then."""
        early_ns = since.t_ns - since.t_err_ns
        said = self._witness.timeline.of(BoardSaid(board=self._spec.name))
        return [e for e in said if isinstance(e, BoardSaid) and e.t_ns + e.t_err_ns >= early_ns]

    def _complaint(self, missing: list[str], since: Instant) -> str:
        names = list(dict.fromkeys(event.name for event in self._since(since)))
        return (
            f"board {self._spec.name} does not say {', '.join(missing)} since then; "
            f"it says {', '.join(names) or 'nothing at all'}"
        )

    def _parse(self, reading: Reading) -> board_status.EventLog:
        reply = reading.reply
        if isinstance(reply, HttpFailed):
            why = f"{reply.reason} after {reply.took_s:.3f} s: {reply.detail}"
            raise BoardMute(f"board {self._spec.name}: GET {reply.path}: {why}")
        try:
            return board_status.parse_events(reading.body)
        except WireError as error:
            answer = f"GET {reply.path} is not an event log (status {reply.status})"
            raise BoardFailure(f"board {self._spec.name}: {answer}: {error}") from error

    def _said(self, entry: board_status.EventEntry, clock: BoardClock | None, read_ns: int) -> BoardSaid:
        t_ns, t_err_ns = self._whenever(read_ns) if clock is None else clock.to_host(entry.ms)
        stamp = {"t_ns": t_ns, "t_err_ns": t_err_ns}
        return BoardSaid(entry.name, entry.detail, entry.ms, VIA, board=self._spec.name, source="http", **stamp)

    def _whenever(self, read_ns: int) -> tuple[int, int]:
        """An instant that is only known to lie in this run, before ``read_ns``."""
        began_ns = next((event.t_ns for event in self._witness.timeline.by_time()), read_ns)
        middle_ns = (began_ns + read_ns) // 2
        return middle_ns, read_ns - middle_ns
