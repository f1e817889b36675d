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

    def found_in(self, text: str) -> bool:
        return self.hint in text and self.pattern.search(text) is not None


def clue(cause: str, says: str, hint: str, pattern: str = "") -> Clue:
    """A clue; without a pattern the hint itself is what is looked for."""
    return Clue(cause, says, hint, re.compile(pattern or re.escape(hint)))
