"""What the matrix says of a run: found, found by a wrong name, not found, and clean."""

import pytest

from tests.proofs.cases import Case
from tests.proofs.matrix import Row, text

MUTE = Case("mute-1", "mute:from_boot=2", ("test_replug.py", "test_connect.py::test_host_waits[ios]"), "mute-board")
CLEAN = Case("clean-1", "", ("test_connect.py",), "")


@pytest.mark.parametrize(
    ("case", "findings", "verdict"),
    [
        (MUTE, {"mute-board"}, "found"),
        (MUTE, {"mute-board", "other"}, "wrong name"),
        (MUTE, {"other"}, "wrong name"),
        (MUTE, set(), "nothing found"),
        (MUTE, None, "no outcome"),
        (CLEAN, set(), "no finding"),
        (CLEAN, {"other"}, "wrong name"),
    ],
)
def test_each_outcome_has_its_word(case: Case, findings: set[str] | None, verdict: str) -> None:
    """A finding beside the right one is wrong too; a clean board is right where nothing came out."""
    assert Row(case, None if findings is None else frozenset(findings)).verdict == verdict


def test_the_matrix_is_printed_with_its_sum() -> None:
    """Fault with its timing, the scenario that must find it, the finding, and what came instead."""
    rows = [Row(MUTE, frozenset({"mute-board"})), Row(MUTE, frozenset({"other"})), Row(CLEAN, frozenset())]
    assert text(rows).splitlines() == [
        "board             scenario                  finding     came out",
        "mute:from_boot=2  connect: host_waits[ios]  mute-board  found",
        "mute:from_boot=2  connect: host_waits[ios]  mute-board  wrong name: other",
        "clean (clean-1)   connect.py                none        no finding",
        "",
        "1 of 2 faulty boards found, 1 different findings; 1 by a wrong name; 1 of 1 clean boards without a finding",
    ]


def test_the_summary_of_a_run_has_the_matrix(pytester: pytest.Pytester) -> None:
    """It is printed at the end, where a proof has put its rows."""
    pytester.makeconftest("from tests.proofs.conftest import pytest_terminal_summary")
    pytester.makepyfile(
        f"""
        from tests.proofs.cases import Case
        from tests.proofs.matrix import MATRIX, Row

        def test_one(pytestconfig):
            case = Case("a-1", "a", ("test_b.py",), "{MUTE.finding}")
            pytestconfig.stash.setdefault(MATRIX, []).append(Row(case, None))
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:hil", "-p", "no:hypothesispytest")
    result.stdout.fnmatch_lines(["*faults, scenarios, findings*", "a*mute-board*no outcome"])
