"""Whole flashing, over a pseudo-terminal, against the virtual chip's loader."""

import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hil.errors import BoardFailure, BoardVanished, FlashFailed, FlashRefused, HarnessError
from hil.flash.build import Build, Region, checked, is_nvs, regions
from hil.flash.flasher import Flashed, Flasher, Way
from hil.flash.idf_build import read_build
from hil.flash.plan import CHANGED, UNCHANGED, WRITTEN
from hil.flash.progress import Progress
from hil.flash.tty_port import TtyPort
from hil.testing.pty_loader import PtyLoader
from hil.virtual.flash import MB, FlashChip
from hil.virtual.rom.boot import boot
from hil.virtual.rom.chip import Exit
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.rom.images import DEFAULT_TABLE
from hil.wire.esp_image import ImageHeader
from hil.wire.esp_loader import Op
from hil.wire.esp_partitions import OTA_DATA, PartitionTable

Serve = Callable[..., PtyLoader]
Make = Callable[..., Path]

pytestmark = pytest.mark.slow


def flash(board: PtyLoader, build: Build, known: Build | None = None, mac: str = "", **way: Any) -> Flashed:
    port = TtyPort(board.open(), board.port, "s3-a")
    return Flasher(port, Way(**{"after": "no-reset", **way}), mac=mac).flash(build, known)


@pytest.mark.parametrize("stub", [True, False], ids=["stub", "rom"])
def test_a_board_runs_what_was_flashed(serve: Serve, make_build: Make, stub: bool) -> None:
    """All of it the first time, nothing the second; what lies between the regions stays."""
    chip = FlashChip(8 * MB)
    chip.program(0x9000, b"what the board has stored")
    board = serve(chip)
    build = read_build(make_build("3.1"))
    first = flash(board, build, stub=stub)
    assert (first.what, first.written, first.mac) == (WRITTEN, build.size, "34:85:18:00:00:01")
    app = boot(chip).app
    assert app is not None
    assert app.version == "3.1"
    assert chip.read(0x9000, 25) == b"what the board has stored"
    times = board.erased
    assert (flash(board, build, stub=stub).what, board.erased) == (UNCHANGED, times)


def test_of_a_known_build_only_what_differs_is_written(serve: Serve, make_build: Make) -> None:
    """Some sectors of the application; the result says how much."""
    old = read_build(make_build("1.0"))
    new = read_build(make_build("1.1"))
    chip = FlashChip(8 * MB)
    board = serve(chip)
    flash(board, old)
    done = flash(board, new, known=old)
    assert (done.what, done.written < 3 * 4096, boot(chip).app) == (CHANGED, True, new.app)
    assert str(done).startswith(
        f"changed: hello 1.1 from {new.source}, {done.written} of {new.size} bytes written, ver"
    )
    assert flash(board, old, known=old).what == CHANGED  # a board that is said to have it and does not
    assert boot(chip).app == old.app


def test_each_step_is_told(serve: Serve, make_build: Make) -> None:
    """In order, with the percent of all that is written."""
    told: list[Progress] = []
    board = serve()
    Flasher(TtyPort(board.open(), board.port, "s3-a"), Way(after="watchdog-reset"), told.append).flash(
        read_build(make_build())
    )
    statuses = [each.status for each in told]
    assert list(dict.fromkeys(statuses)) == [
        "connecting", "comparing", "erasing", "writing", "verifying", "resetting", "done",
    ]  # fmt: skip
    percents = [each.percent for each in told]
    assert (percents, percents[-1]) == (sorted(percents), 100)
    assert [each.detail for each in told if each.status == "erasing"] == [
        "bootloader/bootloader.bin at 0x0",
        "partition_table/partition-table.bin at 0x8000",
        "hello.bin at 0x10000",
    ]
    assert board.exits[-1] is Exit.WATCHDOG


def test_the_last_step_tells_a_failure(serve: Serve, make_build: Make) -> None:
    """With its reason, and how far it was; the port is closed."""
    told: list[Progress] = []
    sent = 0

    def pulled(answer: bytes) -> bytes | None:
        nonlocal sent
        sent += board.asked[-1] == Op.FLASH_DEFL_DATA
        return None if sent > 3 else answer

    board = serve(answers=pulled)
    port = TtyPort(board.open(), board.port, "s3-a")
    with pytest.raises(BoardVanished, match=r"^board s3-a left the bus: /dev/pts/\d+ h"):
        Flasher(port, on_progress=told.append).flash(
            read_build(make_build(content=random.Random(1).randbytes(200_000)))
        )
    assert (told[-1].status, told[-1].detail[:27], port.is_open) == ("failed", "board s3-a left the bus: /d", False)
    assert 0 < told[-1].percent < 100


def revised(build: Build, low: int, high: int) -> Build:
    """Its application demands a revision of the chip."""
    app = build.regions[-1]
    image = app.image
    assert image is not None
    header = image.header
    demanding = ImageHeader(header.segment_count, header.entry, min_revision=low, max_revision=high)
    data = type(image)(demanding, image.segments).pack()
    return checked(build.source, [*build.regions[:-1], Region(app.offset, data, app.name)])


def refusal(board: PtyLoader, build: Build, mac: str = "") -> str:
    with pytest.raises(FlashRefused) as refused:
        flash(board, build, mac=mac)
    assert not board.erased
    return str(refused.value).replace(board.port, "/dev/ttyACM0")


def test_a_build_that_the_chip_cannot_take_is_refused(serve: Serve, make_build: Make) -> None:
    """Too little flash, another revision, another board: nothing is erased."""
    build = read_build(make_build())
    far = checked("far", [*build.regions, Region(2 * MB, b"data", "data.bin")])
    assert refusal(serve(FlashChip(MB)), far) == (
        "board s3-a: nothing was written: data.bin at 0x200000 ends at 0x200004, and the chip has 1 MB of flash"
    )
    assert refusal(serve(FlashChip(4 * MB)), build) == (
        "board s3-a: nothing was written: bootloader/bootloader.bin at 0x0 names 8 MB of flash and starts with no "
        "less, and the chip has 4 MB of flash"
    )
    where = build.source
    assert refusal(serve(), revised(build, 100, 0xFFFF)) == (
        f"board s3-a: nothing was written: the chip is revision v0.2; {where} wants v1.0 or later"
    )
    assert refusal(serve(), revised(build, 0, 1)) == (
        f"board s3-a: nothing was written: the chip is revision v0.2; {where} wants v0.0 to v0.1"
    )
    other = serve(identity=ChipIdentity(mac="34:85:18:00:00:02"))
    assert refusal(other, build, mac="34:85:18:00:00:01") == (
        "board s3-a: nothing was written: /dev/ttyACM0 leads to the chip 34:85:18:00:00:02; s3-a is 34:85:18:00:00:01"
    )


def test_a_file_is_held_against_the_boards_own_table(serve: Serve, tmp_path: Path) -> None:
    """Explicit offsets come without a table: what would go into NVS or break an application is refused."""
    chip = FlashChip(8 * MB)
    chip.program(0x8000, DEFAULT_TABLE.pack())
    board = serve(chip)
    path = tmp_path / "notes.txt"
    path.write_text("notes")
    assert refusal(board, regions([(0x9000, path)])) == (
        f"board s3-a: nothing was written: by its partition table, {path} at 0x9000 reaches into partition 'nvs' "
        "(0x9000, 24576 bytes): NVS is never written; what else is to be flashed?"
    )
    assert "notes.txt at 0x10000 is not an image" in refusal(board, regions([(0x10000, path)]))
    assert flash(board, regions([(0x200000, path)])).what == WRITTEN
    assert chip.read(0x200000, 6) == b"notes\xff"


def test_a_boards_own_table_is_found_wherever_it_is(serve: Serve, make_build: Make, tmp_path: Path) -> None:
    """A longer boot loader moves it; what lies there by it is as safe as by one in the usual place."""
    chip = FlashChip(8 * MB)
    moved = replace(NVS, offset=0x11000)
    chip.program(0x10000, PartitionTable((moved, replace(DEFAULT_TABLE.partitions[-1], offset=0x20000))).pack())
    chip.program(moved.offset, b"stored")
    board = serve(chip)
    path = tmp_path / "notes.txt"
    path.write_text("notes")
    assert "notes.txt at 0x12000 reaches into partition 'nvs' (0x11000" in refusal(board, regions([(0x12000, path)]))
    assert "hello.bin at 0x10000 would erase what the board has stored in 'nvs' (0x11000" in refusal(
        board, read_build(make_build())
    )
    assert chip.read(moved.offset, 6) == b"stored"


NVS = next(each for each in DEFAULT_TABLE.partitions if is_nvs(each))


def moved_nvs(build: Build) -> Build:
    """The same with NVS elsewhere, and other data where it was."""
    rest = [each for each in DEFAULT_TABLE.partitions if each is not NVS]
    choice = replace(NVS, label="otadata", subtype=OTA_DATA, size=0x2000)
    table = PartitionTable((choice, *rest, replace(NVS, offset=0x300000)))
    kept = [each for each in build.regions if each.offset != 0x8000]
    parts = [Region(0x8000, table.pack(), "table.bin"), Region(NVS.offset, b"\xff" * 0x2000, "ota_data_initial.bin")]
    return checked(build.source, [*kept, *parts])


def test_nvs_that_a_new_table_has_elsewhere_stays(serve: Serve, make_build: Make) -> None:
    """The board's own table says where its NVS is; once that is blank, the new table may go there."""
    chip = FlashChip(8 * MB)
    board = serve(chip)
    build = read_build(make_build())
    flash(board, build)
    chip.program(NVS.offset, b"stored")
    board.erased = 0
    assert refusal(board, moved_nvs(build)) == (
        "board s3-a: nothing was written: ota_data_initial.bin at 0x9000 would erase what the board has stored in "
        "'nvs' (0x9000, 24576 bytes): by its partition table that is NVS, which is never written; to give it up, erase "
        "it first: `esptool --after no-reset erase-region 0x9000 0x6000`"
    )
    assert chip.read(NVS.offset, 6) == b"stored"
    chip.erase(NVS.offset, NVS.size)
    assert flash(board, moved_nvs(build)).what == CHANGED
    chip.program(NVS.offset, b"chosen")
    assert flash(board, moved_nvs(build)).what == CHANGED


def test_sectors_that_do_not_keep_what_they_were_given(serve: Serve, make_build: Make) -> None:
    """Are the board's failure, whether all is written or a part."""
    chip = FlashChip(8 * MB)
    old, new = read_build(make_build("1.0")), read_build(make_build("1.1"))
    board = serve(chip)
    flash(board, old)
    chip.wear_out(0x10032, 0x01)  # of the last digit of the version
    with pytest.raises(FlashFailed, match="MD5 of file does not match data in flash!"):
        flash(board, new, known=old)


def test_whose_fault_it_is() -> None:
    """What is refused is an error of the bench; what fails is the board's."""
    assert issubclass(FlashRefused, HarnessError)
    assert issubclass(FlashFailed, BoardFailure)


def test_esptools_own_command_line_needs_nothing_of_hil(serve: Serve, make_build: Make) -> None:
    """Flashed by hand over the same port, the board holds what hil would have written."""
    folder = make_build("4.0")
    board = serve()
    command = [sys.executable, "-m", "esptool", "--port", board.port, "--before", "no-reset", "--after", "no-reset"]
    files = [part for region in read_build(folder).regions for part in (hex(region.offset), region.name)]
    subprocess.run([*command, "write-flash", *files], cwd=folder, check=True, capture_output=True, timeout=60)
    assert flash(board, read_build(folder)).what == UNCHANGED
