"""Which tests of a saved run are judged, and by which part of it."""

from pathlib import Path

from msgspec.structs import replace

from hil.diagnosis.failed_tests import judge
from hil.timeline.events import BenchOpened, Event, SerialLine, TestEnded, TestStarted

LOGS = Path(__file__).parents[2] / "fixtures" / "logs"


def at(t_s: float, event: Event, board: str = "s3-a") -> Event:
    return replace(event, t_ns=round(t_s * 1e9), t_err_ns=0, board=board, source="console")


def panic(t_s: float, board: str = "s3-a") -> list[Event]:
    texts = (LOGS / "synthetic-panic.log").read_text().splitlines()
    return [at(t_s, SerialLine(text, 0, 9, True), board) for text in texts]


def told(events: list[Event]) -> list[tuple[str, list[str]]]:
    return [(each.test, [finding.name for finding in each.findings]) for each in judge(events)]


def ended(t_s: float, test: str, outcome: str, board: str = "s3-a") -> list[Event]:
    """A test of one second that ends at ``t_s``; a panic in the middle of it goes between."""
    return [at(t_s - 1, TestStarted(test), board), *panic(t_s - 0.5, board), at(t_s, TestEnded(test, outcome), board)]


def test_failed_tests_are_judged_by_their_own_part() -> None:
    """A test that passed is not, although its board panicked in it; a panic before a test is not the test's."""
    quiet = [at(5, TestStarted("c")), at(6, TestEnded("c", "failed"))]
    events = [*ended(2, "a", "passed"), *ended(4, "b", "failed"), *quiet]
    assert told(events) == [("b", ["panic"]), ("c", [])]


def test_a_test_without_an_end_failed() -> None:
    """The part of a timeline that is kept of a failed test is written before its end."""
    assert told([at(1, TestStarted("a")), *panic(2)]) == [("a", ["panic"])]


def test_each_board_has_its_own_tests() -> None:
    """Two benches' workers in one timeline."""
    events = [*ended(2, "a", "failed"), *ended(2.1, "b", "error", "s3-b")]
    assert told(events) == [("a", ["panic"]), ("b", ["panic"])]


def test_runs_that_share_a_file_are_told_apart() -> None:
    """Each run has a clock of its own, so that their times overlap."""
    opened = at(0, BenchOpened("lab", "virtual", ""), "")
    healthy = [at(1, TestStarted("b")), at(4, TestEnded("b", "failed"))]
    assert told([opened, *ended(2, "a", "failed"), opened, *healthy]) == [("a", ["panic"]), ("b", [])]


def test_a_timeline_without_tests_is_judged_as_a_whole() -> None:
    """Board by board; nothing at all is nothing."""
    assert told([*panic(1), *panic(1, "s3-b")]) == [("", ["panic"]), ("", ["panic"])]
    assert told([]) == []
