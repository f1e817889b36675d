"""Whose fault a failure is: what of it every session shows, with a bench or without one."""

import pytest

from hil.errors import HarnessError, HilError

KIND = "hil_kind"
"""Property of a failed test, also in JUnit, whose own failure and error tell body from fixture and nothing else."""
HARNESS, BOARD = "harness", "board"
OUTCOMES = PASSED, SKIPPED, FAILED, ERROR = "passed", "skipped", "failed", "error"
"""Of one part of a test, the worse the later."""


def shape(item: pytest.Item, report: pytest.TestReport, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Show an error of hil as its own text below the test's line, and mark what is not the board's fault."""
    error = excinfo.value
    if not isinstance(error, HilError):
        return
    kind = (KIND, HARNESS if isinstance(error, HarnessError) else BOARD)
    report.user_properties.append(kind)
    item.user_properties.append(kind)  # pytest copies these into each report, and JUnit takes those of the last
    crash = next((entry for entry in reversed(excinfo.traceback) if entry.path == item.path), None)
    place = f"{report.location[0]}:{crash.lineno + 1}: " if crash is not None else ""
    statement = f"{place}{str(crash.statement).strip()}\n\n" if crash is not None else ""
    named = f"{type(error).__name__}: " if isinstance(error, HarnessError) else ""
    report.longrepr = f"{statement}{named}{error}"


def whose_fault(report: pytest.TestReport) -> str:
    """:data:`HARNESS` or :data:`BOARD` where an error of hil failed this part of the test, else ''."""
    kinds = [str(value) for name, value in getattr(report, "user_properties", ()) if name == KIND]
    return kinds[-1] if report.failed and kinds else ""


def is_harness_error(report: pytest.TestReport) -> bool:
    """Whether the report's failure is the bench's, the test's or hil's own."""
    return whose_fault(report) == HARNESS


def outcome_of(report: pytest.TestReport) -> str:
    """One of :data:`OUTCOMES`; what fails outside of a test's body is an error, unless it is the board's fault."""
    if not report.failed:
        return SKIPPED if report.skipped else PASSED
    whose = whose_fault(report)
    return ERROR if whose == HARNESS or (not whose and report.when != "call") else FAILED


def status(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """The two kinds of wrong keep their names in fixtures and in test bodies alike."""
    known = {HARNESS: ("error", "E", "ERROR"), BOARD: ("failed", "F", "FAILED")}
    return known.get(whose_fault(report))
