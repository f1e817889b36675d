"""How ESP-IDF's second-stage boot loader checks and loads an application, and what it prints.

Steps, their order and their words: ESP-IDF ``esp_image_format.c`` (``image_load`` and what it calls) and
``bootloader_common_loader.c`` (``bootloader_common_check_chip_validity``), v5.5, without secure boot.
"""

import hashlib
from dataclasses import dataclass

from hil.errors import WireError
from hil.virtual.flash import FlashChip
from hil.virtual.rom.chip import in_ram
from hil.wire.esp_image import (
    APP_DESCRIPTION_LENGTH,
    CHIP_ESP32S3,
    DIGEST_LENGTH,
    HEADER_LENGTH,
    MAGIC,
    MAX_SEGMENT_LENGTH,
    MAX_SEGMENTS,
    PAGE_LENGTH,
    SEGMENT_HEADER_LENGTH,
    AppDescription,
    ImageHeader,
    SegmentHeader,
    is_mapped,
    padded_length,
)
from hil.wire.esp_loader import checksum
from hil.wire.esp_partitions import Partition

TAG = "esp_image"
_NEVER_LOADED = 0x1000_0000
"""Segments below are padding."""

LogText = tuple[str, str, str]
"""Level, tag and text of a line of the log."""


@dataclass(frozen=True, slots=True)
class LoadedApp:
    """What came of one partition."""

    log: tuple[LogText, ...]
    failure: str = ""
    """The line that tells why it was not loaded, or ''."""
    description: AppDescription | None = None
    length: int = 0


def load_app(flash: FlashChip, partition: Partition) -> LoadedApp:
    """Checks the image in a partition as the boot loader does before it runs it."""
    start = partition.offset
    header = ImageHeader.parse(_read(flash, start, HEADER_LENGTH))
    if header.magic != MAGIC:
        return _failed([], f"image at 0x{start:x} has invalid magic byte (nothing flashed here?)")
    if header.chip_id != CHIP_ESP32S3:
        return _failed([], f"mismatch chip ID, expected {CHIP_ESP32S3}, found {header.chip_id}", "boot_comm")
    if header.segment_count > MAX_SEGMENTS:
        text = f"image at 0x{start:x} segment count {header.segment_count} exceeds max {MAX_SEGMENTS}"
        return _failed([], text)
    return _load_segments(flash, partition, header)


def _load_segments(flash: FlashChip, partition: Partition, header: ImageHeader) -> LoadedApp:
    log: list[LogText] = []
    folded, at = checksum(b""), partition.offset + HEADER_LENGTH
    for index in range(header.segment_count):
        if at + SEGMENT_HEADER_LENGTH > flash.size:
            return _failed(log, f"bootloader_flash_read failed at 0x{at:08x}")
        segment = SegmentHeader.parse(flash.read(at, SEGMENT_HEADER_LENGTH))
        at += SEGMENT_HEADER_LENGTH
        if problem := _header_problem(index, segment, at):
            return _failed(log, problem)
        log.append(("I", TAG, _segment_text(index, segment, at)))
        if problem := _place_problem(index, segment, at, flash):
            return _failed(log, problem)
        folded ^= checksum(flash.read(at, segment.length)) ^ checksum(b"")
        at += segment.length
    return _verify(flash, partition, log, _Body(header, at - partition.offset, folded))


def _header_problem(index: int, segment: SegmentHeader, data_at: int) -> str:
    if segment.length % 4 or segment.length >= MAX_SEGMENT_LENGTH:
        return f"invalid segment length 0x{segment.length:x}"
    if is_mapped(segment.address) and (data_at - segment.address) % PAGE_LENGTH:
        return f"Segment {index} load address 0x{segment.address:08x}, doesn't match data 0x{data_at:08x}"
    return ""


def _segment_text(index: int, segment: SegmentHeader, data_at: int) -> str:
    use = "map" if is_mapped(segment.address) else "load" if _is_loaded(segment) else ""
    size = f"size={segment.length:05x}h ({segment.length:6d}) {use}"
    return f"segment {index}: paddr={data_at:08x} vaddr={segment.address:08x} {size}"


def _is_loaded(segment: SegmentHeader) -> bool:
    return not is_mapped(segment.address) and segment.address >= _NEVER_LOADED


def _place_problem(index: int, segment: SegmentHeader, data_at: int, flash: FlashChip) -> str:
    if segment.length and _is_loaded(segment) and not in_ram(segment.address, segment.length):
        end = segment.address + segment.length
        return f"Segment {index} 0x{segment.address:08x}-0x{end:08x} invalid: bad load address range"
    if data_at + segment.length > flash.size:
        return f"bootloader_mmap(0x{data_at:x}, 0x{segment.length:x}) failed"
    return ""


@dataclass(frozen=True, slots=True)
class _Body:
    """Of an image: its header, the length up to the padding, and the checksum of its segments."""

    header: ImageHeader
    length: int
    folded: int


def _verify(flash: FlashChip, partition: Partition, log: list[LogText], body: _Body) -> LoadedApp:
    start, length = partition.offset, padded_length(body.length)
    digest_at = start + length
    if digest_at + DIGEST_LENGTH > flash.size:
        return _failed(log, f"bootloader_flash_read failed at 0x{start + body.length:08x}")
    stored = flash.read(digest_at - 1, 1)[0]
    if stored != body.folded:
        return _failed(log, f"Checksum failed. Calculated 0x{body.folded:x} read 0x{stored:x}")
    total = length + (DIGEST_LENGTH if body.header.hash_appended else 0)
    if total > partition.size:
        return _failed(log, f"Image length {total} doesn't fit in partition length {partition.size}")
    digest = hashlib.sha256(flash.read(start, length)).digest()
    if body.header.hash_appended and digest != flash.read(digest_at, DIGEST_LENGTH):
        return _failed(log, "Image hash failed - image is corrupt")
    return LoadedApp(tuple(log), "", _description(flash, start), total)


def _description(flash: FlashChip, start: int) -> AppDescription | None:
    at = start + HEADER_LENGTH + SEGMENT_HEADER_LENGTH
    try:
        return AppDescription.parse(_read(flash, at, APP_DESCRIPTION_LENGTH))
    except WireError:
        return None


def _read(flash: FlashChip, at: int, length: int) -> bytes:
    """What lies past the end of the chip reads as erased."""
    return flash.read(at, min(length, max(flash.size - at, 0))).ljust(length, b"\xff")


def _failed(log: list[LogText], text: str, tag: str = TAG) -> LoadedApp:
    return LoadedApp((*log, ("E", tag, text)), text)
