"""What a cause is, and what points at one."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a board or a build failed; the texts of its finding."""

    name: str
    """Stable, lower case with dashes: what a test and a report refer to."""
    title: str
    cause: str
    remedy: str
    source: str


@dataclass(frozen=True, slots=True)
class Clue:
    """A line that shows a cause, or goes with one."""

    cause: str
    """Name of the cause; '' where the line alone shows none, and is evidence beside one that does."""
    says: str
    hint: str
    """Every line that matches holds this."""
    pattern: re.Pattern[str]
    cut_in: re.Pattern[str] | None = None
    """The same behind other text of the line: a panic that cut into it, or words that quote one."""

    def place(self, text: str) -> int:
        """Where in ``text`` the clue is, or -1."""
        return _place(self.pattern, text) if self.hint in text else -1

    def doubtful_place(self, text: str) -> int:
        """Where it is as :attr:`cut_in`, or -1."""
        return _place(self.cut_in, text) if self.cut_in is not None and self.hint in text else -1


def _place(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return found.start() if found else -1


def clue(cause: str, says: str, hint: str, pattern: str = "", cut_in: str = "") -> Clue:
    """A clue; without a pattern the hint itself is what is looked for."""
    return Clue(cause, says, hint, re.compile(pattern or re.escape(hint)), re.compile(cut_in) if cut_in else None)
