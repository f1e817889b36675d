"""What became of a board over all its boots: one finding for each cause, one cause for each loop.

A *loop* is three boots in a row that ended soon and of the board's own doing. The cause that explains the most among
them names the finding; where that is no more than a panic, an abort or a reset, the finding is the loop itself. All
else is evidence.
"""

from dataclasses import dataclass, field

from hil.diagnosis.finding import Evidence
from hil.diagnosis.text.board_causes import BOOT_LOOP
from hil.diagnosis.text.board_clues import REPORTED
from hil.diagnosis.text.boot import LOAD_FAILURES, RANK, SHORT_S, Boot, Death
from hil.diagnosis.text.line import NO_MS, TextLine
from hil.diagnosis.text.resets import Reset, reset_in

LOOP = 3
"""Boots in a row."""
MOST_EVIDENCE = 12
"""Lines of one finding, but for those that count."""


@dataclass(slots=True)
class Tally:
    """Everything that one cause has brought about."""

    evidence: tuple[Evidence, ...]
    """Of the first time."""
    times: int = 0
    last: Evidence | None = None
    against: tuple[Evidence, ...] = ()
    """That the board lived on, each time."""
    row: int = 0
    """Boots of the longest loop."""
    row_end: Evidence | None = None
    beside: frozenset[str] = frozenset()
    """Other causes that its loops have as evidence."""
    app_ran: bool = False
    """It came while an app ran: an image that an update refuses is no trouble to load."""

    def supports(self) -> tuple[Evidence, ...]:
        found = list(self.evidence[:MOST_EVIDENCE])
        if self.row and self.row_end is not None:
            said = f"{self.row} boots in a row ended within {SHORT_S} s each, the last"
            found.append(Evidence(said, self.row_end.event, self.row_end.quote))
        if self.times > max(self.row, 1) and self.last is not None:
            found.append(Evidence(f"{self.times} times in all, the last", self.last.event, self.last.quote))
        return tuple(found)


@dataclass(slots=True)
class Row:
    """Boots that ended soon and of their own doing, one after the other; of each cause the first is kept."""

    count: int = 0
    deaths: dict[str, tuple[Death, Death, int]] = field(default_factory=dict)
    """By cause: the first and the last death of it, and how many there were."""
    last: Evidence | None = None

    def add(self, death: Death) -> None:
        self.count += 1
        first, _, times = self.deaths.get(death.cause, (death, death, 0))
        self.deaths[death.cause] = first, death, times + 1
        self.last = death.headline or self.last

    @property
    def cause(self) -> str:
        """What names the loop."""
        best = min((name for name in self.deaths if name), key=RANK.__getitem__, default=BOOT_LOOP)
        return min(best, BOOT_LOOP, key=RANK.__getitem__)

    def evidence(self) -> tuple[Evidence, ...]:
        """Of what names the loop first, then of the others."""
        order = sorted(self.deaths, key=lambda name: RANK.get(name, len(RANK)))
        return tuple(evidence for name in order for evidence in self.deaths[name][0].evidence)


class Story:
    """The boots of one board, told line by line."""

    def __init__(self) -> None:
        self._boot = Boot()
        self._row = Row()
        self._tallies: dict[str, Tally] = {}
        self._reported: dict[str, Evidence] = {}
        """What an app has told of an earlier boot, by what it says."""

    def hear(self, line: TextLine) -> None:
        if REPORTED[0].hint in line.text:
            self._hear_report(line)
        reset = reset_in(line.text) if "rst:0x" in line.text else None
        if reset is not None:
            self._begin(reset, line)
            return
        if self._starts_anew(line):
            self._begin(Reset.OUTSIDE, None)
        closed = self._boot.hear(line)
        if closed is not None and closed.main is not None:
            at = closed.main
            tally = self._count(
                at.clue.cause, tuple(closed.evidence()), at.evidence(), against=self._boot.against(closed)
            )
            tally.app_ran |= self._boot.ran and not self._boot.failed_to_load

    def asked(self) -> None:
        """The next reset is a test's doing."""
        self._boot.asked = True

    def finish(self) -> dict[str, Tally]:
        """By cause, in the order in which the causes came; to be called once, after the last line."""
        self._die(self._boot.end(None, None))
        self._end_row()
        if self._reported and not self._tallies:
            return {"panic": Tally(tuple(self._reported.values()), times=1)}
        told = frozenset[str]().union(*(tally.beside for tally in self._tallies.values()))
        return {name: tally for name, tally in self._tallies.items() if tally.row or name not in told}

    def _hear_report(self, line: TextLine) -> None:
        """Of a panic that nobody has heard: over the network the panic handler's own words do not come."""
        for number, clue in enumerate(REPORTED):
            if clue.place(line.text) >= 0 and (self._reported or not number):
                self._reported.setdefault(clue.says, line.evidence(clue.says))

    def _starts_anew(self, line: TextLine) -> bool:
        """Whether a board that prints no reset code has started over."""
        boot = self._boot
        if "2nd stage bootloader" in line.text:
            return boot.loading
        return boot.over and (line.board_ms != NO_MS or "Guru Meditation Error" in line.text)

    def _begin(self, reset: Reset, at: TextLine | None) -> None:
        self._die(self._boot.end(reset, at))
        self._boot = Boot(began=at)

    def _die(self, death: Death) -> None:
        if death.ran and self._row.deaths.keys() & LOAD_FAILURES:
            self._end_row()
        if death.ran:
            kept = (each for each in self._tallies.items() if each[0] not in LOAD_FAILURES or each[1].app_ran)
            self._tallies = dict(kept)
        if death.own_doing and death.short:
            self._row.add(death)
            return
        self._end_row()
        if death.cause:
            tally = self._count(death.cause, death.evidence, death.headline, against=death.against)
            tally.app_ran |= death.ran

    def _end_row(self) -> None:
        row, self._row = self._row, Row()
        if row.count >= LOOP:
            tally = self._count(row.cause, row.evidence(), row.last, row.count)
            tally.beside |= row.deaths.keys() - {row.cause, ""}
            tally.app_ran |= any(first.ran for first, _, _ in row.deaths.values())
            if row.count > tally.row:
                tally.row, tally.row_end = row.count, row.last
            return
        for name, (first, last, times) in row.deaths.items():
            if name:
                tally = self._count(name, first.evidence, last.headline, times)
                tally.app_ran |= first.ran

    def _count(
        self,
        cause: str,
        evidence: tuple[Evidence, ...],
        last: Evidence | None,
        times: int = 1,
        against: tuple[Evidence, ...] = (),
    ) -> Tally:
        tally = self._tallies.setdefault(cause, Tally(evidence))
        tally.against = against if tally.against or not tally.times else ()
        tally.times += times
        tally.last = last
        return tally
