"""Who has yet to look at an expectation: one that is written and never judged is an error of the test."""

from dataclasses import dataclass

from hil.expect.engine import Expectation


@dataclass(frozen=True, slots=True)
class Entry:
    """An expectation and where it was written."""

    expectation: Expectation
    where: str
    """'tests/test_replug.py:31'"""

    def __str__(self) -> str:
        return f"{self.where}: {', '.join(map(repr, self.expectation.steps))}"


class Ledger:
    """The expectations of one test."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def open(self, expectation: Expectation, where: str) -> Expectation:
        """Write down that ``expectation`` was made at ``where``, as 'file:line'; returns it."""
        self._entries.append(Entry(expectation, where))
        return expectation

    def unjudged(self) -> list[Entry]:
        """The expectations whose outcome nobody has looked at, oldest first."""
        return [entry for entry in self._entries if not entry.expectation.judged]

    def complaint(self) -> str:
        """What to tell the author of the test; '' where every expectation was judged."""
        entries = self.unjudged()
        if not entries:
            return ""
        count = "1 expectation was" if len(entries) == 1 else f"{len(entries)} expectations were"
        listed = "\n".join(f"  {entry}" for entry in entries)
        return f"{count} opened and never judged; wait for it or leave its 'with' block:\n{listed}"
