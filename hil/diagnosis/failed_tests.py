"""The tests of a saved run that failed, each with the part of the timeline that it is judged by."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hil.diagnosis.finding import Finding
from hil.diagnosis.signatures import diagnose
from hil.timeline.events import BenchOpened, Event, TestEnded, TestStarted

BAD = ("failed", "error")


@dataclass(frozen=True)
class Judged:
    """What the signatures say of one test."""

    test: str
    """pytest node id; '' for a timeline without tests."""
    since_ns: int
    findings: tuple[Finding, ...]


def judge(events: Iterable[Event]) -> Iterator[Judged]:
    """Judge each failed test of a run, as pytest did when it failed.

    A test that has no end was being told about when the timeline was kept: it failed too. A timeline without any test
    is judged as a whole, board by board.
    """
    kept: list[Event] = []
    running: dict[str, TestStarted] = {}
    tests = 0
    for event in events:
        if isinstance(event, BenchOpened):  # a run of its own, with a clock of its own
            kept, running = [], {}
        kept.append(event)
        if isinstance(event, TestStarted):
            running[event.board] = event
            tests += 1
        elif isinstance(event, TestEnded):
            started = running.pop(event.board, None)
            if started is not None and event.outcome in BAD:
                yield _judged(kept, started.test, event.board, started.t_ns, event.t_ns)
    if not kept:
        return
    last_ns = max(event.t_ns for event in kept)
    for board, started in running.items():
        yield _judged(kept, started.test, board, started.t_ns, last_ns)
    if not tests:
        first_ns = min(event.t_ns for event in kept)
        for board in sorted({event.board for event in kept} - {""}):
            yield _judged(kept, "", board, first_ns, last_ns)


def _judged(kept: list[Event], test: str, board: str, since_ns: int, until_ns: int) -> Judged:
    return Judged(test, since_ns, tuple(diagnose(kept, board, since_ns, until_ns)))
