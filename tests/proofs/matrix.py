"""Fault, scenario, finding: what came out of each case of a run, as a table and in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.proofs.cases import Case

FOUND, WRONG, NOTHING, QUIET, UNTOLD = "found", "wrong name", "nothing found", "no finding", "no outcome"
RIGHT = (FOUND, QUIET)
COLUMNS = ("board", "scenario", "finding", "came out")


@dataclass(frozen=True, slots=True)
class Row:
    """One case and what came out."""

    case: Case
    findings: frozenset[str] | None
    """None where the run left no report, or one with errors of the harness."""

    @property
    def verdict(self) -> str:
        """One of the words above; of a clean board the right one is :data:`QUIET`."""
        if self.findings is None:
            return UNTOLD
        wanted = {self.case.finding} - {""}
        if self.findings == wanted:
            return FOUND if wanted else QUIET
        return WRONG if self.findings else NOTHING

    def cells(self) -> tuple[str, ...]:
        others = sorted((self.findings or frozenset()) - {self.case.finding})
        came = f"{self.verdict}: {', '.join(others)}" if others else self.verdict
        scenario = self.case.scenarios[-1].removeprefix("test_").replace(".py::test_", ": ")
        return (self.case.fault or f"clean ({self.case.name})", scenario, self.case.finding or "none", came)


MATRIX = pytest.StashKey[list[Row]]()


def text(rows: Sequence[Row]) -> str:
    """The table, and how many of the faulty boards were found by their own name."""
    table = [COLUMNS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join([*lines, "", summary(rows)])


def summary(rows: Sequence[Row]) -> str:
    faulty = [row for row in rows if row.case.finding]
    clean = [row for row in rows if not row.case.finding]
    found = sum(row.verdict == FOUND for row in faulty)
    wrong = sum(row.verdict == WRONG for row in rows)
    quiet = sum(row.verdict == QUIET for row in clean)
    kinds = len({row.case.finding for row in faulty if row.verdict == FOUND})
    return (
        f"{found} of {len(faulty)} faulty boards found, {kinds} different findings; {wrong} by a wrong name; "
        f"{quiet} of {len(clean)} clean boards without a finding"
    )
