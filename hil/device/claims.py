"""The board's own event log as a second witness, mapped to the host's time, and what is to be demanded of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hil.bench import Board
from hil.board.interfaces import Instant
from hil.clock import to_s
from hil.device.boottime import Redating
from hil.device.eventlog import EventLogReader
from hil.device.readings import Readings
from hil.device.testimony import Evidence, Finding, LogReading, Verdict, judge
from hil.device.witness import Witness
from hil.errors import BoardFailure
from hil.profiles import Profile
from hil.timeline.events import BoardSaid
from hil.timeline.timeline import Order, order

SETTLE_S = 1.0
"""A claim that is only in the log arrives with the log: about this much later than the event."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a demand has come to."""

    skipped: tuple[str, ...]
    """The checks that could not be made, each as ``NAME: reason``; of a claim that misleads, what it does not prove."""
    complaint: str
    """What the board did wrong, or ''."""

    def demand(self) -> None:
        """Raises:
        BoardFailure: the board did not say what it should have said.
        """
        if self.complaint:
            raise BoardFailure(self.complaint)


class ClaimReader:
    """Reads the event log and looks for claims in all that the board said."""

    def __init__(self, spec: Board, profile: Profile, witness: Witness, readings: Readings) -> None:
        self._spec = spec
        self._profile = profile
        self._witness = witness
        self._events = EventLogReader(spec, profile, witness, readings)
        self._redating = Redating(spec, profile.log.step_ms)
        self._redated = 0

    def read(self, over: str = "") -> list[BoardSaid]:
        """GET the event log and record each entry as a :class:`BoardSaid`.

        A firmware whose boot nothing dates leaves open when an entry was written: its error bound reaches back to the
        begin of the timeline.

        Raises:
            BoardMute: the board did not answer.
            BoardFailure: its answer is not an event log.
        """
        return list(self._events.read(over).said)

    def demand(self, names: Iterable[str], since: Instant) -> Judged:
        """Look for each claim since then; each is judged by itself.

        Raises:
            BoardMute: the board did not answer.
            BoardFailure: its answer is not an event log.
        """
        return self._judged(self._testify(list(dict.fromkeys(names)), since), since)

    def demand_order(self, name: str, since: Instant) -> Judged:
        """As :meth:`demand` of all claims of the profile's sequence ``name``, and that they stand in its order.

        A claim that stays open is left out of the order. It is judged in the host's time; what is too close to call is
        judged by the board's own where both have it, and is in order else.

        Raises:
            BoardMute: the board did not answer.
            BoardFailure: its answer is not an event log.
        """
        sequence = self._profile.sequence(name)
        if sequence is None:
            return Judged((f"sequence {name}: profile {self._profile.name} makes no such claim",), "")
        verdicts = self._testify(list(sequence.claims), since)
        judged = self._judged(verdicts, since)
        made = {verdict.name for verdict in verdicts if verdict.said is not None}
        wrong = [self._disorder([name for name in chain if name in made], since) for chain in sequence.chains]
        complaints = [text for text in (judged.complaint, *wrong) if text]
        return Judged(judged.skipped, "; ".join(dict.fromkeys(complaints)))

    def _testify(self, names: Sequence[str], since: Instant) -> list[Verdict]:
        """A verdict on each, after all that can still arrive has arrived."""
        log = LogReading()
        if any(name in self._profile.can_claim for name in names):
            log = self._events.read_all()
            self._witness.catch_up()
        verdicts: list[Verdict] = []

        def look() -> bool:
            evidence = Evidence(self._profile, since, self._heard(), log)
            verdicts[:] = [judge(name, evidence) for name in names]
            return all(self._final(verdict) for verdict in verdicts)

        self._witness.until(look, SETTLE_S)
        return verdicts

    def _final(self, verdict: Verdict) -> bool:
        """Whether more of the serial log cannot change it."""
        claim = self._profile.claim(verdict.name)
        mute = claim is None or not (claim.pattern or self._profile.log.line)
        return mute or verdict.finding is Finding.MADE or verdict.name not in self._profile.can_claim

    def _heard(self) -> list[BoardSaid]:
        timeline = self._witness.timeline
        self._redating.take(timeline.arrived_from(self._redated))
        self._redated = len(timeline)
        return self._redating.said()

    def _judged(self, verdicts: list[Verdict], since: Instant) -> Judged:
        skipped = tuple(
            f"{verdict.name}: {verdict.reason}"
            for verdict in verdicts
            if verdict.reason and verdict.finding is not Finding.CONTRADICTED
        )
        return Judged(skipped, self._complaint(verdicts, since))

    def _complaint(self, verdicts: list[Verdict], since: Instant) -> str:
        parts = []
        missing = [verdict.name for verdict in verdicts if verdict.finding is Finding.MISSING]
        if missing:
            names = Evidence(self._profile, since, self._heard(), LogReading()).names()
            said = ", ".join(names) or "nothing at all"
            parts.append(f"board {self._spec.name} does not say {', '.join(missing)} since then; it says {said}")
        parts += [
            f"board {self._spec.name} contradicts itself on {verdict.name}: {verdict.reason}"
            for verdict in verdicts
            if verdict.finding is Finding.CONTRADICTED
        ]
        return "; ".join(parts)

    def _disorder(self, chain: Sequence[str], since: Instant) -> str:
        """Where the board breaks the order, or ''."""
        evidence = Evidence(self._profile, since, self._heard(), LogReading())
        before: BoardSaid | None = None
        for name in chain:
            said = sorted(evidence.of(name), key=lambda event: event.t_ns)
            after = next((event for event in said if before is None or not _precedes(event, before)), None)
            if after is None:
                assert before is not None
                return f"board {self._spec.name} says {name} only before {before.name}: {_gap(said[-1], before)}"
            before = after
        return ""


def _precedes(a: BoardSaid, b: BoardSaid) -> bool:
    """Whether ``a`` was certainly said before ``b``: by the host's time, and where that is too close by the board's."""
    by_host = order(a, b)
    if by_host is Order.TOO_CLOSE and _share_a_clock(a, b):
        return a.board_ms < b.board_ms
    return by_host is Order.BEFORE


def _share_a_clock(a: BoardSaid, b: BoardSaid) -> bool:
    return a.via == b.via and a.board_ms >= 0 <= b.board_ms


def _gap(a: BoardSaid, b: BoardSaid) -> str:
    if _share_a_clock(a, b):
        return f"at {a.board_ms} ms and at {b.board_ms} ms of the board's time"
    return f"{to_s(b.t_ns - a.t_ns):.3f} s earlier by the host's time"
