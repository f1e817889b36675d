"""Each hil test N times: what is selected, what is told, and how sure the rate is."""

import xml.etree.ElementTree as ET

import pytest

from hil.plugin.repeat import base, interval

TESTS = """
import pytest
from hil import BoardFailure, HarnessError
runs = []

@pytest.mark.hil
@pytest.mark.parametrize("persona", ["ios", "macos"])
def test_lease(persona):
    runs.append(persona)
    if runs == ["ios", "ios", "ios"]:
        raise BoardFailure("no lease")
    if runs == ["ios", "ios", "ios", "macos"]:
        raise HarnessError("no cable")

@pytest.mark.hil
def test_left_out():
    pytest.skip("for other boards")

def test_plain():
    pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Tests that need no bench, as they would run in the machine."""
    monkeypatch.setenv("HIL_BENCH_HOST", "tcg")
    monkeypatch.setattr("hil.plugin.run.Run.begin", lambda self: None)
    pytester.makepyfile(TESTS)
    pytester.makeini("[pytest]\nfilterwarnings = error")
    return pytester


def test_the_summary_tells_rate_interval_errors_and_skips(project: pytest.Pytester) -> None:
    """Each test on a line of its own; a rate counts what came to a verdict about the board."""
    result = project.runpytest_inprocess("-m", "hil or not hil", "--hil-repeat", "3")
    name = "test_the_summary_tells_rate_interval_errors_and_skips.py"
    result.stdout.fnmatch_lines(
        [
            "hil: each test 3 times",
            f"hil: {name}::test_lease[[]ios[]]: 2/3 passed, 95 % interval 0.21 to 0.94",
            f"hil: {name}::test_lease[[]macos[]]: 2/2 passed, 95 % interval 0.34 to 1.00; 1 error",
            f"hil: {name}::test_left_out: 0/0 passed, 95 % interval 0.00 to 1.00; 3 skipped",
        ]
    )
    result.assert_outcomes(passed=5, failed=1, errors=1, skipped=3)


def test_a_test_without_the_marker_runs_once(project: pytest.Pytester) -> None:
    """Only hil tests are repeated, and -k picks repetitions by their ids."""
    result = project.runpytest_inprocess("-m", "hil or not hil", "--hil-repeat", "4", "-k", "plain or repeat-3")
    result.assert_outcomes(passed=3, skipped=1, deselected=9)


def test_findings_are_counted(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the rate stands how often each finding came out."""

    def found(run, item, report, error):  # type: ignore[no-untyped-def]
        class Finding:
            name = "dhcp-server-silent"

        run.findings[item.nodeid] = [Finding()]

    monkeypatch.setattr("hil.plugin.reporting.explain_failure", found)
    result = project.runpytest_inprocess("-m", "hil", "--hil-repeat", "3", "-k", "ios")
    result.stdout.fnmatch_lines(["hil: *test_lease[[]ios[]]: 2/3 passed, *; dhcp-server-silent 1"])


def test_junit_has_the_repetition_and_the_rate(project: pytest.Pytester) -> None:
    """A property of each repetition, and one of the suite for each test."""
    project.runpytest_inprocess("-m", "hil", "--hil-repeat", "2", "-k", "ios", "--junitxml=junit.xml")
    suite = ET.parse(project.path / "junit.xml").getroot()[0]
    rates = {each.get("name"): each.get("value") for each in suite.findall("properties/property")}
    test = "test_junit_has_the_repetition_and_the_rate.py::test_lease[ios]"
    assert rates == {f"hil_repeat {test}": "2/2 passed, 95 % interval 0.34 to 1.00"}
    numbers = [each.get("value") for each in suite.findall("testcase/properties/property")]
    assert numbers == ["1 of 2", "2 of 2"]


def test_once_changes_nothing(project: pytest.Pytester) -> None:
    """Neither the ids nor the summary."""
    result = project.runpytest_inprocess("-m", "hil", "--hil-repeat", "1", "-v", "-k", "left_out")
    result.stdout.no_fnmatch_line("*repeat-1*")
    result.stdout.no_fnmatch_line("*interval*")


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "ten", "10001", "٣"])
def test_what_is_no_number_of_runs_is_one_clear_line(pytester: pytest.Pytester, text: str) -> None:
    """The run ends before collection."""
    result = pytester.runpytest_inprocess("-m", "hil", "--hil-repeat", text)
    result.stderr.fnmatch_lines([f"ERROR: --hil-repeat is {text!r}; wanted a whole number from 1 to 10000"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    ("nodeid", "shared"),
    [
        ("t.py::test_x[repeat-3]", "t.py::test_x"),
        ("t.py::test_x[ios-repeat-12]", "t.py::test_x[ios]"),
        ("t.py::C::test_x[repeat-1-repeat-2]", "t.py::C::test_x[repeat-1]"),
    ],
)
def test_repetitions_share_the_rest_of_their_id(nodeid: str, shared: str) -> None:
    """The last part alone is left out."""
    assert base(nodeid) == shared


@pytest.mark.parametrize(
    ("passed", "runs", "low", "high"),
    [(0, 0, 0.0, 1.0), (10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (9, 10, 0.5958, 0.9821), (50, 100, 0.4038, 0.5962)],
)
def test_the_interval_is_wilsons(passed: int, runs: int, low: float, high: float) -> None:
    """Values as statistical tables give them."""
    assert interval(passed, runs) == pytest.approx((low, high), abs=1e-4)
