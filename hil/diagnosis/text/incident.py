"""Lines that lie near each other and speak of one failure: the causes they show, and what goes with them."""

from dataclasses import dataclass, field

from hil.diagnosis.finding import Evidence
from hil.diagnosis.text.board_clues import ASIDES, BOARD_CLUES, DUMPED, HEADLESS
from hil.diagnosis.text.clue import Clue
from hil.diagnosis.text.line import NO_MS, TextLine

NEAR = 60
"""Lines within which a line still belongs to the one before."""
MOST_ASIDES = 6
REASON_LINES = 2
"""Behind a panic's first line, within which the debug unit's own reason comes."""
_HINTS = tuple(dict.fromkeys(each.hint for each in (*BOARD_CLUES, *ASIDES, HEADLESS)))


@dataclass(frozen=True, slots=True)
class Seen:
    """A line that a clue was found in."""

    clue: Clue
    rank: int
    """Place among :data:`BOARD_CLUES`, or of :data:`ASIDES`."""
    line: TextLine
    count: int
    """Lines of this boot up to it."""
    ms: int
    """The last time of the board's clock that was heard by then."""
    at: int = 0
    """Where in the line."""

    def evidence(self) -> Evidence:
        """The line as evidence; a cause's without a time of its own is dated by the last line that had one."""
        own = self.line.event is not None or self.line.when or self.line.board_ms != NO_MS
        if own or self.ms == NO_MS or not self.clue.cause:
            return self.line.evidence(self.clue.says, self.at)
        return self.line.evidence(f"{self.clue.says}, after {self.ms} ms", self.at)


def cause_in(line: TextLine, count: int, ms: int) -> Seen | None:
    """The cause that a line shows, or None."""
    return _first(BOARD_CLUES, line, count, ms)


def doubtful_in(line: TextLine, count: int, ms: int) -> Seen | None:
    """The cause that a line shows if it is no quotation, which lines to come will tell; or None."""
    for rank, clue in enumerate(BOARD_CLUES):
        if (at := clue.doubtful_place(line.text)) >= 0:
            return Seen(clue, rank, line, count, ms, at)
    return None


def aside_in(line: TextLine, count: int, ms: int) -> Seen | None:
    """What a line adds to a cause that others show, or None."""
    return _first(ASIDES, line, count, ms)


def telling(text: str) -> bool:
    """Whether a line can hold a clue at all; quick."""
    return any(hint in text for hint in _HINTS)


def _first(clues: tuple[Clue, ...], line: TextLine, count: int, ms: int) -> Seen | None:
    for rank, clue in enumerate(clues):
        if (at := clue.place(line.text)) >= 0:
            return Seen(clue, rank, line, count, ms, at)
    return None


@dataclass(slots=True)
class Incident:
    """One failure, while its lines come in."""

    causes: dict[str, Seen] = field(default_factory=dict)
    """By the name of the cause, the first line of each."""
    asides: list[Seen] = field(default_factory=list)
    latest: int = 0
    """Count of lines at the last line that belongs here."""

    @property
    def main(self) -> Seen | None:
        """The line of the cause that explains the most, where there is one."""
        return min(self.causes.values(), key=lambda seen: seen.rank, default=None)

    def headless_in(self, line: TextLine, count: int, ms: int) -> Seen | None:
        """A panic that ``line`` ends, whose dump is here and whose first line nobody has heard; or None."""
        dumped = any(each.clue.says in DUMPED and each.count >= count - NEAR for each in self.asides)
        if self.causes or not dumped or HEADLESS.place(line.text) < 0:
            return None
        return Seen(HEADLESS, len(BOARD_CLUES), line, count, ms)

    def reaches(self, count: int) -> bool:
        """Whether a line at ``count`` still belongs here."""
        return count - self.latest <= NEAR

    def add_cause(self, seen: Seen) -> None:
        """A cause; what comes while the panic handler is at work on an earlier panic is that one's consequence."""
        panic = self.causes.get("panic")
        if panic is not None and seen.count - panic.count > REASON_LINES:
            self.add_aside(seen)
            return
        self.causes.setdefault(seen.clue.cause, seen)
        self.latest = seen.count

    def add_aside(self, seen: Seen) -> None:
        """Of what comes before a cause the latest lines are kept, of what comes with it the first ones."""
        self.latest = seen.count
        if not self.causes:
            near = [each for each in self.asides if each.count >= seen.count - NEAR]
            self.asides = [*near[1 - MOST_ASIDES // 2 :], seen]
        elif len(self.asides) < MOST_ASIDES:
            self.asides.append(seen)

    def evidence(self) -> list[Evidence]:
        """Every line, in the order in which they came."""
        told = [seen.line for seen in self.causes.values()]
        beside = [seen for seen in self.asides if all(seen.line is not line for line in told)]
        return [seen.evidence() for seen in sorted([*self.causes.values(), *beside], key=lambda seen: seen.count)]
