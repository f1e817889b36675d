"""What the plugin keeps between its hooks."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hil import OpenBench, UsbBoard, bench
from hil.errors import HarnessError
from hil.plugin.flashing import SessionFlash
from hil.plugin.options import Options
from hil.plugin.recovery import Recoveries
from hil.plugin.run import Run


def run(tmp_path: Path) -> Run:
    return Run(Options("", "", tmp_path, "0.21", ()), bench.virtual(), "this machine")


class Board:
    """A virtual board with an application that cannot run there."""

    name = "s3-a"
    done: tuple[str, ...] = ()


class Flash:
    """Gives it one that can, or not."""

    def __init__(self, bench: "Bench", gives: str) -> None:
        self.bench = bench
        self.gives = gives

    def see_to(self, board: Board) -> None:
        board.done += ("flash",)
        self.bench.lacking = self.gives


class Bench:
    lacking = "no virtual build of alien 1.0"

    def without_build(self, board: Board) -> str:
        return self.lacking


@pytest.mark.parametrize(
    ("before", "gives", "done"),
    [
        ("", "", ("make_ready", "flash")),
        ("", Bench.lacking, ("make_ready", "flash")),
        (Bench.lacking, "", ("flash", "make_ready", "flash")),
        (Bench.lacking, Bench.lacking, ("flash",)),
    ],
)
def test_a_board_is_flashed_before_it_is_given_up(
    tmp_path: Path, before: str, gives: str, done: tuple[str, ...]
) -> None:
    """What it holds cannot run; what the session flashes may. Nobody tries to bring back what cannot run."""
    bench, board, plan = Bench(), Board(), run(tmp_path)
    bench.lacking = before
    plan.flash = cast(SessionFlash, Flash(bench, gives))

    def make_ready(board: Board, nodeid: str) -> None:
        board.done += ("make_ready",)

    plan.recoveries = cast(Recoveries, SimpleNamespace(make_ready=make_ready))
    assert plan.prepare(cast(OpenBench, bench), cast(UsbBoard, board), "test_x") == gives
    assert board.done == done


def item(file: str, name: str) -> Any:
    return SimpleNamespace(name=name, nodeid=f"{file}::{name}", path=Path(file))


def test_two_tests_of_one_name_have_folders_of_their_own(tmp_path: Path) -> None:
    """The second file's test is kept apart by its file's name, each time it is asked for."""
    plan = run(tmp_path)
    first, second = item("test_a.py", "test_x[1/2]"), item("test_b.py", "test_x[1/2]")
    assert plan.folder(first) == tmp_path / "test_x-1-2-"
    assert plan.folder(second) == tmp_path / "test_b-test_x-1-2-"
    assert plan.folder(first) == tmp_path / "test_x-1-2-"


def test_evidence_that_cannot_be_written_is_an_error_of_the_bench(tmp_path: Path) -> None:
    """A file where the session's folder should be ends the opening with one error that names it."""
    (tmp_path / "session").write_text("in the way", encoding="utf-8")
    plan = run(tmp_path)
    plan.begin()
    with pytest.raises(HarnessError, match=r"the bench cannot be opened: .*session"):
        plan.open()
    plan.close()
