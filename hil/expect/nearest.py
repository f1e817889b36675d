"""The event that came nearest to a step that was not met, and what was wrong with it."""

from dataclasses import dataclass

from hil.clock import to_s
from hil.expect.engine import Expectation
from hil.expect.pattern import closeness, describe_mismatch, mismatches
from hil.timeline.events import ANY, Event
from hil.timeline.timeline import Timeline

COMPARED = 200
"""Events whose texts are compared; of more, the ones with the fewest fields that differ, latest first."""


@dataclass(frozen=True, slots=True)
class Miss:
    """An event that was not enough."""

    event: Event
    reasons: tuple[str, ...]
    """One line each: the fields that differ, or what was wrong with its time."""


def nearest_miss(expectation: Expectation, number: int, timeline: Timeline, taken: dict[int, int]) -> Miss | None:
    """The nearest event for any pattern of step ``number`` that is still open; None where none is of its class.

    Args:
        taken: number of the step that has taken an event, by the event's id.
    """
    candidates = [
        (pattern, event)
        for pattern in expectation.missing(number)
        for event in timeline.by_time()
        if isinstance(event, type(pattern))
        and taken.get(id(event)) != number
        and _ours(expectation, pattern, event)
        and _worth_telling(pattern, event, expectation)
    ]
    if not candidates:
        return None
    candidates.sort(key=lambda pair: (len(mismatches(*pair)), -pair[1].t_ns))
    pattern, event = max(candidates[:COMPARED], key=lambda pair: closeness(*pair))
    return Miss(event, tuple(_reasons(expectation, pattern, event, taken)))


def _ours(expectation: Expectation, pattern: Event, event: Event) -> bool:
    return expectation.board is None or pattern.board is not ANY or event.board == expectation.board


def _worth_telling(pattern: Event, event: Event, expectation: Expectation) -> bool:
    """Inside the window anything of the class is; outside it only what would have matched, a window's length around."""
    around_ns = expectation.end_ns - expectation.since_ns
    if expectation.since_ns <= event.t_ns + event.t_err_ns and event.t_ns - event.t_err_ns <= expectation.end_ns:
        return True
    near = expectation.since_ns - around_ns <= event.t_ns <= expectation.end_ns + around_ns
    return near and not mismatches(pattern, event)


def _reasons(expectation: Expectation, pattern: Event, event: Event, taken: dict[int, int]) -> list[str]:
    differing = mismatches(pattern, event)
    if differing:
        return [f"{name}: {describe_mismatch(wanted, got)}" for name, wanted, got in differing]
    if id(event) in taken:
        return [f"it fits, but step {taken[id(event)]} has it"]
    if event.t_ns + event.t_err_ns < expectation.since_ns:
        return [f"it fits, but came {to_s(expectation.since_ns - event.t_ns):.3f} s before {expectation.since_name}"]
    if event.t_ns - event.t_err_ns > expectation.end_ns:
        return [f"it fits, but came {to_s(event.t_ns - expectation.end_ns):.3f} s after the window closed"]
    return ["it fits, but not in this place: " + _misplaced(expectation, event)]


def _misplaced(expectation: Expectation, event: Event) -> str:
    """Which step it came before, or that it came after the step's own limit."""
    for number, _ in enumerate(expectation.steps, 1):
        for other in expectation.taken(number):
            if event.t_ns + event.t_err_ns < other.t_ns - other.t_err_ns:
                return f"it came {to_s(other.t_ns - event.t_ns):.3f} s before step {number}"
    return "it came after the limit of its step"
