"""hil flash."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from hil.agent.replies import PortHeld
from hil.bench import Bench
from hil.cli import main
from hil.cli.flash import EVIDENCE, MARK, keep, parse_offset
from hil.clock import now_ns
from hil.device import open_bench
from hil.device.usb_board import UsbBoard
from hil.errors import AgentError, BenchError, FlashRefused, HilError
from hil.flash.build import Build
from hil.flash.progress import OnProgress, Progress
from hil.testing.fake_agent import PID, VID
from hil.testing.faked_bench import CONSOLE, FakedBench
from hil.testing.pty_loader import PtyLoader
from hil.timeline.events import FlashProgress, UsbAttached
from hil.timeline.timeline import Timeline
from hil.virtual.flash import MB, FlashChip
from hil.virtual.rom.boot import boot
from hil.virtual.rom.images import application, flash_files, flasher_args
from hil.wire.esp_image import AppDescription


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


@pytest.mark.parametrize(
    "arguments", [("flash", ""), ("flash", "--board", ""), ("flash", "--known", ""), ("recover", "--bench", "")]
)
def test_an_empty_argument_is_not_one_that_is_left_out(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """As of `hil flash "$BUILD"` where the variable is not set: it would flash the bench's own firmware."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert f"argument {arguments[-2] if len(arguments) > 2 else 'path'}: it is ''" in capsys.readouterr().err


class FakeFlashing:
    """Tells its steps, and what it was asked for."""

    def __init__(self) -> None:
        self.on_progress: OnProgress = lambda step: None
        self.asked: list[object] = []
        self.fails: HilError | None = None

    def flash(self, build: Build, known: Build | None) -> str:
        self.asked = [str(build), known and str(known)]
        self.on_progress(Progress("connecting", detail="/dev/ttyACM0"))
        if self.fails is not None:
            self.on_progress(Progress("failed", detail=str(self.fails)))
            raise self.fails
        self.on_progress(Progress("writing", 50, "app.bin"))
        self.on_progress(Progress("done", 100, "written: hello 1.0"))
        return "written: hello 1.0"


class FakeBench:
    """Stands for :class:`hil.device.open_bench.OpenBench`; its timeline tells of a chip that was refused."""

    flashing = FakeFlashing()
    boards: tuple[str, ...] = ()
    opened = closed = 0

    def __init__(self, bench: Bench, artifacts: Path, *, absent: bool = False) -> None:
        type(self).boards = tuple(board.name for board in bench.boards)
        type(self).opened += 1
        (artifacts / "session").mkdir()
        (artifacts / "session/timeline.jsonl").touch()
        self.witness = self

    def refresh(self) -> int:
        return 0

    @property
    def timeline(self) -> Timeline:
        t_ns = now_ns()
        attached = UsbAttached("1-1", 0x303A, 0x1001, t_ns=t_ns, t_err_ns=0, board="s3-1", source="uevent")
        refused = FlashProgress("failed", 0, "the chip is another", "other-chip", t_ns=t_ns, t_err_ns=0, board="s3-1")
        return Timeline([attached, refused])

    def board(self) -> SimpleNamespace:
        return SimpleNamespace(name=self.boards[0], flashing=self.flashing)

    def close(self) -> None:
        type(self).closed += 1


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[FakeBench]:
    """Two boards in bench.toml, and two builds beside it."""

    class Bench(FakeBench):
        flashing = FakeFlashing()

    monkeypatch.setattr(open_bench, "OpenBench", Bench)
    monkeypatch.chdir(tmp_path)
    boards = "".join(f'[[board]]\nname = "s3-{n}"\nusb = "1-{n}"\n' for n in (1, 2))
    (tmp_path / "bench.toml").write_text(f'[bench]\nname = "b"\n{boards}')
    for version in ("new", "old"):
        files = flash_files(application(AppDescription("hello", version, "ab" * 32), b"code"))
        for each in files:
            path = tmp_path / version / each.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(each.data)
        (tmp_path / version / "flasher_args.json").write_text(flasher_args(files))
    return Bench


def test_one_board_is_opened_and_flashed(bench: type[FakeBench], capsys: pytest.CaptureFixture[str]) -> None:
    """Each step is shown as it happens, its end once; the other boards of the bench are not opened."""
    assert main(["flash", "new", "--board", "s3-2", "--known", "old"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "s3-2: connecting: /dev/ttyACM0",
        "s3-2: writing 50 %: app.bin",
        "s3-2: written: hello 1.0",
    ]
    assert (bench.boards, bench.closed) == (("s3-2",), 1)
    assert bench.flashing.asked == ["hello new from new", "hello old from old"]
    assert main(["flash", "--offset", "0x10000=new/hello.bin"]) == 0
    assert bench.flashing.asked == ["hello new from new/hello.bin at 0x10000", None]
    assert not EVIDENCE.exists()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["gone"], "hil flash: gone: no such file or folder; wanted "),
        (["new", "--known", "gone"], "hil flash: gone: no such file or folder; wanted "),
        (["--offset", "0=gone.bin"], "hil flash: gone.bin: cannot be read: No such file or directory"),
        ([], "hil flash: board s3-1 has no firmware in bench.toml, and nothing was named to be flashed"),
    ],
    ids=["build", "known", "offset", "nothing named"],
)
def test_what_cannot_be_flashed_is_told_before_the_bench_is_opened(
    bench: type[FakeBench], capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    """Which takes seconds."""
    assert main(["flash", *arguments]) == 2
    assert capsys.readouterr().err.startswith(text)
    assert bench.opened == 0


def test_a_flash_that_failed_leaves_its_finding_and_its_evidence(
    bench: type[FakeBench], capsys: pytest.CaptureFixture[str]
) -> None:
    """The error is said once, last."""
    bench.flashing.fails = FlashRefused("the chip is another")
    assert main(["flash", "new"]) == 2
    told = capsys.readouterr()
    assert told.err == "hil flash: the chip is another\n"
    assert told.out.splitlines()[:2] == [
        "s3-1: connecting: /dev/ttyACM0",
        "finding   build-for-another-chip: the chip at the board's port is not the one that the build is for",
    ]
    assert told.out.splitlines()[-1] == "evidence in build/hil-command"
    assert (EVIDENCE / "session/timeline.jsonl").exists()
    assert bench.closed == 1


def test_an_error_of_the_bench_has_no_finding(bench: type[FakeBench], capsys: pytest.CaptureFixture[str]) -> None:
    """What was recorded is kept all the same, in the place of what was there."""
    bench.flashing.fails = AgentError("the agent is gone")
    assert main(["flash", "new"]) == main(["flash", "new"]) == 2
    assert "finding" not in (told := capsys.readouterr().out)
    assert told.count("evidence in build/hil-command\n") == 2


class WholeBench:
    """A board of real parts: behind its bus and its bridge stand fakes, behind its port the virtual chip's loader."""

    chip = FlashChip(8 * MB)
    held = ""
    """The port that somebody else has."""
    sent: tuple[str, ...] = ()
    """Its resets over the console: into the loader, or ''."""
    left_as: tuple[int, int] = (0, 0)
    """Vendor and product at its port when the bench was closed."""

    def __init__(self, bench: Bench, artifacts: Path, *, absent: bool = False) -> None:
        (board,) = bench.boards
        self._faked = FakedBench(artifacts, profile="generic", console=CONSOLE, flash=board.flash).known()
        self._loader = PtyLoader(self.chip)
        self._faked.agent.open_tty = self._opened  # type: ignore[method-assign]
        self._faked.agent.ttys["console"] = "/dev/ttyUSB0"

    def board(self) -> UsbBoard:
        return self._faked.board

    def close(self) -> None:
        type(self).left_as = self._faked.agent.identity
        resets = (call for call in self._faked.agent.calls if call[0] == "reset_by_lines")
        type(self).sent = tuple("".join(call[2:]) for call in resets)
        self._loader.close()
        self._faked.close()

    def _opened(self, board: str, port: str, alone: bool = True) -> tuple[str, int]:
        if alone and port == self.held:
            raise PortHeld(f"the {port} port is held by screen (process 77)")
        return self._loader.port, self._loader.open()


@pytest.mark.slow
def test_a_board_of_real_parts_is_flashed(
    bench: type[FakeBench], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Through the bridge's lines into its loader, over its own port, out again; then it is unchanged."""
    monkeypatch.setattr(open_bench, "OpenBench", WholeBench)
    assert main(["flash", "new"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("s3-a: connecting: into the loader at 1-1.2\n")
    assert "s3-a: written: hello new from new, " in told
    assert told.endswith("flashed, version unconfirmed\n")
    assert main(["flash", "new"]) == 0
    assert "s3-a: unchanged: hello new from new, verified, " in capsys.readouterr().out
    app = boot(WholeBench.chip).app
    assert app is not None
    assert app.version == "new"


@pytest.mark.slow
@pytest.mark.parametrize("port", ["usb", "console"])
def test_a_port_that_somebody_holds_leaves_the_board_with_its_application(
    bench: type[FakeBench], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], port: str
) -> None:
    """Whether that is told before the board goes into its loader or there."""
    if port == "console":
        text = Path("bench.toml").read_text()
        Path("bench.toml").write_text(text.replace("[[board]]", '[[board]]\nconsole = "2-1"\nflash = "console"', 1))
    monkeypatch.setattr(WholeBench, "held", port)
    monkeypatch.setattr(open_bench, "OpenBench", WholeBench)
    assert main(["flash", "new"]) == 2
    assert capsys.readouterr().err == f"hil flash: the {port} port is held by screen (process 77)\n"
    assert WholeBench.left_as == (VID, PID)
    assert WholeBench.sent == (("download", "") if port == "usb" else ())


def test_what_was_recorded_takes_the_place_of_what_there_was(tmp_path: Path) -> None:
    """Of a command before."""
    recorded, folder = tmp_path / "recorded", tmp_path / "build/hil-command"
    recorded.mkdir()
    (recorded / "timeline.jsonl").write_text("new")
    assert keep(recorded, folder) == f"evidence in {folder}"
    (folder / "old.txt").touch()
    assert keep(recorded, folder) == f"evidence in {folder}"
    assert sorted(path.name for path in folder.iterdir()) == [MARK, "timeline.jsonl"]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """And so is a place where nothing can be written; both are said."""
    recorded, folder = tmp_path / "recorded", tmp_path / "build"
    recorded.mkdir()
    folder.mkdir()
    (folder / "mine.txt").touch()
    assert keep(recorded, folder) == f"evidence is not kept: {folder} was not made by hil"
    assert keep(recorded, folder / "mine.txt/here").startswith(f"evidence is not kept: {folder}/mine.txt/here: ")
    assert (folder / "mine.txt").exists()
