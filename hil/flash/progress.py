"""How far flashing is, as values."""

from collections.abc import Callable
from dataclasses import dataclass

CONNECTING, COMPARING, ERASING, WRITING = "connecting", "comparing", "erasing", "writing"
VERIFYING, RESETTING, DONE, FAILED = "verifying", "resetting", "done", "failed"
STATUSES = (CONNECTING, COMPARING, ERASING, WRITING, VERIFYING, RESETTING, DONE, FAILED)
"""In the order in which they come; erasing and writing alternate where several regions are written."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One step."""

    status: str
    """One of :data:`STATUSES`."""
    percent: int = 0
    """Of the bytes that are written; 100 from then on, where it failed if it did."""
    detail: str = ""
    """What is written, or why it failed."""
    reason: str = ""
    """Why it failed, as the error's own ``reason``."""

    def __str__(self) -> str:
        percent = f" {self.percent} %" if self.status == WRITING else ""
        return f"{self.status}{percent}{f': {self.detail}' if self.detail else ''}"


OnProgress = Callable[[Progress], None]


class Told:
    """Passes on what is new, and remembers where it is: of writing, each whole percent once."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._tell = on_progress
        self._last = Progress("")

    def tell(self, status: str, percent: int | None = None, detail: str = "") -> None:
        """``percent`` None: as before."""
        now = Progress(status, self._last.percent if percent is None else percent, detail)
        if now != self._last:
            self._last = now
            self._tell(now)


class Lines:
    """Steps as lines for a terminal: each status as it begins, and of writing every quarter."""

    def __init__(self, write: Callable[[str], object], prefix: str) -> None:
        self._write = write
        self._prefix = prefix
        self._shown = ("", 0)

    def __call__(self, step: Progress) -> None:
        quarter = step.percent // 25 * 25 if step.status == WRITING else 0
        if (step.status, quarter) != self._shown:
            self._shown = (step.status, quarter)
            self._write(f"{self._prefix}{step}")
