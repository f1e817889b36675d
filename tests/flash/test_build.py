"""Regions that go together, and those that do not: each refusal as text."""

from pathlib import Path

import pytest

from hil.errors import BuildError
from hil.flash.build import SECTOR, Region, checked, regions, require_partitions
from hil.virtual.rom.images import DEFAULT_TABLE, application, bootloader
from hil.wire.esp_image import AppDescription, Image, ImageHeader, Segment

APP = application(AppDescription("hello", "1.0", "ab" * 32), b"code" * 4000)
LOADER = Region(0, bootloader().pack(), "bootloader.bin")
TABLE = Region(0x8000, DEFAULT_TABLE.pack(), "partition-table.bin")
HELLO = Region(0x10000, APP.pack(), "hello.bin")


def test_a_build_knows_what_it_is() -> None:
    """The application's description, the size of flash that the boot loader names, regions in order."""
    build = checked("somewhere", [HELLO, TABLE, LOADER])
    assert [region.offset for region in build.regions] == [0, 0x8000, 0x10000]
    assert build.app is not None
    assert (build.app.project, build.app.version, build.flash_bytes) == ("hello", "1.0", 8 << 20)
    assert str(build) == "hello 1.0 from somewhere"
    assert (build.revisions, build.region(0x8000), build.region(0x9000)) == ((0, 0xFFFF), TABLE, None)


def test_explicit_offsets(tmp_path: Path) -> None:
    """One application alone has no table and may go anywhere, as far as its file tells."""
    path = tmp_path / "hello.bin"
    path.write_bytes(APP.pack())
    build = regions([(0x10000, path)])
    assert (build.table, build.flash_bytes, build.end) == (None, None, HELLO.erased_end)
    with pytest.raises(BuildError, match=r"no files: there is nothing to flash"):
        regions([])
    with pytest.raises(BuildError, match=r"gone.bin: cannot be read: No such file or directory"):
        regions([(0, tmp_path / "gone.bin")])
    (tmp_path / "empty.bin").touch()
    with pytest.raises(BuildError, match=r"empty.bin is empty"):
        regions([(0, tmp_path / "empty.bin")])


def test_a_file_without_end_is_refused() -> None:
    """As of a device, or of a disk's image that was named by mistake."""
    with pytest.raises(BuildError, match=r"^/dev/zero: over 134217728 bytes; no flash has more$"):
        regions([(0, Path("/dev/zero"))])


def test_an_elf_file_is_named_by_what_it_is(tmp_path: Path) -> None:
    """Wherever it is to go, whatever the board has."""
    path = tmp_path / "hello.elf"
    path.write_bytes(b"\x7fELF" + bytes(1000))
    with pytest.raises(BuildError) as refused:
        regions([(0x10000, path)])
    assert str(refused.value) == f"{path}: an ELF file; `esptool --chip esp32s3 elf2image` makes an image of it"


def test_a_partition_table_may_lie_behind_a_long_boot_loader() -> None:
    """CONFIG_PARTITION_TABLE_OFFSET makes room for one; a board that takes it may have a table at either place."""
    long = Region(0, LOADER.data.ljust(0x9000, b"\xff"), "bootloader.bin")
    behind = Region(0xF000, TABLE.data, "partition-table.bin")
    assert checked("somewhere", [long, behind, HELLO]).table_offsets == (0x8000, 0xF000)
    with pytest.raises(BuildError, match="reaches over the partition table at 0x8000"):
        checked("somewhere", [long, HELLO])


def image_for(chip_id: int) -> bytes:
    return Image(ImageHeader(1, 0, chip_id=chip_id), (Segment(0, bytes(64)),)).pack()


LONG = application(AppDescription("hello", "1.0", "ab" * 32), bytes(0x177000)).pack()
REFUSED = {
    "another chip": (
        [Region(0x10000, image_for(5), "c3.bin")],
        "c3.bin at 0x10000 is an image for ESP32-C3 (chip id 5); wanted ESP32-S3 (chip id 9)",
    ),
    "an unknown chip": (
        [Region(0x10000, image_for(77), "new.bin")],
        "new.bin at 0x10000 is an image for an unknown chip (chip id 77); wanted ESP32-S3 (chip id 9)",
    ),
    "no boot loader": (
        [Region(0, b"text", "README.md")],
        "README.md at 0x0 is not an image: magic 0x74 at offset 0, expected 0xe9",
    ),
    "a damaged image": (
        [Region(0x10000, HELLO.data[:-40], "cut.bin")],
        "cut.bin at 0x10000 is not an image: image up to its checksum: 18104 bytes, expected 18112",
    ),
    "no application": (
        [LOADER, TABLE, Region(0x10000, b"text", "notes.txt")],
        "notes.txt at 0x10000 is not an image: its first byte is 0x74, an image's is 0xe9; "
        "partition 'factory' (0x10000, 1536000 bytes)",
    ),
    "too long": (
        [LOADER, TABLE, Region(0x10000, LONG, "long.bin")],
        f"long.bin at 0x10000 has {len(LONG)} bytes and does not fit partition 'factory' (0x10000, 1536000 bytes)",
    ),
    "across a partition": (
        [LOADER, TABLE, Region(0x20000, APP.pack(), "late.bin")],
        "late.bin at 0x20000 lies across partition 'factory' (0x10000, 1536000 bytes); "
        "an application begins where its partition does",
    ),
    "into NVS": (
        [LOADER, TABLE, Region(0xA000, b"key", "nvs.bin")],
        "nvs.bin at 0xa000 reaches into partition 'nvs' (0x9000, 24576 bytes): NVS is never written; "
        "what else is to be flashed?",
    ),
    "over the table": (
        [Region(0, (LOADER.data.ljust(0x8000, b"\xff") + TABLE.data), "merged.bin")],
        "merged.bin at 0x0 reaches over the partition table at 0x8000; a merged image is named without an offset",
    ),
    "data over the table": (
        [Region(0x7000, bytes(0x1001), "data.bin"), HELLO],
        "data.bin at 0x7000 reaches over the partition table at 0x8000; a merged image is named without an offset",
    ),
    "no table in its place": (
        [Region(0x8000, b"text", "notes.txt")],
        "notes.txt at 0x8000 is not a partition table: its first bytes are 74 65",
    ),
    "data that is too long": (
        [LOADER, TABLE, Region(0xF000, bytes(0x1001), "phy.bin"), Region(0x187000, b"code", "next.bin")],
        "phy.bin at 0xf000 has 4097 bytes and does not fit partition 'phy_init' (0xf000, 4096 bytes)",
    ),
    "a table that the boot loader refuses": (
        [Region(0, bootloader(flash_mb=1).pack(), "bootloader.bin"), TABLE],
        "somewhere: partition 'factory' ends at 0x187000, behind the 1 MB of flash that the boot loader's header "
        "names: it would not start",
    ),
    "the boot loader's place on an ESP32": (
        [Region(0x1000, LOADER.data, "bootloader.bin"), TABLE, HELLO],
        "bootloader.bin at 0x1000 lies in the boot loader, whose place on an ESP32-S3 is from 0x0 on",
    ),
    "an application for a boot loader": (
        [Region(0, APP.pack(), "hello.bin")],
        "hello.bin at 0x0 is the application hello 1.0 and no boot loader; its place is such as 0x10000",
    ),
    "overlapping": (
        [HELLO, Region(0x11000, b"more", "more.bin")],
        f"hello.bin at 0x10000 and more.bin at 0x11000 overlap: writing hello.bin at 0x10000 erases up to "
        f"0x{HELLO.erased_end:x}",
    ),
    "not at a sector": (
        [Region(0x10010, b"text", "data.bin")],
        "data.bin at 0x10010 does not begin at a sector: offsets are multiples of 0x1000",
    ),
    "behind the end": (
        [LOADER, Region(0x7FF000, bytes(0x2000), "data.bin")],
        "data.bin at 0x7ff000 has 8192 bytes and ends at 0x801000, behind 8 MB of flash",
    ),
    "no table": (
        [Region(0x8000, TABLE.data[:4] + b"x" + TABLE.data[5:], "table.bin")],
        "table.bin at 0x8000 is not a partition table: Incorrect MD5 checksum",
    ),
}


@pytest.mark.parametrize(("found", "text"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_flashed_is_refused_by_name(found: list[Region], text: str) -> None:
    """The message names file, offset and what is wrong."""
    with pytest.raises(BuildError) as refused:
        checked("somewhere", found)
    assert str(refused.value) == text


def test_a_boards_own_table_is_heeded_as_well() -> None:
    """A build without a table is held against the one that the board has."""
    build = checked("app", [HELLO])
    require_partitions(build, DEFAULT_TABLE)
    with pytest.raises(BuildError, match=r"reaches into partition 'nvs'"):
        require_partitions(checked("x", [Region(0x9000, b"x", "x")]), DEFAULT_TABLE)


def test_whole_sectors_are_erased() -> None:
    """The next region may begin behind the last one that is touched."""
    assert Region(SECTOR, b"x" * SECTOR, "x").erased_end == 2 * SECTOR
    assert Region(SECTOR, b"x" * (SECTOR + 1), "x").erased_end == 3 * SECTOR
