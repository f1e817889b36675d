"""Whose fault a failure is, and what is shown of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Literal, cast

import pytest

from hil.errors import BoardFailure
from hil.plugin import verdict


def failed(when: Literal["setup", "call"] = "call", *properties: tuple[str, str]) -> pytest.TestReport:
    """The report of a test that has failed."""
    return pytest.TestReport(
        nodeid="t.py::test_x",
        location=("t.py", 3, "test_x"),
        keywords={},
        outcome="failed",
        longrepr="as it was",
        when=when,
        user_properties=properties,
    )


def test_a_boards_failure_shows_its_statement_and_its_text(pytester: pytest.Pytester) -> None:
    """File, line and statement of the test, the message, and no traceback of hil's own."""
    pytester.makepyfile(
        """
        from hil import BoardFailure

        def deep():
            raise BoardFailure("no lease\\nat all")

        def test_body():
            deep()
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    name = "test_a_boards_failure_shows_its_statement_and_its_text.py"
    result.stdout.fnmatch_lines([f"{name}:4: raise BoardFailure(*", "", "no lease", "at all"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_any_other_error_is_left_to_pytest(pytester: pytest.Pytester) -> None:
    """A plain assertion keeps its own explanation and is a failure."""
    pytester.makepyfile("def test_body():\n    assert 1 == 2\n")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([">*assert 1 == 2", "E*assert 1 == 2"])


def test_an_expected_harness_error_is_no_error(pytester: pytest.Pytester) -> None:
    """xfail keeps its meaning."""
    pytester.makepyfile(
        """
        import pytest
        from hil import HarnessError

        @pytest.mark.xfail(raises=HarnessError)
        def test_body():
            raise HarnessError("known")
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(xfailed=1)


@pytest.mark.parametrize(
    ("report", "wanted"),
    [
        (failed("call", ("hil_kind", "harness")), ("error", "E", "ERROR")),
        (failed("setup", ("hil_kind", "harness")), ("error", "E", "ERROR")),
        (failed("setup", ("hil_kind", "board")), ("failed", "F", "FAILED")),
        (failed("call", ("hil_finding", "x")), None),
        (failed("call"), None),
    ],
)
def test_the_kind_of_wrong_decides_what_is_shown(
    report: pytest.TestReport, wanted: tuple[str, str, str] | None
) -> None:
    """In fixtures and bodies alike; what is no error of hil is left to pytest."""
    assert verdict.status(report) == wanted


def test_shape_leaves_errors_of_others_alone() -> None:
    """Only hil's own errors change a report."""
    report = failed()
    verdict.shape(cast(pytest.Item, None), report, pytest.ExceptionInfo.from_exception(caught(ValueError("x"))))
    assert report.longrepr == "as it was"


def test_shape_of_an_error_outside_of_the_tests_file_has_no_place(tmp_path: Path) -> None:
    """A fixture of another file failed: the text stands alone."""
    report = failed("setup")
    item = cast(pytest.Item, SimpleNamespace(path=tmp_path / "t.py", user_properties=[]))
    verdict.shape(item, report, pytest.ExceptionInfo.from_exception(caught(BoardFailure("gone"))))
    assert report.longrepr == "gone"


def caught(error: Exception) -> Exception:
    """The error with a traceback."""
    try:
        raise error
    except (BoardFailure, ValueError) as found:
        return found
