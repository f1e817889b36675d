"""hil recover."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hil.bench import Bench
from hil.cli import main
from hil.device import open_bench
from hil.device.usb_board import UsbBoard
from hil.testing.faked_bench import CONSOLE, FakedBench


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakedBench]:
    """What the command opens."""
    made = FakedBench(tmp_path, console=CONSOLE).known()

    @contextmanager
    def opened(file: Path, name: str, absent: bool) -> Iterator[UsbBoard]:
        assert absent
        yield made.board

    monkeypatch.setattr("hil.cli.recover.opened", opened)
    yield made
    made.close()


def gone(bench: FakedBench) -> None:
    bench.agent.detach()
    bench.clock.advance(0.1)
    bench.capture.catch_up()


def test_a_board_that_is_well(bench: FakedBench, capsys: pytest.CaptureFixture[str]) -> None:
    """Is left alone; status 0."""
    assert main(["recover"]) == 0
    assert capsys.readouterr().out == "s3-a: runs its application; nothing was done\n"


def test_each_rung_is_told_as_it_is_tried(bench: FakedBench, capsys: pytest.CaptureFixture[str]) -> None:
    """With where the board was; then how it came back; status 0."""
    gone(bench)
    assert main(["recover"]) == 0
    assert capsys.readouterr().out == (
        "s3-a: is not on the bus; trying: wait\n"
        "s3-a: is not on the bus; trying: reset\n"
        "s3-a: runs its application; it was not on the bus, and came back by wait, reset\n"
    )


def test_a_board_that_stays_dead(bench: FakedBench, capsys: pytest.CaptureFixture[str]) -> None:
    """Says what was tried and what each said; status 1."""
    bench.agent.lines_reset = bench.agent.has_port_switch = False
    bench.power.comes_back_s = None
    gone(bench)
    assert main(["recover", "--board", "s3-a"]) == 1
    told = capsys.readouterr().out
    assert "board s3-a is not on the bus, and nothing brings it back; tried: wait, reset, power_cycle\n" in told
    assert "  reset: board s3-a did not start over when DTR and RTS of its console at 1-1.3 pulled EN" in told


def test_a_wrong_bench_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, as of every command that could not do what was asked."""
    monkeypatch.chdir(tmp_path)
    assert main(["recover"]) == 2
    assert capsys.readouterr().err == "hil recover: bench.toml: cannot be read: No such file or directory\n"


def test_a_board_is_opened_although_it_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It alone, and the bench is closed however the climb ends."""
    made = FakedBench(tmp_path, console=CONSOLE).known()
    opened: list[tuple[tuple[str, ...], bool]] = []
    closed: list[bool] = []

    class OpenBench:
        """Stands for :class:`hil.device.open_bench.OpenBench`."""

        def __init__(self, bench: Bench, artifacts: Path, *, absent: bool) -> None:
            opened.append((tuple(board.usb for board in bench.boards), absent))

        def board(self) -> UsbBoard:
            return made.board

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr(open_bench, "OpenBench", OpenBench)
    monkeypatch.chdir(tmp_path)
    boards = "".join(f'[[board]]\nname = "s3-{n}"\nusb = "1-{n}"\n' for n in (1, 2))
    (tmp_path / "bench.toml").write_text(f'[bench]\nname = "b"\n{boards}')
    assert main(["recover", "--board", "s3-2"]) == 0
    assert (opened, closed) == ([(("1-2",), True)], [True])
    assert capsys.readouterr().out.endswith("nothing was done\n")
    made.close()
