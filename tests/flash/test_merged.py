"""Merged images, cut along their partition tables."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.errors import BuildError
from hil.flash.merged import read_merged
from hil.virtual.rom.images import application, bootloader, flash_files
from hil.wire.esp_image import AppDescription, Image, ImageHeader, Segment
from hil.wire.esp_partitions import APP, DATA, NVS, OTA_DATA, Partition, PartitionTable

TABLE = PartitionTable(
    (
        Partition("nvs", DATA, NVS, 0x9000, 0x4000),
        Partition("otadata", DATA, OTA_DATA, 0xD000, 0x2000),
        Partition("ota_0", APP, 0x10, 0x10000, 0x100000),
        Partition("storage", DATA, 0x82, 0x110000, 0x10000),
        Partition("ota_1", APP, 0x11, 0x120000, 0x100000),
    )
)
HELLO = application(AppDescription("hello", "1.0", "ab" * 32), b"code" * 4000)


def merged(*extra: tuple[int, bytes], loader: Image | None = None) -> bytes:
    """As `esptool merge-bin` does it: what lies between is 0xFF."""
    files = [(each.offset, each.data) for each in flash_files(HELLO, TABLE, loader)]
    data = bytearray()
    for offset, content in sorted([*files, *extra]):
        data = data.ljust(offset, b"\xff")
        data[offset : offset + len(content)] = content
    return bytes(data)


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_a_merged_image_is_cut_into_what_it_holds(tmp_path: Path) -> None:
    """NVS and a blank storage are no regions; the choice between OTA slots is, blank as it is."""
    build = read_merged(written(tmp_path / "all.bin", merged()))
    assert [str(region) for region in build.regions] == [
        "all.bin (boot loader) at 0x0",
        "all.bin (partition table) at 0x8000",
        "all.bin (otadata) at 0xd000",
        "all.bin (ota_0) at 0x10000",
    ]
    assert build.app is not None
    assert (build.app.version, build.left_out, build.regions[2].data) == ("1.0", (), b"\xff" * 0x2000)
    assert build.regions[3].data.startswith(HELLO.pack())


def test_nvs_of_a_merged_image_is_left_out(tmp_path: Path) -> None:
    """And the build says so; other data goes in."""
    data = merged((0x9000, b"key"), (0x110000, b"files"))
    build = read_merged(written(tmp_path / "all.bin", data))
    assert build.left_out == ("all.bin at 0x9000 (nvs): NVS stays",)
    storage = build.region(0x110000)
    assert storage is not None
    assert (storage.data[:5], storage.erased_end) == (b"files", 0x111000)


def test_blank_data_behind_data_is_data(tmp_path: Path) -> None:
    """A file system's free blocks must not keep what the board had there; behind an application nothing matters."""
    data = merged((0x110000, b"files"), (0x120000, b"\xff"))
    storage, app = (read_merged(written(tmp_path / "all.bin", data)).region(each) for each in (0x110000, 0x10000))
    assert storage is not None
    assert app is not None
    assert (storage.data, app.erased_end) == (b"files".ljust(0x10000, b"\xff"), 0x10000 + 0x5000)


def test_what_is_no_merged_image(tmp_path: Path) -> None:
    """An application alone, another chip's, text, data where no partition is: each by name."""
    path = tmp_path / "x.bin"

    def refusal(data: bytes) -> str:
        with pytest.raises(BuildError) as refused:
            read_merged(written(path, data))
        return str(refused.value).removeprefix(f"{tmp_path}/")

    assert refusal(HELLO.pack()) == (
        "x.bin: one image and not a merged one: no partition table at 0x8000; name its offset, such as "
        "0x10000=x.bin, or the folder that it was built in"
    )
    assert refusal(b"text") == "x.bin: not an image: its first byte is 0x74, an image's is 0xe9"
    esp32 = Image(ImageHeader(1, 0, chip_id=0), (Segment(0, bytes(64)),))
    shifted = b"\xff" * 0x1000 + esp32.pack()
    assert refusal(shifted) == "x.bin: a boot loader at 0x1000, so a merged image for ESP32, not for ESP32-S3"
    c3 = Image(ImageHeader(1, 0, chip_id=5), bootloader().segments[:1])
    assert refusal(merged(loader=c3)) == (
        "x.bin (boot loader) at 0x0 is an image for ESP32-C3 (chip id 5); wanted ESP32-S3 (chip id 9)"
    )
    assert refusal(merged((0xF000, b"?"))) == "x.bin: holds data between 0xf000 and 0x10000, where it has no partition"
    broken = bytearray(merged())
    broken[0x8004] ^= 1
    assert refusal(bytes(broken)) == "x.bin: not a partition table at 0x8000: Incorrect MD5 checksum"


@settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.integers(0, 0x13000), st.binary(min_size=1, max_size=8)), min_size=1, max_size=3))
def test_a_damaged_merged_image_is_a_build_or_an_error(tmp_path: Path, damage: list[tuple[int, bytes]]) -> None:
    """Only BuildError escapes."""
    data = bytearray(merged())
    for offset, content in damage:
        data[offset : offset + len(content)] = content
    with suppress(BuildError):
        assert read_merged(written(tmp_path / "x.bin", bytes(data))).regions[0].offset == 0
