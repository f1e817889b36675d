"""Makes the files that a build of ESP-IDF leaves for flashing: real images, with nothing an ESP32-S3 could run.

Names, offsets and ``flasher_args.json`` are those of ``idf.py build``.
"""

import json
from dataclasses import dataclass
from random import Random

from hil.errors import VirtualBoardError
from hil.wire.esp_image import (
    FLASH_MB,
    HEADER_LENGTH,
    SEGMENT_HEADER_LENGTH,
    AppDescription,
    BootloaderDescription,
    Image,
    ImageHeader,
    Segment,
)
from hil.wire.esp_partitions import APP, DATA, FACTORY, NVS, PHY, TABLE_OFFSET, Partition, PartitionTable

BOOTLOADER_OFFSET, APP_OFFSET = 0x0, 0x10000
BOOTLOADER_ENTRY, APP_ENTRY = 0x403C_8928, 0x4037_55AC
DEFAULT_TABLE = PartitionTable(
    (
        Partition("nvs", DATA, NVS, 0x9000, 0x6000),
        Partition("phy_init", DATA, PHY, 0xF000, 0x1000),
        Partition("factory", APP, FACTORY, APP_OFFSET, 0x177000),
    )
)
"""One application and no OTA."""


@dataclass(frozen=True, slots=True)
class FlashFile:
    """One argument of ``write-flash``."""

    offset: int
    name: str
    """Relative to the build directory."""
    data: bytes


def bootloader(description: BootloaderDescription | None = None, flash_mb: int = 8) -> Image:
    """A second-stage boot loader of the size of ESP-IDF's."""
    first = (description or BootloaderDescription()).pack()
    segments = (
        Segment(0x3FCE_2820, first + _filler(0x1574 - len(first), 1)),
        Segment(0x403C_8700, _filler(0xD24, 2)),
        Segment(0x403C_B700, _filler(0x2F00, 3)),
    )
    return Image(ImageHeader(len(segments), BOOTLOADER_ENTRY, spi_size=FLASH_MB.index(flash_mb)), segments)


def application(description: AppDescription, code: bytes = b"", flash_mb: int = 8) -> Image:
    """An application with read-only data, data, and code in RAM and in flash.

    Args:
        code: goes into flash as it is, padded to a multiple of 4; two builds differ where theirs does.
    """
    loaded = [
        Segment(0x3C00_0020, description.pack() + _filler(0x100, 4)),
        Segment(0x3FC9_4000, _filler(0x200, 5)),
        Segment(0x4037_4000, _filler(0x400, 6)),
    ]
    before = HEADER_LENGTH + sum(SEGMENT_HEADER_LENGTH + len(each.data) for each in loaded) + SEGMENT_HEADER_LENGTH
    text = code.ljust(-(-max(len(code), 4) // 4) * 4, b"\0")
    segments = (*loaded, Segment(0x4200_0000 + before, text))
    return Image(ImageHeader(len(segments), APP_ENTRY, spi_size=FLASH_MB.index(flash_mb)), segments)


def flash_files(
    app: Image, table: PartitionTable = DEFAULT_TABLE, loader: Image | None = None
) -> tuple[FlashFile, ...]:
    """Boot loader, partition table and application, which goes to the first partition for one.

    Raises:
        VirtualBoardError: no partition is for an application.
    """
    first = next((each for each in table.partitions if each.type == APP), None)
    if first is None:
        labels = ", ".join(each.label for each in table.partitions)
        raise VirtualBoardError(f"partition table: none of {labels or 'its 0 partitions'} is for an application")
    project = app.description.project if app.description else "app"
    return (
        FlashFile(BOOTLOADER_OFFSET, "bootloader/bootloader.bin", (loader or bootloader()).pack()),
        FlashFile(TABLE_OFFSET, "partition_table/partition-table.bin", table.pack()),
        FlashFile(first.offset, f"{project}.bin", app.pack()),
    )


def flasher_args(files: tuple[FlashFile, ...], flash_mb: int = 8) -> str:
    """The text of ``flasher_args.json``."""
    settings = {"flash_mode": "dio", "flash_size": f"{flash_mb}MB", "flash_freq": "80m"}
    arguments = [part for key, value in settings.items() for part in (f"--{key.replace('_', '-')}", value)]
    parts = dict(zip(("bootloader", "partition-table", "app"), files, strict=True))
    content = {
        "write_flash_args": arguments,
        "flash_settings": settings,
        "flash_files": {f"0x{each.offset:x}": each.name for each in files},
        **{
            name: {"offset": f"0x{each.offset:x}", "file": each.name, "encrypted": "false"}
            for name, each in parts.items()
        },
        "extra_esptool_args": {
            "after": "hard-reset",
            "before": "default-reset",
            "stub": True,
            "chip": "esp32s3",
        },
    }
    return json.dumps(content, indent=4) + "\n"


def _filler(length: int, seed: int) -> bytes:
    """Bytes that compress about as code does: half of them repeat."""
    half = Random(seed).randbytes(-(-length // 2))
    return (half + half)[:length]
