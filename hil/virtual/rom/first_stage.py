"""What the ESP32-S3's ROM does with the image at the beginning of flash, and what it prints.

Its words are those of boot logs: "invalid header" over and over, "Checksum failure" and "ets_main.c 329" (esp-idf
issues 10692 and 12281), "SHA-256 comparison failed" after which it boots all the same (ESPresense issue 1248). In each
case that does not boot, the timer group's watchdog resets the chip. What it prints of a segment that reaches past the
flash has not been seen; here it falls silent after the segment's own line.
"""

import hashlib
from dataclasses import dataclass

from hil.errors import WireError
from hil.virtual.flash import FlashChip
from hil.wire.esp_image import (
    BOOTLOADER_DESCRIPTION_LENGTH,
    DIGEST_LENGTH,
    FLASH_MHZ,
    HEADER_LENGTH,
    MAGIC,
    SEGMENT_HEADER_LENGTH,
    BootloaderDescription,
    ImageHeader,
    SegmentHeader,
    padded_length,
)
from hil.wire.esp_loader import checksum

IMAGE_OFFSET = 0
RETRIES = 8
"""Times that the ROM reads and names a header before the watchdog bites; logs show 2 to 20."""
MODES = ("QIO", "QOUT", "DIO", "DOUT", "FAST_RD", "SLOW_RD")
"""As the ROM spells them."""


@dataclass(frozen=True, slots=True)
class FirstStage:
    """What came of it."""

    lines: tuple[str, ...]
    header: ImageHeader | None = None
    """None: the ROM jumped nowhere."""
    description: BootloaderDescription | None = None
    """Of the image that it jumped into, where it has one."""
    failure: str = ""


def first_stage(flash: FlashChip) -> FirstStage:
    """Loads the image at offset 0, if there is a good one."""
    header = ImageHeader.parse(flash.read(IMAGE_OFFSET, HEADER_LENGTH))
    if header.magic != MAGIC:
        word = int.from_bytes(flash.read(IMAGE_OFFSET, 4), "little")
        line = f"invalid header: 0x{word:08x}"
        return FirstStage((line,) * RETRIES, failure=line)
    mode = MODES[header.spi_mode] if header.spi_mode < len(MODES) else MODES[-1]
    divider = 80 // FLASH_MHZ.get(header.spi_speed, 80)
    head = (f"SPIWP:0x{header.wp_pin:02x}", f"mode:{mode}, clock div:{divider}")
    return _load(flash, header, head)


def _load(flash: FlashChip, header: ImageHeader, head: tuple[str, ...]) -> FirstStage:
    lines, folded, at = list(head), checksum(b""), IMAGE_OFFSET + HEADER_LENGTH
    for number in range(header.segment_count):
        segment = SegmentHeader.parse(flash.read(at, SEGMENT_HEADER_LENGTH))
        lines.append(f"load:0x{segment.address:08x},len:0x{segment.length:x}")
        at += SEGMENT_HEADER_LENGTH
        if at + segment.length + padded_length(0) + DIGEST_LENGTH > flash.size:
            failure = f"segment {number} of the image at 0x{IMAGE_OFFSET:x} has length 0x{segment.length:x}"
            return FirstStage(tuple(lines), failure=failure)
        folded ^= checksum(flash.read(at, segment.length)) ^ checksum(b"")
        at += segment.length
    return _verify(flash, header, lines, folded)


def _verify(flash: FlashChip, header: ImageHeader, lines: list[str], folded: int) -> FirstStage:
    length = padded_length(_body_length(flash, header))
    stored = flash.read(IMAGE_OFFSET + length - 1, 1)[0]
    if stored != folded:
        line = f"Checksum failure. Calculated 0x{folded:02x} stored 0x{stored:02x}"
        return FirstStage((*lines, line, "ets_main.c 329 "), failure=line)
    if header.hash_appended:
        calculated = hashlib.sha256(flash.read(IMAGE_OFFSET, length)).hexdigest()
        expected = flash.read(IMAGE_OFFSET + length, DIGEST_LENGTH).hex()
        if calculated != expected:
            lines.append("SHA-256 comparison failed:")
            lines += [f"Calculated: {calculated}", f"Expected: {expected}", "Attempting to boot anyway..."]
    lines.append(f"entry 0x{header.entry:08x}")
    return FirstStage(tuple(lines), header, _description(flash))


def _body_length(flash: FlashChip, header: ImageHeader) -> int:
    at = HEADER_LENGTH
    for _ in range(header.segment_count):
        at += SEGMENT_HEADER_LENGTH + SegmentHeader.parse(flash.read(IMAGE_OFFSET + at, SEGMENT_HEADER_LENGTH)).length
    return at


def _description(flash: FlashChip) -> BootloaderDescription | None:
    start = IMAGE_OFFSET + HEADER_LENGTH + SEGMENT_HEADER_LENGTH
    try:
        return BootloaderDescription.parse(flash.read(start, BOOTLOADER_DESCRIPTION_LENGTH))
    except WireError:
        return None
