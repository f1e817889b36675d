"""What a person sees: the header, a failure with its finding, and where the evidence lies."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hil.clock import now_ns
from hil.errors import BenchError, FlashRefused, HarnessError, HilError
from hil.evidence import MARK
from hil.launcher.protocol import CONSOLE_LOG
from hil.plugin.run import STARTED, Run
from hil.plugin.verdict import BOARD, is_harness_error, whose_fault

if TYPE_CHECKING:
    from hil.diagnosis import Finding

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def header(run: Run) -> list[str]:
    """The lines that say on which bench the run is."""
    kind = "VIRTUAL" if run.bench.virtual else "real"
    lines = [f"hil: bench {run.bench.name} ({kind}), on {run.where}; evidence in {run.options.artifacts}"]
    for board in run.bench.boards:
        place = "on the virtual bus" if run.bench.virtual else f"at {board.usb}"
        lines.append(f"hil: board {board.name} {place}, profile {board.profile}, supply {board.supply}")
        if board.firmware:
            lines.append(f"hil: board {board.name} is flashed with {board.firmware}: {run.options.flash}")
    if run.bench.virtual:
        lines.append(f"hil: virtual firmware with TinyUSB {run.options.tinyusb}")
        lines += [f"hil: VIRTUAL FAULT {fault}" for fault in run.options.faults]
    return lines


def say(config: pytest.Config, line: str) -> None:
    """Put a line on the terminal now, from within a test or fixture."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(line)
            reporter.flush()


def left_out(run: Run) -> list[str]:
    """What a run on the virtual bench does not touch although it is there."""
    from hil.device.discovery import boards_on_the_bus

    boards = boards_on_the_bus() if run.bench.virtual else []
    advice = "`hil boards` and `sudo hil init` make a bench of it"
    return [
        f"hil: a board is attached at {board} and is not tested: this bench is VIRTUAL; {advice}" for board in boards
    ]


def clear_artifacts(folder: Path, *, shared: bool = False) -> Callable[[], None]:
    """Empty the artifact folder of the run before, and keep it for this one; a folder that hil did not make is left.

    The machine's console log stays: the machine writes it from its start, and starts it anew.

    Args:
        folder: made where it is missing.
        shared: whoever started this run has the folder for it, as the launcher has for the run in its machine.

    Returns:
        what gives the folder free; the end of the process does as well.

    Raises:
        BenchError: a run that has not ended writes there.
        HarnessError: the folder holds something else, is none, or may not be written.
    """
    try:
        _require_ours(folder)
        folder.mkdir(parents=True, exist_ok=True)
        mark = os.open(folder / MARK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with ExitStack() as opened:
            opened.callback(os.close, mark)
            if not shared:
                _claim(mark, folder)
            _clear(folder)
            return opened.pop_all().close
    except OSError as error:
        raise HarnessError(f"--hil-artifacts {folder}: {error.filename}: {error.strerror}") from error


def _require_ours(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise HarnessError(f"--hil-artifacts {folder} is not empty and was not made by hil; choose another folder")


def _claim(mark: int, folder: Path) -> None:
    """Lock the mark, and note whose it is; where the file system knows no locks there is only the note."""
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(mark, 20, 0).decode("ascii", "replace").strip() or "of another run"
        text = f"--hil-artifacts {folder}: process {pid} writes its evidence there and has not ended; wait, or choose "
        raise BenchError(f"{text}another folder with --hil-artifacts DIR") from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    os.ftruncate(mark, 0)
    os.pwrite(mark, f"{os.getpid()}\n".encode(), 0)


def _clear(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name not in (MARK, CONSOLE_LOG):  # what an interrupted clearing leaves is still hil's
            entry.unlink()


def explain_failure(run: Run, item: pytest.Item, report: pytest.TestReport, error: BaseException) -> None:
    """Ask the second witness, look for a cause, and keep the timeline of the test.

    An error on the way is told in a section of the report: it must not hide the failure that it comes after.
    """
    started_ns = item.stash.get(STARTED, None)
    if run.opened is None or started_ns is None:
        return
    try:
        with _off_the_clock():
            findings = _diagnose(run, item, report, started_ns) if _may_be_the_boards(report, error) else []
            _keep(run, item, started_ns, findings)
    except (HilError, OSError) as lost:
        report.sections.append(("hil evidence", f"not kept: {type(lost).__name__}: {lost}"))


@contextmanager
def _off_the_clock() -> Iterator[None]:
    """Time that is not the test's: the alarm of pytest-timeout (its method "signal") would end the session here."""
    left_s, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        if left_s:
            signal.setitimer(signal.ITIMER_REAL, left_s)


def _may_be_the_boards(report: pytest.TestReport, error: BaseException) -> bool:
    """Whether there is a cause to look for: of a fixture's failure only where it says that the board has failed, of the
    bench's errors only where it is the chip that is there which a build may not go to."""
    if isinstance(error, FlashRefused):
        return True
    return whose_fault(report) == BOARD or (report.when == "call" and not is_harness_error(report))


def _diagnose(run: Run, item: pytest.Item, report: pytest.TestReport, started_ns: int) -> list[Finding]:
    from hil.diagnosis import diagnose
    from hil.diagnosis.finding import NO_MATCH

    assert run.opened is not None
    board = run.opened.board(run.options.board)
    boards = (board, *run.opened.beside(board)) if "neighbour" in getattr(item, "fixturenames", ()) else (board,)
    for each in boards:
        each.gather()
    run.opened.witness.refresh()
    timeline = run.opened.witness.timeline
    found = [finding for each in boards for finding in diagnose(timeline, each.name, started_ns, now_ns())]
    findings = list({finding.name: finding for finding in reversed(found)}.values())[::-1]
    run.findings[item.nodeid] = findings
    item.user_properties += [("hil_finding", finding.name) for finding in findings]
    text = "\n\n".join(finding.text(started_ns) for finding in findings) or f"finding   {NO_MATCH}"
    report.sections.append(("hil finding", text))
    return findings


def _keep(run: Run, item: pytest.Item, started_ns: int, findings: list[Finding]) -> None:
    from hil.timeline.journal import encode

    assert run.opened is not None
    folder = run.folder(item)
    folder.mkdir(parents=True, exist_ok=True)
    run.opened.witness.refresh()
    events = run.opened.witness.timeline.since(started_ns)
    (folder / "timeline.jsonl").write_text("".join(f"{encode(event)}\n" for event in events), encoding="utf-8")
    if findings:
        text = "\n\n".join(finding.text(started_ns) for finding in findings)
        (folder / "finding.txt").write_text(text + "\n", encoding="utf-8")


def summary(run: Run, reporter: pytest.TerminalReporter) -> None:
    """The last lines: findings, checks that were skipped, and where the evidence lies."""
    from hil.diagnosis.finding import NO_MATCH

    for node, findings in run.findings.items():
        names = ", ".join(finding.name for finding in findings) or NO_MATCH
        reporter.write_line(f"hil: {node}: {names}")
    for node, text in run.skipped_checks:
        reporter.write_line(f"hil: {node}: skipped check: {text}")
    for line in run.recoveries.lines():
        reporter.write_line(line)
    reporter.write_line(f"hil: evidence in {run.options.artifacts}")
