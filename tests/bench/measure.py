"""Runs two ways of doing the same thing in turn, so that what the machine does meanwhile meets both alike."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

RUNS = 5


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    ours: float
    unit: str
    limit: float | None
    """Of ``ours / bare`` where there is a bare way, else of ``ours``; None where the figure only informs."""
    bare: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float:
        """What the limit is for."""
        return self.ours if self.bare is None else self.ours / self.bare

    @property
    def text(self) -> str:
        """For the terminal."""
        compared = f"{self.ours:10.3f} {self.unit}"
        if self.bare is not None:
            compared += f"  bare {self.bare:10.3f} {self.unit}  ratio {self.ratio:5.2f}"
        if self.limit is None:
            return f"      {self.name:<50}{compared:<60}{self.note}"
        verdict = "ok  " if self.ratio <= self.limit else "OVER"
        return f"{verdict}  {self.name:<50}{compared:<60}limit {self.limit:g}  {self.note}"


def interleaved(ours: Callable[[], float], bare: Callable[[], float], runs: int = RUNS) -> tuple[float, float]:
    """The medians of both."""
    pairs = [(ours(), bare()) for _ in range(runs)]
    return median(our for our, _ in pairs), median(their for _, their in pairs)
