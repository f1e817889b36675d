"""hil flash."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from hil.bench import Bench
from hil.cli import main
from hil.cli.flash import parse_offset
from hil.device import open_bench
from hil.errors import BenchError
from hil.flash.progress import OnProgress, Progress


def test_an_offset_and_its_file() -> None:
    """In whichever base Python reads."""
    assert parse_offset("0x10000=build/app.bin") == (0x10000, Path("build/app.bin"))
    assert parse_offset("4096=a=b.bin") == (4096, Path("a=b.bin"))


@pytest.mark.parametrize("text", ["app.bin", "0x10000", "0x10000=", "here=app.bin"])
def test_what_is_no_offset(text: str) -> None:
    """Is shown as it was typed."""
    with pytest.raises(BenchError, match=f"--offset is '{text}'; wanted such as '0x10000=app.bin'"):
        parse_offset(text)


def test_a_wrong_command_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No bench, an unknown board, two sources at once."""
    monkeypatch.chdir(tmp_path)

    def said(*arguments: str) -> str:
        assert main(["flash", *arguments]) == 2
        return capsys.readouterr().err

    assert said() == "hil flash: bench.toml: cannot be read: No such file or directory\n"
    (tmp_path / "bench.toml").write_text('[bench]\nname = "b"\n[[board]]\nname = "s3-a"\nusb = "1-1.2"\n')
    assert said("--board", "s3-b") == "hil flash: bench b has no board 's3-b'; known: s3-a\n"
    assert said("fw", "--offset", "0=x") == ("hil flash: fw and --offset 0=x: one of them says what is to be flashed\n")


class FakeFlashing:
    """Tells two steps, and what it was asked for."""

    def __init__(self) -> None:
        self.on_progress: OnProgress = lambda step: None
        self.asked: list[object] = []

    def flash(self, what: object, known: object) -> str:
        self.asked = [what, known]
        self.on_progress(Progress("connecting", detail="/dev/ttyACM0"))
        self.on_progress(Progress("writing", 50, "app.bin"))
        return "written: hello 1.0"


class FakeBench:
    """Stands for :class:`hil.device.open_bench.OpenBench`."""

    flashing = FakeFlashing()
    boards: tuple[str, ...] = ()
    closed = 0

    def __init__(self, bench: Bench, artifacts: Path) -> None:
        type(self).boards = tuple(board.name for board in bench.boards)

    def board(self) -> SimpleNamespace:
        return SimpleNamespace(name=self.boards[0], flashing=self.flashing)

    def close(self) -> None:
        type(self).closed += 1


def test_one_board_is_opened_and_flashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each step is shown as it happens; the other boards of the bench are not opened."""
    monkeypatch.setattr(open_bench, "OpenBench", FakeBench)
    monkeypatch.chdir(tmp_path)
    boards = "".join(f'[[board]]\nname = "s3-{n}"\nusb = "1-{n}"\n' for n in (1, 2))
    (tmp_path / "bench.toml").write_text(f'[bench]\nname = "b"\n{boards}')
    assert main(["flash", "build", "--board", "s3-2", "--known", "old"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "s3-2: connecting: /dev/ttyACM0",
        "s3-2: writing 50 %: app.bin",
        "s3-2: written: hello 1.0",
    ]
    assert (FakeBench.boards, FakeBench.closed, FakeBench.flashing.asked) == (("s3-2",), 1, ["build", "old"])
    assert main(["flash", "--offset", "0x10000=app.bin"]) == 0
    assert FakeBench.flashing.asked == [[(0x10000, Path("app.bin"))], None]
