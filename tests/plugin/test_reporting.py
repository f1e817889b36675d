"""What a person sees of a run, and what is kept of a test that failed."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen
from types import SimpleNamespace
from typing import Literal, cast

import pytest

from hil import bench
from hil.bench import Bench, Board
from hil.device.open_bench import OpenBench
from hil.device.witness import Witness
from hil.diagnosis.finding import NO_MATCH
from hil.errors import BenchError, BoardFailure, FlashRefused, HarnessError
from hil.plugin import reporting
from hil.plugin.options import Options
from hil.plugin.run import STARTED, Run
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
        self.gathering_s = 0.0
        board = SimpleNamespace(name="virtual-s3", gather=self._gather)
        self.run.opened = cast(OpenBench, SimpleNamespace(witness=self.witness, board=lambda name: board))

    def _gather(self) -> None:
        self.gathered += 1
        signal.sigtimedwait([], self.gathering_s)

    def explain(
        self, report: pytest.TestReport, started_ns: int = 1000, error: BaseException | None = None
    ) -> pytest.Item:
        """The hook's work on a test whose board was ready at ``started_ns``."""
        item = cast(
            pytest.Item,
            SimpleNamespace(stash=pytest.Stash(), nodeid="t.py::test_x", name="test_x[a/b]", user_properties=[]),
        )
        item.stash[STARTED] = started_ns
        reporting.explain_failure(self.run, item, report, error or BoardFailure())
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
    reporting.clear_artifacts(tmp_path / "build" / "hil")()
    assert [entry.name for entry in (tmp_path / "build" / "hil").iterdir()] == [MARK]


def test_the_run_before_is_cleared_and_what_it_linked_to_is_not(tmp_path: Path) -> None:
    """Files, folders and links go; a link's target stays."""
    outside, folder = tmp_path / "outside", tmp_path / "hil"
    outside.mkdir()
    (outside / "precious").touch()
    reporting.clear_artifacts(folder)()
    (folder / "test_x").mkdir()
    (folder / "test_x" / "timeline.jsonl").touch()
    (folder / "link").symlink_to(outside)
    (folder / "file").touch()
    reporting.clear_artifacts(folder)()
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


def test_a_run_that_has_not_ended_keeps_its_evidence(tmp_path: Path) -> None:
    """The second one is told which process writes there, and what to do; the run in the machine shares it."""
    give_free = reporting.clear_artifacts(tmp_path)
    (tmp_path / "timeline.jsonl").touch()
    with pytest.raises(
        BenchError,
        match=rf"--hil-artifacts {tmp_path}: process {os.getpid()} writes its evidence there and has not ended; "
        r".*another folder with --hil-artifacts DIR",
    ):
        reporting.clear_artifacts(tmp_path)
    assert (tmp_path / "timeline.jsonl").exists()
    reporting.clear_artifacts(tmp_path, shared=True)()
    assert not (tmp_path / "timeline.jsonl").exists()
    with pytest.raises(BenchError):
        reporting.clear_artifacts(tmp_path)
    give_free()
    reporting.clear_artifacts(tmp_path)()


def test_a_run_that_was_killed_leaves_no_lock(tmp_path: Path) -> None:
    """Its folder is the next one's."""
    hold = "from pathlib import Path; from hil.plugin import reporting; import sys, time;"
    hold += "reporting.clear_artifacts(Path(sys.argv[1])); print(flush=True); time.sleep(60)"
    with Popen([sys.executable, "-c", hold, tmp_path], stdout=PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(BenchError, match=f"process {other.pid} writes its evidence there"):
            reporting.clear_artifacts(tmp_path)
        other.kill()
    reporting.clear_artifacts(tmp_path)()


# ---- after a failure ----------------------------------------------------------------------------


def test_a_failures_timeline_is_kept_from_its_start_on(bed: Bed) -> None:
    """What was before the test's board was ready is left out; the file can be read back."""
    bed.capture.record(Carrier(False, "usb0", t_ns=999))
    bed.capture.record(Carrier(True, "usb0", t_ns=1000))
    report = failed()
    bed.explain(report)
    events, rest = read_journal((bed.kept / "timeline.jsonl").read_text())
    assert [event.t_ns for event in events] == [1000]
    assert rest == ""
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


def test_a_chip_that_a_build_may_not_go_to_is_diagnosed(bed: Bed) -> None:
    """The bench is wrong there, and what the loader told of the chip says how."""
    report = failed("call", ("hil_kind", "harness"))
    bed.explain(report, error=FlashRefused("board s3-a: nothing was written", "other-chip"))
    assert bed.gathered == 1
    assert report.sections == [("hil finding", f"finding   {NO_MATCH}")]


def test_a_board_that_fails_a_fixture_is_diagnosed_too(bed: Bed) -> None:
    """One that does not come onto the bus never reaches a test's body, and has its cause all the same."""
    report = failed("setup", ("hil_kind", "board"))
    bed.explain(report)
    assert bed.gathered == 1
    assert report.sections == [("hil finding", f"finding   {NO_MATCH}")]


def test_explaining_takes_none_of_the_tests_time(bed: Bed) -> None:
    """An alarm that rang here would end the session; what was left of the test's time is left for its teardown."""

    def rings(signum: int, frame: object) -> None:
        raise AssertionError("the test's time has passed")

    bed.gathering_s = 0.3
    former = signal.signal(signal.SIGALRM, rings)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        bed.explain(failed())
        left_s, _ = signal.getitimer(signal.ITIMER_REAL)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    assert left_s > 0


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
