"""The board's own event log as a second witness, mapped to the host's time."""

from collections.abc import Iterable

from hil.bench import Board
from hil.board.interfaces import Instant
from hil.device.readings import Reading, Readings
from hil.device.witness import Witness
from hil.errors import BoardFailure, BoardMute, MisuseError, WireError
from hil.profiles import Profile
from hil.timeline.boardclock import BoardClock
from hil.timeline.events import BoardSaid, HttpFailed
from hil.wire import board_status

SETTLE_S = 1.0
"""A claim that is only in the log arrives with the log: about this much later than the event."""


class ClaimReader:
    """Reads /events and looks for claims in all that the board said."""

    def __init__(self, spec: Board, profile: Profile, witness: Witness, readings: Readings) -> None:
        self._spec = spec
        self._profile = profile
        self._witness = witness
        self._readings = readings
        self._discarded = 0

    def read(self, over: str = "") -> list[BoardSaid]:
        """GET the event log and record each entry as a :class:`BoardSaid`.

        Raises:
            BoardMute: the board did not answer.
            BoardFailure: its answer is not an event log.
        """
        way = over or ("fallback" if self._spec.fallback else "usb")
        clock = self._readings.board_clock(way)
        reading = self._readings.get(self._readings.path("events"), way)
        log = self._parse(reading)
        self._discarded = log.discarded
        said = [self._said(entry, clock) for entry in log.entries]
        for event in said:
            self._readings.record(event)
        return said

    def demand(self, names: Iterable[str], since: Instant) -> list[str]:
        """Look for each claim since then; returns the checks that could not be made, with the reason.

        Raises:
            BoardFailure: claims that the board should have made are missing.
        """
        wanted = list(names)
        skipped = [f"{n}: profile {self._profile.name} does not claim it" for n in wanted if n not in self._can()]
        skipped += [f"{n}: not to be believed: {self._profile.misleading[n]}" for n in wanted if n in self._profile.misleading]
        wanted = [name for name in wanted if name in self._can() and name not in self._profile.misleading]
        if not wanted:
            return skipped
        if self._profile.http.events:
            self.read()
        missing = [name for name in wanted if not self._said_since(name, since)]
        if missing and self._discarded:
            return skipped + [f"{name}: the board's event log is full" for name in missing]
        if missing:
            raise BoardFailure(self._complaint(missing, since))
        return skipped

    def _can(self) -> frozenset[str]:
        return self._profile.can_claim

    def _said_since(self, name: str, since: Instant) -> bool:
        pattern = BoardSaid(name=name, board=self._spec.name)
        return self._witness.find(pattern, since.t_ns - since.t_err_ns, SETTLE_S) is not None

    def _complaint(self, missing: list[str], since: Instant) -> str:
        heard = [e for e in self._witness.timeline.since(since.t_ns) if isinstance(e, BoardSaid)]
        names = list(dict.fromkeys(event.name for event in heard))
        return (
            f"board {self._spec.name} does not say {', '.join(missing)} since then; "
            f"it says {', '.join(names) or 'nothing at all'}"
        )

    def _parse(self, reading: Reading) -> board_status.EventLog:
        if isinstance(reading.reply, HttpFailed):
            reply = reading.reply
            raise BoardMute(f"board {self._spec.name}: GET {reply.path}: {reply.reason} after {reply.took_s:.3f} s: {reply.detail}")
        try:
            return board_status.parse_events(reading.body)
        except WireError as error:
            raise BoardFailure(f"board {self._spec.name}: GET {reading.reply.path} is not an event log: {error}") from error

    def _said(self, entry: board_status.EventEntry, clock: BoardClock) -> BoardSaid:
        t_ns, t_err_ns = clock.to_host(entry.ms)
        return BoardSaid(
            entry.name,
            entry.detail,
            entry.ms,
            "events",
            t_ns=t_ns,
            t_err_ns=t_err_ns,
            board=self._spec.name,
            source="http",
        )
