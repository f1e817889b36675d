"""A log of any firmware or build, read once from the first line to the last."""

from collections.abc import Iterable

from hil.diagnosis.finding import Evidence, Finding
from hil.diagnosis.text.board_causes import BOARD_CAUSES
from hil.diagnosis.text.build import Build
from hil.diagnosis.text.build_causes import BUILD_CAUSES
from hil.diagnosis.text.carrier import Carrier
from hil.diagnosis.text.clue import Cause
from hil.diagnosis.text.line import TextLine
from hil.diagnosis.text.story import Story

CAUSES: dict[str, Cause] = {cause.name: cause for cause in (*BOARD_CAUSES, *BUILD_CAUSES)}
"""Everything that a log can show, by name."""


class LogReader:
    """Hears lines and tells what they show; what it keeps does not grow with the log."""

    def __init__(self) -> None:
        self._story = Story()
        self._build = Build()
        self._carrier = Carrier()

    def hear(self, lines: Iterable[TextLine]) -> None:
        for line in lines:
            self._story.hear(line)
            self._build.hear(line)
            self._carrier.hear(line)

    def asked(self) -> None:
        """A test resets the board now, or pulls its cable: the reset that follows is not the board's doing."""
        self._story.asked()

    def finish(self, board: str = "") -> list[Finding]:
        """The findings, one for each cause, in the order in which the causes came; to be called once."""
        told = self._story.finish()
        shown: dict[str, tuple[Evidence, ...]] = {name: tally.supports() for name, tally in told.items()}
        against = {name: tally.against for name, tally in told.items()}
        for name, evidence in self._build.evidence().items():
            shown[name] = (*shown.get(name, ()), *evidence)
        if carrier := self._carrier.evidence():
            shown["no-carrier"] = carrier
        return [finding(CAUSES[name], evidence, board, against.get(name, ())) for name, evidence in shown.items()]


def finding(
    cause: Cause, supports: tuple[Evidence, ...], board: str = "", contradicts: tuple[Evidence, ...] = ()
) -> Finding:
    """What is printed of a cause and the lines that show it."""
    return Finding(
        name=cause.name,
        title=cause.title,
        board=board,
        supports=supports,
        contradicts=contradicts,
        cause=cause.cause,
        remedy=cause.remedy,
        source=cause.source,
    )
