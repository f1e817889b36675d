"""What a build log shows."""

from hil.diagnosis.finding import Evidence
from hil.diagnosis.text.build_causes import BUILD_CLUES, BUILT, FLASHED, HASH, OPTION, UNANSWERED, WARNED
from hil.diagnosis.text.line import TextLine

MOST_EVIDENCE = 6
_HINTS = tuple(dict.fromkeys((*BUILT, FLASHED, *(clue.hint for clue in BUILD_CLUES))))


class Build:
    """The causes that the lines of a build have shown since the last build that succeeded."""

    def __init__(self) -> None:
        self._shown: dict[str, list[Evidence]] = {}
        self._beside: list[Evidence] = []
        self._warned: list[Evidence] = []
        """What compiles since the last build that succeeded, and is wrong all the same."""

    def hear(self, line: TextLine) -> None:
        text = line.text
        if not any(hint in text for hint in _HINTS):
            return
        if FLASHED in text:
            self._shown.pop(UNANSWERED, None)
            return
        if any(words in text for words in BUILT):
            self._shown = {OPTION: self._warned} if self._warned else {}
            self._warned = []
            return
        for clue in BUILD_CLUES:
            if (at := clue.place(text)) >= 0:
                lines = self._shown.setdefault(clue.cause, []) if clue.cause else self._beside
                for each in (lines, self._warned) if clue is WARNED else (lines,):
                    if len(each) < MOST_EVIDENCE:
                        each.append(line.evidence(clue.says, at))
                return

    def evidence(self) -> dict[str, tuple[Evidence, ...]]:
        """By cause, in the order in which the causes came."""
        return {name: (*(self._beside if name == HASH else ()), *lines) for name, lines in self._shown.items()}
