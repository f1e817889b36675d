"""Images that are built for the virtual board."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hil.errors import VirtualBoardError
from hil.virtual.rom.images import DEFAULT_TABLE, application, bootloader, flash_files, flasher_args
from hil.wire.esp_image import AppDescription, BootloaderDescription, Image
from hil.wire.esp_partitions import PartitionTable

APP = AppDescription("bridge", "1.2.3-rc1", "0123456789abcdef" * 4)


def esptool(*arguments: str) -> str:
    command = [sys.executable, "-m", "esptool", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.slow
def test_esptool_finds_the_application_sound(tmp_path: Path) -> None:
    """Chip, segments, checksum, digest and description, as unmodified esptool reads them."""
    path = tmp_path / "app.bin"
    path.write_bytes(application(APP, b"code" * 1000).pack())
    told = esptool("image-info", str(path))
    for line in (
        "Detected image type: ESP32-S3",
        "Flash size: 8MB",
        "Flash freq: 80m",
        "Flash mode: DIO",
        "Chip ID: 9 (ESP32-S3)",
        "(valid)",
        "Project name: bridge",
        "App version: 1.2.3-rc1",
        "ELF file SHA256: " + "0123456789abcdef" * 4,
        "ESP-IDF: v5.5.1",
    ):
        assert line in told
    assert told.count("(valid)") == 2
    assert "invalid" not in told


@pytest.mark.slow
def test_esptool_finds_the_boot_loader_sound(tmp_path: Path) -> None:
    """With the description that ESP-IDF's has."""
    path = tmp_path / "bootloader.bin"
    path.write_bytes(bootloader(BootloaderDescription("v5.4.2")).pack())
    told = esptool("image-info", str(path))
    assert "ESP-IDF: v5.4.2" in told
    assert told.count("(valid)") == 2


@pytest.mark.slow
def test_esptool_finds_damage(tmp_path: Path) -> None:
    """One byte of code."""
    packed = bytearray(application(APP, b"code").pack())
    packed[-40] ^= 1
    path = tmp_path / "app.bin"
    path.write_bytes(packed)
    assert "invalid" in esptool("image-info", str(path))


def test_two_builds_differ_where_their_code_does() -> None:
    """And in nothing before it."""
    first, second = application(APP, b"one").pack(), application(APP, b"two").pack()
    assert first != second
    assert first[:2000] == second[:2000]


def test_a_build_has_its_three_files_and_their_list() -> None:
    """As idf.py leaves them."""
    files = flash_files(application(APP))
    assert [(each.offset, each.name) for each in files] == [
        (0, "bootloader/bootloader.bin"),
        (0x8000, "partition_table/partition-table.bin"),
        (0x10000, "bridge.bin"),
    ]
    assert PartitionTable.parse(files[1].data) == DEFAULT_TABLE
    assert Image.parse(files[2].data).description == APP
    told = json.loads(flasher_args(files))
    assert told["flash_files"] == {f"0x{each.offset:x}": each.name for each in files}
    assert told["write_flash_args"] == ["--flash-mode", "dio", "--flash-size", "8MB", "--flash-freq", "80m"]
    assert told["app"] == {"offset": "0x10000", "file": "bridge.bin", "encrypted": "false"}
    assert told["extra_esptool_args"]["chip"] == "esp32s3"


def test_an_application_needs_a_partition() -> None:
    """The table that has none is named by its labels."""
    with pytest.raises(VirtualBoardError, match="none of nvs, phy_init is for an application"):
        flash_files(application(APP), PartitionTable(DEFAULT_TABLE.partitions[:2]))
