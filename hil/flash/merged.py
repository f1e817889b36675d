"""One file with all that is in flash from offset 0 on, as ``esptool merge-bin`` makes it.

What lies between its parts was filled with 0xFF, and so was NVS. Writing the file as it is would take away what the
board has stored; so it is cut along its partition table, and only what it really holds becomes a region.
"""

from collections.abc import Iterator
from pathlib import Path

from hil.errors import BuildError, WireError
from hil.flash.build import BLANK, CHIP_NAMES, SECTOR, Build, Region, checked, is_nvs, read_bytes
from hil.wire.esp_image import HEADER_LENGTH, MAGIC, ImageHeader
from hil.wire.esp_partitions import APP, DATA, OTA_DATA, TABLE_LENGTH, TABLE_OFFSET, Partition, PartitionTable
from hil.wire.esp_partitions import MAGIC as TABLE_MAGIC

OTHER_LOADER_OFFSETS = (0x1000, 0x2000)
"""Of the boot loader of an ESP32 or ESP32-S2, and of an ESP32-P4 or ESP32-C5 (esptool, BOOTLOADER_FLASH_OFFSET)."""


def read_merged(path: Path) -> Build:
    """Boot loader, partition table and partitions of a merged image.

    Raises:
        BuildError: the file is none, or one for another chip.
    """
    data = read_bytes(path, path.name)
    _require_loader(path, data)
    partitions = _partitions(path, data)
    _require_nothing_else(path, data, partitions)
    inside = [each for each in partitions if each.offset < len(data)]
    held = [_region(path, data, each) for each in inside if not is_nvs(each)]
    stored = [each for each in inside if is_nvs(each) and _used(data[each.offset : each.end])]
    told = tuple(f"{path.name} at 0x{each.offset:x} ({each.label}): NVS stays" for each in stored)
    loader = Region(0, _trimmed(data[:TABLE_OFFSET]), f"{path.name} (boot loader)")
    table = Region(TABLE_OFFSET, data[TABLE_OFFSET : TABLE_OFFSET + TABLE_LENGTH], f"{path.name} (partition table)")
    return checked(str(path), [loader, table, *(region for region in held if region is not None)], left_out=told)


def _require_loader(path: Path, data: bytes) -> None:
    if data[0] != MAGIC:
        for offset in OTHER_LOADER_OFFSETS:
            if set(data[:offset]) == {0xFF} and data[offset : offset + 1] == bytes([MAGIC]):
                chip = _chip(data[offset:])
                raise BuildError(
                    f"{path}: a boot loader at 0x{offset:x}, so a merged image for {chip}, not for ESP32-S3"
                )
        raise BuildError(f"{path}: not an image: its first byte is 0x{data[0]:02x}, an image's is 0x{MAGIC:02x}")
    if data[TABLE_OFFSET : TABLE_OFFSET + 2] != TABLE_MAGIC.to_bytes(2, "little"):
        raise BuildError(
            f"{path}: one image and not a merged one: no partition table at 0x{TABLE_OFFSET:x}; name its offset, "
            f"such as 0x10000={path.name}, or the folder that it was built in"
        )


def _chip(data: bytes) -> str:
    try:
        chip_id = ImageHeader.parse(data[:HEADER_LENGTH]).chip_id
    except WireError:
        return "another chip"
    return CHIP_NAMES.get(chip_id, f"a chip with the id {chip_id}")


def _partitions(path: Path, data: bytes) -> tuple[Partition, ...]:
    try:
        return PartitionTable.parse(data[TABLE_OFFSET : TABLE_OFFSET + TABLE_LENGTH]).partitions
    except WireError as error:
        raise BuildError(f"{path}: not a partition table at 0x{TABLE_OFFSET:x}: {error}") from error


def _region(path: Path, data: bytes, partition: Partition) -> Region | None:
    """What the file holds of a partition; None for nothing. A blank choice between OTA slots is something, too.

    What is blank behind an application is nothing; behind data it is data, as a file system's free blocks are.
    """
    content = data[partition.offset : partition.end]
    if not _used(content) and (partition.type, partition.subtype) != (DATA, OTA_DATA):
        return None
    if partition.type == APP:
        content = _trimmed(content)
    return Region(partition.offset, content, f"{path.name} ({partition.label})")


def _require_nothing_else(path: Path, data: bytes, partitions: tuple[Partition, ...]) -> None:
    for start, end in _gaps(partitions, len(data)):
        if _used(data[start:end]):
            raise BuildError(f"{path}: holds data between 0x{start:x} and 0x{end:x}, where it has no partition")


def _gaps(partitions: tuple[Partition, ...], end: int) -> Iterator[tuple[int, int]]:
    """Behind the sector of the partition table, what no partition covers."""
    at = TABLE_OFFSET + SECTOR
    for partition in sorted(partitions, key=lambda each: each.offset):
        if partition.offset > at:
            yield at, min(partition.offset, end)
        at = max(at, partition.end)
    yield at, end


def _used(data: bytes) -> bool:
    return bool(data.strip(BLANK))


def _trimmed(data: bytes) -> bytes:
    """Without the blank sectors at its end."""
    used = len(data.rstrip(BLANK))
    return data[: -(-used // SECTOR) * SECTOR]
