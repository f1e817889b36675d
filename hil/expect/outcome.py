"""What an expectation has come to."""

from dataclasses import dataclass
from typing import Literal

from hil.timeline.events import Event


@dataclass(frozen=True, slots=True)
class Pending:
    """Not decided yet."""

    step: int
    """Number of the step that is awaited, from 1; one more than there are steps while only the end is awaited."""


@dataclass(frozen=True, slots=True)
class Met:
    """Everything that was asked for happened, and nothing forbidden did."""

    events: tuple[Event, ...]
    """What the steps took, by time."""
    by_step: tuple[tuple[Event, ...], ...]
    """The same, step by step; () for a step that never took one."""
    at_ns: int
    """When the last of them happened; the end of the window where it had to pass without a forbidden event."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The sentence is not true."""

    reason: Literal["missing", "late", "forbidden", "too many"]
    """missing: not in the window; late: not within the step's own limit; forbidden, too many: a step's ``event``."""
    step: int
    """Number of the step that failed, from 1."""
    at_ns: int
    """When the window or the limit ended, or when ``event`` happened."""
    event: Event | None = None


Outcome = Pending | Met | Failed
