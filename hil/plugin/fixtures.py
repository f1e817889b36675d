"""The fixtures: bench, board, neighbour, host, expect, timeline, artifacts.

This module loads with every pytest run, so what only a bench needs is imported when a bench is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import pytest

from hil.board.sight import mildest, ways
from hil.errors import MisuseError
from hil.plugin.verdict import SKIPPED

if TYPE_CHECKING:
    from hil.device.open_bench import OpenBench
    from hil.device.usb_board import UsbBoard
    from hil.net.host import Host
    from hil.plugin.expectations import Expect
    from hil.plugin.run import Run
    from hil.timeline.timeline import Timeline


def _run(request: pytest.FixtureRequest) -> Run:
    from hil.plugin.run import RUN

    run = request.config.stash.get(RUN, None)
    if run is None:
        wanted = f"the fixture {request.fixturename!r} needs `-m hil` and the marker hil"
        raise MisuseError(f"{request.node.nodeid}: {wanted}")
    return run


@pytest.fixture(scope="session")
def bench(request: pytest.FixtureRequest) -> OpenBench:
    """The bench of this run, opened: its boards, where it is, and what it can do."""
    return _run(request).open()


@pytest.fixture
def board(request: pytest.FixtureRequest, bench: OpenBench) -> Iterator[UsbBoard]:
    """The board under test, attached and idle."""
    from hil.plugin.run import OUTCOME, STARTED
    from hil.timeline.events import TestEnded, TestStarted

    run = _run(request)
    board = bench.board(run.options.board)
    node = request.node
    unfit = _unfit(node, bench, board)
    if unfit:
        pytest.skip(unfit)
    node.stash[STARTED] = bench.record(TestStarted(node.nodeid, board=board.name)).t_ns
    board.on_skipped_check = lambda text: run.skipped_checks.append((node.nodeid, text))
    if lacking := run.prepare(bench, board, node.nodeid):
        bench.record(TestEnded(node.nodeid, SKIPPED, board=board.name))
        pytest.skip(lacking)
    yield board
    board.leave()
    bench.record(TestEnded(node.nodeid, node.stash.get(OUTCOME, "interrupted"), board=board.name))


@pytest.fixture
def neighbour(request: pytest.FixtureRequest, bench: OpenBench, board: UsbBoard) -> Iterator[UsbBoard]:
    """Another board at the same host, attached and idle; a bench without one skips the test."""
    others = bench.beside(board)
    unfit = [_unfit(request.node, bench, each) for each in others]
    neighbour = next((each for each, reason in zip(others, unfit, strict=True) if not reason), None)
    if neighbour is None:
        told = "; ".join(unfit) or f"the bench {bench.name} has one board, {board.name}"
        pytest.skip(f"needs two boards: {told}")
    run, nodeid = _run(request), request.node.nodeid
    neighbour.on_skipped_check = lambda text: run.skipped_checks.append((nodeid, f"{neighbour.name}: {text}"))
    if lacking := run.prepare(bench, neighbour, nodeid):
        pytest.skip(f"{neighbour.name}: {lacking}")
    yield neighbour
    neighbour.leave()


def _unfit(node: pytest.Item, bench: OpenBench, board: UsbBoard) -> str:
    """Why a test is not for this board, or ''."""
    marker = node.get_closest_marker("hil")
    wants = marker.kwargs if marker is not None else {}
    need, role = wants.get("needs"), wants.get("role")
    if role not in (None, board.spec.role):
        return f"for boards in the role {role}; {board.name} is {board.spec.role}"
    if need is not None and mildest(need, board.offers) is None:
        offered = ", ".join(sorted(board.offers)) or "nothing"
        return f"needs {need}; the bench {bench.name} offers {offered}, wanted one of {', '.join(ways(need))}"
    return ""


@pytest.fixture
def host(request: pytest.FixtureRequest, bench: OpenBench) -> Iterator[Host]:
    """The computer that the board is plugged into, as one persona or another."""
    host = bench.host(seed=crc32(request.node.nodeid.encode()))
    yield host
    host.stop()


@pytest.fixture
def expect(bench: OpenBench, board: UsbBoard, artifacts: Path) -> Iterator[Expect]:
    """Says what must happen after an action, in which order, within which time."""
    from hil.expect import Ledger
    from hil.plugin.expectations import Expect

    ledger = Ledger()
    yield Expect(bench.witness, ledger, board.name, artifacts)
    unjudged = ledger.unjudged()
    if unjudged:
        places = "; ".join(str(entry) for entry in unjudged)
        raise MisuseError(f"an expectation was never judged: give it since= or enter it by `with`: {places}")


@pytest.fixture
def timeline(bench: OpenBench) -> Timeline:
    """Everything that happened so far in this run, as it is on disk."""
    bench.witness.refresh()
    return bench.witness.timeline


@pytest.fixture
def artifacts(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Where this test may leave files; the same folder keeps its timeline when it fails."""
    folder = _run(request).folder(request.node)
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    if not any(folder.iterdir()):
        folder.rmdir()
