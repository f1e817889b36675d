"""What a person sees of a run, and what is kept of a test that failed."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Literal, cast

import pytest

from hil import bench
from hil.bench import Bench, Board
from hil.device.open_bench import OpenBench
from hil.device.witness import Witness
from hil.diagnosis.finding import NO_MATCH
from hil.errors import BoardFailure, HarnessError
from hil.plugin import reporting
from hil.plugin.options import Options
from hil.plugin.run import FAILED, STARTED, Run
from hil.testing.fake_capture import FakeCapture
from hil.testing.fake_clock import FakeClock
from hil.timeline.events import Carrier
from hil.timeline.journal import read_journal

MARK = ".hil-artifacts"
REAL = Bench("rpi5", (Board("s3-a", "1-1.2", supply="own"), Board("s3-b", "1-1.3", profile="reference")))


class Bed:
    """A run with an opened bench whose timeline is a fake journal."""

    def __init__(self, directory: Path) -> None:
        self.artifacts = directory / "hil"
        self.run = run_on(bench.virtual(), self.artifacts)
        self.capture = FakeCapture(directory, FakeClock(1000))
        self.witness = Witness(self.capture)
        self.gathered = 0
        board = SimpleNamespace(name="virtual-s3", gather=self._gather)
        self.run.opened = cast(OpenBench, SimpleNamespace(witness=self.witness, board=lambda name: board))

    def _gather(self) -> None:
        self.gathered += 1

    def explain(self, report: pytest.TestReport, started_ns: int = 1000) -> pytest.Item:
        """The hook's work on a test whose board was ready at ``started_ns``."""
        item = cast(
            pytest.Item,
            SimpleNamespace(stash=pytest.Stash(), nodeid="t.py::test_x", name="test_x[a/b]", user_properties=[]),
        )
        item.stash[STARTED] = started_ns
        reporting.explain_failure(self.run, item, report)
        return item

    @property
    def kept(self) -> Path:
        return self.artifacts / "test_x-a-b-"


def run_on(where: Bench, artifacts: Path, faults: tuple[str, ...] = ()) -> Run:
    """A run that has opened nothing."""
    options = Options(bench="", board="", artifacts=artifacts, tinyusb="0.19", faults=faults)
    return Run(options=options, bench=where, where="this machine")


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


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    """A virtual bench that is open."""
    made = Bed(tmp_path)
    yield made
    made.witness.close()


# ---- the header ---------------------------------------------------------------------------------


def test_the_header_shouts_what_is_not_real(tmp_path: Path) -> None:
    """The virtual bench, its TinyUSB and every fault are named."""
    assert reporting.header(run_on(bench.virtual(), tmp_path, ("late-link", "own.py:after_s=3"))) == [
        f"hil: bench virtual (VIRTUAL), on this machine; evidence in {tmp_path}",
        "hil: board virtual-s3 on the virtual bus, profile reference, supply bus",
        "hil: virtual firmware with TinyUSB 0.19",
        "hil: VIRTUAL FAULT late-link",
        "hil: VIRTUAL FAULT own.py:after_s=3",
    ]


def test_the_header_lists_the_boards_of_a_real_bench(tmp_path: Path) -> None:
    """Where each is, and as what it is taken."""
    assert reporting.header(run_on(REAL, tmp_path)) == [
        f"hil: bench rpi5 (real), on this machine; evidence in {tmp_path}",
        "hil: board s3-a at 1-1.2, profile generic, supply own",
        "hil: board s3-b at 1-1.3, profile reference, supply bus",
    ]


# ---- the artifact folder ------------------------------------------------------------------------


def test_a_new_folder_is_made_and_marked(tmp_path: Path) -> None:
    """With its parents."""
    reporting.clear_artifacts(tmp_path / "build" / "hil")
    assert [entry.name for entry in (tmp_path / "build" / "hil").iterdir()] == [MARK]


def test_the_run_before_is_cleared_and_what_it_linked_to_is_not(tmp_path: Path) -> None:
    """Files, folders and links go; a link's target stays."""
    outside, folder = tmp_path / "outside", tmp_path / "hil"
    outside.mkdir()
    (outside / "precious").touch()
    reporting.clear_artifacts(folder)
    (folder / "test_x").mkdir()
    (folder / "test_x" / "timeline.jsonl").touch()
    (folder / "link").symlink_to(outside)
    (folder / "file").touch()
    reporting.clear_artifacts(folder)
    assert [entry.name for entry in folder.iterdir()] == [MARK]
    assert (outside / "precious").exists()


def test_a_folder_that_hil_did_not_make_is_refused(tmp_path: Path) -> None:
    """Nothing in it is touched."""
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(HarnessError, match=r"--hil-artifacts .* is not empty and was not made by hil; choose another"):
        reporting.clear_artifacts(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """As one clear line."""
    (tmp_path / "hil").touch()
    with pytest.raises(HarnessError, match=r"--hil-artifacts .*hil: .*Not a directory"):
        reporting.clear_artifacts(tmp_path / "hil")


# ---- the two kinds of wrong ---------------------------------------------------------------------


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
    assert reporting.status(report) == wanted


# ---- after a failure ----------------------------------------------------------------------------


def test_a_failures_timeline_is_kept_from_its_start_on(bed: Bed) -> None:
    """What was before the test's board was ready is left out; the file can be read back."""
    bed.capture.record(Carrier(False, "usb0", t_ns=999))
    bed.capture.record(Carrier(True, "usb0", t_ns=1000))
    report = failed()
    item = bed.explain(report)
    events, rest = read_journal((bed.kept / "timeline.jsonl").read_text())
    assert [event.t_ns for event in events] == [1000]
    assert rest == ""
    assert item.stash[FAILED]
    assert bed.gathered == 1
    assert report.sections == [("hil finding", f"finding   {NO_MATCH}")]
    assert not (bed.kept / "finding.txt").exists()


@pytest.mark.parametrize("report", [failed("setup"), failed("call", ("hil_kind", "harness"))])
def test_what_is_not_the_boards_fault_is_kept_and_not_diagnosed(bed: Bed, report: pytest.TestReport) -> None:
    """The board is not asked and no cause is looked for."""
    bed.capture.record(Carrier(True, "usb0", t_ns=1000))
    bed.explain(report)
    assert (bed.kept / "timeline.jsonl").exists()
    assert bed.gathered == 0
    assert report.sections == []
    assert bed.run.findings == {}


def test_evidence_that_cannot_be_kept_does_not_hide_the_failure(bed: Bed) -> None:
    """A garbled journal, or a folder that cannot be written, is told beside the failure."""
    bed.capture.append("nonsense\n")
    report = failed()
    bed.explain(report)
    assert report.longrepr == "as it was"
    ((name, text),) = report.sections
    assert name == "hil evidence"
    assert text.startswith("not kept: HarnessError: ")
    assert text.endswith("it begins 'nonsense'")


def test_a_run_whose_bench_never_opened_keeps_nothing(bed: Bed) -> None:
    """There is no timeline to keep."""
    bed.run.opened = None
    bed.explain(failed())
    assert not bed.artifacts.exists()


def test_the_summary_lists_findings_skipped_checks_and_the_evidence(bed: Bed) -> None:
    """A failure without a cause says so."""
    bed.run.findings["t.py::test_x"] = []
    bed.run.skipped_checks.append(("t.py::test_y", "FIRST_RX: the board's event log is full"))
    lines: list[str] = []
    reporting.summary(bed.run, cast(pytest.TerminalReporter, SimpleNamespace(write_line=lines.append)))
    assert lines == [
        f"hil: t.py::test_x: {NO_MATCH}",
        "hil: t.py::test_y: skipped check: FIRST_RX: the board's event log is full",
        f"hil: evidence in {bed.artifacts}",
    ]


def test_shape_leaves_errors_of_others_alone() -> None:
    """Only hil's own errors change a report."""
    report = failed()
    reporting.shape(cast(pytest.Item, None), report, pytest.ExceptionInfo.from_exception(caught(ValueError("x"))))
    assert report.longrepr == "as it was"


def test_shape_of_an_error_outside_of_the_tests_file_has_no_place(tmp_path: Path) -> None:
    """A fixture of another file failed: the text stands alone."""
    report = failed("setup")
    item = cast(pytest.Item, SimpleNamespace(path=tmp_path / "t.py", user_properties=[]))
    reporting.shape(item, report, pytest.ExceptionInfo.from_exception(caught(BoardFailure("gone"))))
    assert report.longrepr == "gone"


def caught(error: Exception) -> Exception:
    """The error with a traceback."""
    try:
        raise error
    except (BoardFailure, ValueError) as found:
        return found
