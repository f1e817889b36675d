"""Flashing a board: into the loader, out of it, and what it then says of itself; the loader is the virtual chip's."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hil.agent.replies import PortHeld
from hil.bench import Board
from hil.board.identity import Identity
from hil.device.actions import Actions
from hil.device.bootloader import Entered
from hil.device.flashing import Flashing
from hil.device.lent_port import LentPort, Port
from hil.device.mode import Modes
from hil.device.readings import Readings
from hil.device.running import Running, Teller
from hil.device.usb_network import UsbNetwork
from hil.errors import BenchError, BoardVanished, BuildError, FlashFailed, FlashRefused, LoaderFailure, MisuseError
from hil.flash.idf_build import read_build
from hil.flash.progress import Progress
from hil.profiles import load
from hil.testing.fake_agent import PATH, PID, VID
from hil.testing.faked_bench import CONSOLE, FakedBench
from hil.testing.pty_loader import PtyLoader
from hil.testing.scripted_http import ScriptedHttp, reply
from hil.timeline.events import Acted, FlashProgress, SerialLine, SerialOpened, UsbAttached, UsbSerialNumber
from hil.virtual.flash import MB, FlashChip
from hil.virtual.rom.boot import application_lines, boot
from hil.virtual.rom.images import application, flash_files, flasher_args
from hil.wire.esp_image import AppDescription
from hil.wire.esp_loader import Op
from hil.wire.slip import SlipReader

pytestmark = pytest.mark.slow


class Desk:
    """A board whose flash is real, and whose ways into and out of its loader the test lays down."""

    def __init__(self, directory: Path, **spec: Any) -> None:
        self.bench = FakedBench(directory, **spec).known()
        self.chip = FlashChip(8 * MB)
        self.loader = PtyLoader(self.chip)
        self.entered: list[str] = []
        self.over: list[tuple[str, list[str]]] = []
        """Of each order to enter, the way that HTTP would go, and what had been done to the host's address."""
        self.given: tuple[str, ...] = ()
        """Ways into the loader."""
        self.lending: Callable[[str], object] = lambda port: None
        """Called for each port that is to be lent; may raise what the agent does."""
        self.left = self.listened = 0
        self.answers_sync = False
        """After the reset: the loader is there again."""
        self.app_pid = PID
        self.says: Callable[[], AppDescription | None] = lambda: boot(self.chip).app
        self.told: list[Progress] = []
        self.identity = Identity.SERIAL_JTAG
        self.serial = ""
        board = Board("s3-a", PATH, **spec)
        profile = load(board.profile)
        actions = Actions("s3-a", self.bench.capture.record)
        readings = Readings(board, profile, self.bench.agent, actions)
        network = UsbNetwork(board, profile, self.bench.agent, self.bench.witness)
        self.flashing = Flashing(
            board,
            actions=actions,
            bootloader=self,
            modes=Modes(board, self.bench.agent, self.bench.witness),
            teller=Teller(
                board,
                profile,
                witness=self.bench.witness,
                readings=readings,
                network=network,
                clock=self.bench.clock,
            ),
            network=network,
            witness=self.bench.witness,
            lend=self.lend,
            clock=self.bench.clock,
        )
        self.flashing.on_progress = self.told.append

    # ---- hil.device.bootloader.Bootloader

    def ways(self) -> tuple[str, ...]:
        return self.given

    def enter(self, how: str = "", over: str = "usb", at: str = "") -> Entered:
        self.entered.append(how)
        self.over.append((over, [call[0] for call in self.bench.agent.calls if "address" in call[0]]))
        self.bench.agent.become(VID, 0x1001 if self.identity is Identity.SERIAL_JTAG else 9)
        if self.serial:
            self.bench.capture.record_after(0.1, UsbAttached(PATH, VID, 0x1001, source="uevent"))
            assert self.bench.witness.find(UsbAttached(pid=0x1001), 0, 1.0)
            self.bench.capture.record_after(0.1, UsbSerialNumber(PATH, self.serial, source="uevent"))
        return Entered(self.identity, at, how, self.bench.clock.now_ns(), 0)

    def leave(self, plain: bool = False) -> Entered:
        self.left += 1
        self.start()
        self.bench.witness.until(lambda: False, 1.0)
        if self.app_pid != PID:
            raise LoaderFailure(
                "download-bit-never-cleared", "board s3-a was reset out of its loader, and it is there again"
            )
        return Entered(Identity.APPLICATION, "usb", "lines", self.bench.clock.now_ns(), 0)

    def listens(self, port: str = "usb") -> bool:
        self.listened += 1
        return self.answers_sync

    def cut_at_a_block(self, back_as: int) -> None:
        """The next block of a write is never answered: the device goes, and comes back as that product."""

        def answers(sent: bytes) -> bytes | None:
            if not any(packet[:2] == bytes([1, Op.FLASH_DEFL_DATA]) for packet in SlipReader(0x10000).feed(sent)):
                return sent
            self.bench.agent.become(VID, back_as, 1.0)
            return None

        self.loader.close()
        self.loader = PtyLoader(self.chip, answers=answers)

    @contextmanager
    def lend(self, port: str, alone: bool = True) -> Iterator[Port]:
        self.lending(port)
        self.bench.clock.advance(1.0)
        opened = LentPort(self.loader.open(), self.loader.port, "s3-a")
        yield opened
        opened.close()

    def start(self) -> None:
        """The chip runs what is in its flash."""
        self.bench.agent.become(VID, self.app_pid, 0.2)
        app = self.says()
        if app is not None:
            for line in application_lines(app, 0.1):
                text = line.data.decode().strip()
                said = SerialLine(text, 0, len(text), True, board="s3-a", source="console")
                self.bench.capture.record_after(0.3, said)

    def events(self) -> list[FlashProgress]:
        self.bench.witness.refresh()
        return [event for event in self.bench.witness.timeline if isinstance(event, FlashProgress)]

    def close(self) -> None:
        self.loader.close()
        self.bench.close()


def held(port: str) -> None:
    """By somebody else."""
    raise PortHeld(f"{port} is held by ModemManager (process 412)")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """With a console: what the board says when it starts is heard."""
    made = Desk(tmp_path, console=CONSOLE)
    yield made
    made.close()


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Desk]:
    """Without a console: nothing tells what the board says when it starts."""
    made = Desk(tmp_path)
    yield made
    made.close()


def build(folder: Path, version: str = "1.0", code: bytes = b"code" * 20_000) -> Path:
    files = flash_files(application(AppDescription("hello", version, "ab" * 32), code))
    for each in files:
        path = folder / version / each.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(each.data)
    (folder / version / "flasher_args.json").write_text(flasher_args(files))
    return folder / version


def test_a_flashed_board_says_that_it_runs_it(desk: Desk, tmp_path: Path) -> None:
    """In its own words; each step is in the timeline, of writing every tenth."""
    result = desk.flashing.flash(build(tmp_path))
    assert (result.what, result.running) == ("written", Running("console", "hello", "1.0", "ab" * 4 + "a"))
    assert str(result).endswith("; running hello 1.0, ELF ababababa (by its console)")
    events = desk.events()
    assert list(dict.fromkeys(event.status for event in events)) == [
        "connecting", "comparing", "erasing", "writing", "verifying", "resetting", "done",
    ]  # fmt: skip
    assert {event.percent % 10 for event in events if event.status == "writing"} == {0}
    assert [event.source for event in events[:1]] == ["action"]
    assert desk.bench.actions()[-1] == ("Acted", "flash")
    assert (desk.entered, desk.left, desk.told[-1].status) == ([""], 1, "done")
    assert not desk.flashing.unfinished


def test_what_the_board_holds_is_remembered(desk: Desk, tmp_path: Path) -> None:
    """The next flash writes only what differs, the same again nothing."""
    desk.flashing.flash(build(tmp_path))
    second = desk.flashing.flash(build(tmp_path, "1.1"))
    assert (second.what, second.flashed.written <= 8192) == ("changed", True)
    assert desk.flashing.flash(tmp_path / "1.1").what == "unchanged"
    third = desk.flashing.flash(tmp_path / "1.0", known=tmp_path / "1.1")
    assert third.flashed.written <= 8192


def test_what_the_board_holds_is_known_until_something_is_erased(desk: Desk, tmp_path: Path) -> None:
    """A build that is refused leaves what was there; a write that does not end leaves nobody knows what."""
    first, other = read_build(build(tmp_path)), read_build(build(tmp_path, "2.0"))
    assert desk.flashing.holds is None
    desk.flashing.flash(first)
    with pytest.raises(FlashRefused):
        desk.flashing.flash(replace(other, revisions=(900, 999)))
    assert desk.flashing.holds == first
    desk.cut_at_a_block(0x1001)
    with pytest.raises(BoardVanished):
        desk.flashing.flash(other)
    assert (desk.flashing.holds, desk.flashing.unfinished) == (None, True)


def test_a_board_that_cannot_tell_is_unconfirmed(bare: Desk, tmp_path: Path) -> None:
    """Without console, and with a profile that names no version path."""
    bare.says = lambda: None
    result = bare.flashing.flash(build(tmp_path))
    assert (result.confirmed, str(result).rpartition("; ")[2]) == (False, "flashed, version unconfirmed")
    assert bare.left == 1


def test_what_was_not_flashed_is_not_confirmed(desk: Desk, tmp_path: Path) -> None:
    """The application runs as before, and is no part of the data that were written."""
    desk.flashing.flash(build(tmp_path))
    data = tmp_path / "data.bin"
    data.write_bytes(b"some data")
    result = desk.flashing.flash([(0x200000, data)])
    assert result.running is not None
    assert (result.confirmed, str(result).rpartition("; ")[2]) == (
        False,
        "flashed, version unconfirmed: running hello 1.0, ELF ababababa (by its console), and no application was "
        "flashed",
    )


def test_a_name_alone_confirms_nothing(tmp_path: Path) -> None:
    """A version path that tells only the project speaks neither for nor against what was flashed."""
    desk = Desk(tmp_path, fallback="192.0.2.7", fallback_namespace="hil-lan", profile="reference")
    with ScriptedHttp() as http:
        desk.bench.agent.answers += [http.says(reply(b'{"project":"hello"}'))]
        desk.says = lambda: None
        result = desk.flashing.flash(build(tmp_path))
    desk.close()
    assert (result.confirmed, result.running) == (False, Running("/version", "hello"))
    assert str(result).endswith(
        "version unconfirmed: running hello  (by its /version), which tells neither its version nor its hash"
    )


def test_what_is_left_alone_is_said(desk: Desk, tmp_path: Path) -> None:
    """Of a build that would fill NVS."""
    folder = build(tmp_path)
    arguments = json.loads((folder / "flasher_args.json").read_text())
    arguments["flash_files"]["0x9000"] = "nvs.bin"
    (folder / "flasher_args.json").write_text(json.dumps(arguments))
    (folder / "nvs.bin").write_bytes(b"keys")
    assert "; left alone: nvs.bin at 0x9000 (nvs): NVS stays; running hello 1.0" in str(desk.flashing.flash(folder))
    assert "left alone: nvs.bin" in desk.events()[-1].detail


def test_a_board_that_runs_something_else_is_a_failure(desk: Desk, tmp_path: Path) -> None:
    """It was written and verified, and yet: esptool would have been content."""
    desk.says = lambda: AppDescription("hello", "0.9", "cd" * 32)
    with pytest.raises(FlashFailed) as failed:
        desk.flashing.flash(build(tmp_path))
    assert str(failed.value) == (
        "board s3-a holds hello 1.0, ELF ababababa and runs hello 0.9, ELF cdcdcdcdc (by its console): it has chosen "
        "another slot or application"
    )
    assert (desk.events()[-1].status, desk.bench.actions()[-1]) == ("failed", ("ActionFailed", "flash"))


def test_the_wrong_chip_is_not_flashed(desk: Desk, tmp_path: Path) -> None:
    """The serial number of USB-Serial/JTAG at the board's path is its MAC; the board goes back to what it ran."""
    desk.serial = "34:85:18:00:00:09"
    with pytest.raises(FlashRefused, match="leads to the chip 34:85:18:00:00:01; s3-a is 34:85:18:00:00:09"):
        desk.flashing.flash(build(tmp_path))
    assert (desk.loader.erased, desk.left, desk.flashing.unfinished) == (0, 1, False)


def test_two_loaders_of_one_identity_are_told_apart_by_the_chip(tmp_path: Path) -> None:
    """Over USB-OTG and over a bridge nothing else tells them; the bench's word stands, nothing is erased or written."""
    desk = Desk(tmp_path, mac="34:85:18:00:00:09")
    desk.identity = Identity.USB_OTG
    with pytest.raises(FlashRefused) as refused:
        desk.flashing.flash(build(tmp_path))
    assert str(refused.value) == (
        f"board s3-a: nothing was written: {desk.loader.port} leads to the chip 34:85:18:00:00:01; s3-a is "
        "34:85:18:00:00:09"
    )
    assert (desk.loader.erased, desk.left, desk.flashing.unfinished) == (0, 1, False)
    assert desk.events()[-1].reason == "other-board"
    desk.close()


@pytest.mark.parametrize(("back_as", "listened"), [(0x1001, 1), (PID, 0)], ids=["loader", "application"])
def test_a_board_that_goes_in_the_middle_is_seen_to_come_back(
    bare: Desk, tmp_path: Path, back_as: int, listened: int
) -> None:
    """A loader that is there again is asked whether it still is the same; then the flash is given up, with a reason."""
    bare.cut_at_a_block(back_as)
    with pytest.raises(BoardVanished):
        bare.flashing.flash(build(tmp_path))
    assert bare.listened == listened
    assert bare.left == 0
    last = bare.events()[-1]
    assert (last.status, last.reason) == ("failed", "vanished")
    assert bare.flashing.unfinished
    came = bare.bench.witness.timeline.last(UsbAttached(path=PATH, pid=back_as))
    assert came is not None
    assert came.t_ns <= last.t_ns


def test_flashing_over_the_console(tmp_path: Path) -> None:
    """Its bridge brings the chip into its loader and out of it."""
    desk = Desk(tmp_path, console=CONSOLE, flash="console")
    try:
        assert desk.flashing.flash(build(tmp_path)).confirmed
        assert (desk.entered, desk.left) == (["dtr_rts"], 1)
    finally:
        desk.close()


def test_a_console_that_somebody_holds_is_told_before_the_firmware_is_reset(tmp_path: Path) -> None:
    """Else it would stay in its loader, which answers somebody else."""
    desk = Desk(tmp_path, console=CONSOLE, flash="console")
    desk.lending = held
    with pytest.raises(PortHeld):
        desk.flashing.flash(build(tmp_path))
    assert (desk.entered, desk.left) == ([], 0)
    desk.close()


def test_the_console_is_heard_again_before_the_firmware_is_reset(tmp_path: Path) -> None:
    """What the ROM says there is waited for."""
    desk = Desk(tmp_path, console=CONSOLE, flash="console")
    opened = SerialOpened("/dev/ttyUSB0", True, board="s3-a", source="console")
    desk.bench.capture.record(opened)
    desk.bench.clock.advance(1.0)
    heard: list[int] = []
    enter = desk.enter

    def entering(how: str = "", over: str = "usb", at: str = "") -> Entered:
        heard.append(len(desk.bench.witness.timeline.of(opened)))
        return enter(how, over, at)

    desk.enter = entering  # type: ignore[method-assign]
    desk.lending = lambda port: desk.bench.capture.record_after(1.5, opened)
    desk.flashing.flash(build(tmp_path))
    assert heard == [2]
    assert "done" in [event.status for event in desk.events()]
    desk.close()


def test_a_loader_that_cannot_be_spoken_to_is_left_again(bare: Desk, tmp_path: Path) -> None:
    """Nothing was written: the board runs what it ran. Who had it in its loader already finds it there."""
    bare.lending = held
    with pytest.raises(PortHeld):
        bare.flashing.flash(build(tmp_path))
    assert (bare.entered, bare.left) == ([""], 1)
    bare.bench.agent.become(VID, 0x1001)
    with pytest.raises(PortHeld):
        bare.flashing.flash(tmp_path / "1.0")
    assert (bare.entered, bare.left) == (["", ""], 1)


def test_a_loader_whose_work_is_half_done_is_not_left(bare: Desk, tmp_path: Path) -> None:
    """What its flash holds may be started by nobody."""
    bare.flashing.unfinished = True
    bare.lending = held
    with pytest.raises(PortHeld):
        bare.flashing.flash(build(tmp_path))
    assert bare.left == 0


@pytest.mark.parametrize(
    ("spec", "ways", "over"),
    [
        ({"fallback": "192.0.2.7"}, ("http",), ("fallback", [])),
        ({}, ("http",), ("usb", ["set_address"])),
        ({}, ("serial", "http"), ("usb", [])),
    ],
    ids=["fallback", "over USB alone", "another way"],
)
def test_a_firmware_is_reached_over_http(
    tmp_path: Path, spec: dict[str, str], ways: tuple[str, ...], over: tuple[str, list[str]]
) -> None:
    """At its fallback address, else over its own USB network, in which the host has an address for as long."""
    desk = Desk(tmp_path, profile="reference", **spec)
    desk.bench.capture.record_after(0.1, Acted("interface_adopted", "nothing", board="s3-a", source="agent"))
    desk.given = ways
    desk.lending = held
    with pytest.raises(PortHeld):
        desk.flashing.flash(build(tmp_path))
    assert desk.over == [over]
    cleared = [call for call in desk.bench.agent.calls if call[0] == "clear_address"]
    assert len(cleared) == len(over[1])
    desk.close()


def test_a_loader_that_comes_back_is_named(bare: Desk, tmp_path: Path) -> None:
    """It answers SYNC after the reset."""
    bare.app_pid, bare.answers_sync = 0x1001, True
    with pytest.raises(LoaderFailure, match="download-bit-never-cleared"):
        bare.flashing.flash(build(tmp_path))


def test_an_application_may_leave_usb_to_serial_jtag(bare: Desk, tmp_path: Path) -> None:
    """Its identity is the loader's; that nothing answers SYNC there tells it apart."""
    bare.app_pid = 0x1001
    assert bare.flashing.flash(build(tmp_path)).what == "written"


def test_what_is_to_be_flashed(desk: Desk, tmp_path: Path) -> None:
    """A path, explicit offsets, a build, or what bench.toml says; all is checked before the board is touched."""
    folder = build(tmp_path)
    found = read_build(folder)
    assert desk.flashing.build(str(folder)) == desk.flashing.build(found) == found
    offsets = [(region.offset, folder / region.name) for region in found.regions]
    assert [r.offset for r in desk.flashing.build(offsets).regions] == [0, 0x8000, 0x10000]
    with pytest.raises(BenchError, match=r"board s3-a has no firmware in bench.toml, and nothing was named"):
        desk.flashing.flash()
    with pytest.raises(BuildError):
        desk.flashing.flash(tmp_path / "gone")
    with pytest.raises(MisuseError, match="flash over='wifi' of board s3-a; known: 'usb', 'console'"):
        desk.flashing.flash(found, over="wifi")
    assert desk.entered == []


def test_whether_it_runs_already(desk: Desk, tmp_path: Path) -> None:
    """By the hash that it told when it started; a board that has told nothing is no answer."""
    first, other = read_build(build(tmp_path)), read_build(build(tmp_path, "2.0"))
    assert desk.flashing.runs(first) is None
    desk.flashing.flash(first)
    assert (desk.flashing.runs(first), desk.flashing.runs(other)) == (True, False)
