"""Images that an ESP32-S3 boots: header, segments, checksum, appended SHA-256, and what they say of themselves.

Formats: ESP-IDF ``esp_app_format.h`` (``esp_image_header_t``, ``esp_image_segment_header_t``), ``esp_app_desc.h``
(``esp_app_desc_t``), ``esp_bootloader_desc.h`` (``esp_bootloader_desc_t``); where checksum and digest stand:
``esp_image_format.c`` and esptool documentation, "Firmware Image Format".
"""

import hashlib
from dataclasses import dataclass
from typing import Self

from hil.errors import WireError
from hil.wire.esp_loader import checksum
from hil.wire.layout import Layout, exactly

MAGIC = 0xE9
CHIP_ESP32S3 = 9
MAX_SEGMENTS = 16
MAX_SEGMENT_LENGTH = 16 << 20
HEADER_LENGTH, SEGMENT_HEADER_LENGTH = 24, 8
DIGEST_LENGTH = 32
CHECKSUM_BLOCK = 16
"""The checksum is the last byte of a block of so many."""
WP_PIN_DISABLED = 0xEE
FLASH_MODES = ("QIO", "QOUT", "DIO", "DOUT", "FAST READ", "SLOW READ")
"""By ``spi_mode``."""
FLASH_MHZ = {0xF: 80, 0x0: 40, 0x1: 26, 0x2: 20}
"""By ``spi_speed``."""
FLASH_MB = (1, 2, 4, 8, 16, 32, 64, 128)
"""By ``spi_size``."""
PAGE_LENGTH = 0x10000
"""Of the MMU; what is mapped stands at the same offset in a page of flash and in one of memory."""
_MAPPED = ((0x3C00_0000, 0x3E00_0000), (0x4200_0000, 0x4400_0000))

_HEADER = Layout("image header", "<BBBBIB3sHBHH4sB")
_SEGMENT = Layout("segment header", "<II")
_APP = Layout("application description", "<II8s32s32s16s16s32s32sHHB75s")
_BOOTLOADER = Layout("boot loader description", "<B3sI32s24s16s")
APP_DESCRIPTION_LENGTH, APP_MAGIC = _APP.size, 0xABCD_5432
BOOTLOADER_DESCRIPTION_LENGTH, BOOTLOADER_MAGIC = _BOOTLOADER.size, 0x50


def is_mapped(address: int) -> bool:
    """Whether a segment of that address is read from flash where it stands (DROM, IROM) and not loaded into RAM."""
    return any(low <= address < high for low, high in _MAPPED)


def padded_length(length: int) -> int:
    """Of header and segments with their checksum."""
    return (length // CHECKSUM_BLOCK + 1) * CHECKSUM_BLOCK


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """``esp_image_header_t``; the defaults are those of ESP-IDF for a board with 8 MB."""

    segment_count: int
    entry: int
    """Address of the first instruction."""
    spi_mode: int = 2
    """Index into :data:`FLASH_MODES`."""
    spi_speed: int = 0xF
    """Key of :data:`FLASH_MHZ`."""
    spi_size: int = 3
    """Index into :data:`FLASH_MB`."""
    chip_id: int = CHIP_ESP32S3
    min_revision: int = 0
    """Of the chip, major times 100 and minor."""
    max_revision: int = 0xFFFF
    hash_appended: bool = True
    wp_pin: int = WP_PIN_DISABLED
    magic: int = MAGIC

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """From the first 24 bytes; any magic is read, for whoever wants to name it."""
        values = _HEADER.unpack(data)
        magic, count, mode, speed_size, entry, wp_pin, _drive, chip, _old, low, high, _reserved, appended = values
        speed, size = speed_size & 0xF, speed_size >> 4
        return cls(count, entry, mode, speed, size, chip, low, high, appended == 1, wp_pin, magic)

    def pack(self) -> bytes:
        if not (0 <= self.spi_speed < 16 and 0 <= self.spi_size < 16):
            raise WireError(f"image header: spi_speed {self.spi_speed}, spi_size {self.spi_size}: each has 4 bits")
        return _HEADER.pack(
            self.magic,
            self.segment_count,
            self.spi_mode,
            self.spi_size << 4 | self.spi_speed,
            self.entry,
            self.wp_pin,
            bytes(3),
            self.chip_id,
            0,
            self.min_revision,
            self.max_revision,
            bytes(4),
            self.hash_appended,
        )


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """``esp_image_segment_header_t``."""

    address: int
    length: int

    @classmethod
    def parse(cls, data: bytes, offset: int = 0) -> Self:
        return cls(*_SEGMENT.unpack(data, offset))

    def pack(self) -> bytes:
        return _SEGMENT.pack(self.address, self.length)


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes and where they go."""

    address: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Image:
    """A whole image, boot loader or application."""

    header: ImageHeader
    segments: tuple[Segment, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """From the bytes of a file, or of flash from the image's first byte on; what follows the image is not read.

        Raises:
            WireError: magic, segment count or length, checksum or digest are wrong; the message says which.
        """
        header = ImageHeader.parse(data)
        if header.magic != MAGIC:
            raise WireError(f"image header: magic 0x{header.magic:02x} at offset 0, expected 0x{MAGIC:02x}")
        if header.segment_count > MAX_SEGMENTS:
            raise WireError(f"image header: {header.segment_count} segments, at most {MAX_SEGMENTS}")
        segments, end = _segments(data, header.segment_count)
        _check(data, segments, end, header.hash_appended)
        return cls(header, segments)

    def pack(self) -> bytes:
        """With the checksum, and with the digest where the header announces one."""
        if self.header.segment_count != len(self.segments):
            raise WireError(f"image header: {self.header.segment_count} segments, the image has {len(self.segments)}")
        parts = [self.header.pack()]
        for segment in self.segments:
            if len(segment.data) % 4 or len(segment.data) >= MAX_SEGMENT_LENGTH:
                raise WireError(
                    f"segment of 0x{segment.address:08x}: {len(segment.data)} bytes, expected a multiple of 4"
                )
            parts += [SegmentHeader(segment.address, len(segment.data)).pack(), segment.data]
        body = b"".join(parts)
        folded = checksum(b"".join(segment.data for segment in self.segments))
        image = body.ljust(padded_length(len(body)) - 1, b"\0") + bytes([folded])
        return image + hashlib.sha256(image).digest() if self.header.hash_appended else image

    @property
    def length(self) -> int:
        """Bytes that :meth:`pack` makes."""
        body = HEADER_LENGTH + sum(SEGMENT_HEADER_LENGTH + len(segment.data) for segment in self.segments)
        return padded_length(body) + (DIGEST_LENGTH if self.header.hash_appended else 0)

    @property
    def description(self) -> "AppDescription | None":
        """Of an application; it stands at the beginning of the first segment."""
        first = self.segments[0].data if self.segments else b""
        if len(first) < APP_DESCRIPTION_LENGTH or int.from_bytes(first[:4], "little") != APP_MAGIC:
            return None
        return AppDescription.parse(first[:APP_DESCRIPTION_LENGTH])


def _segments(data: bytes, count: int) -> tuple[tuple[Segment, ...], int]:
    """The segments and the offset after them."""
    found, at = [], HEADER_LENGTH
    for number in range(count):
        header = SegmentHeader.parse(data, at)
        at += SEGMENT_HEADER_LENGTH
        if header.length % 4 or header.length >= MAX_SEGMENT_LENGTH:
            raise WireError(
                f"segment {number} at offset 0x{at:x}: length 0x{header.length:x}, expected a multiple of 4"
            )
        if at + header.length > len(data):
            raise WireError(f"segment {number} at offset 0x{at:x}: {header.length} bytes, {len(data) - at} are there")
        found.append(Segment(header.address, data[at : at + header.length]))
        at += header.length
    return tuple(found), at


def _check(data: bytes, segments: tuple[Segment, ...], end: int, hash_appended: bool) -> None:
    length = padded_length(end)
    exactly("image up to its checksum", data[:length], length)
    folded = checksum(b"".join(segment.data for segment in segments))
    if folded != data[length - 1]:
        raise WireError(f"image: checksum 0x{data[length - 1]:02x} at offset 0x{length - 1:x}, expected 0x{folded:02x}")
    if not hash_appended:
        return
    digest = hashlib.sha256(data[:length]).digest()
    stored = exactly("digest of an image", data[length : length + DIGEST_LENGTH], DIGEST_LENGTH)
    if stored != digest:
        raise WireError(f"image: SHA-256 {stored.hex()} at offset 0x{length:x}, expected {digest.hex()}")


@dataclass(frozen=True, slots=True)
class AppDescription:
    """``esp_app_desc_t``: what an application says of itself."""

    project: str
    version: str
    elf_sha256: str
    """64 hexadecimal digits; an ELF file of that digest has the symbols of this application."""
    time: str = "12:00:00"
    date: str = "Nov 20 2026"
    idf_version: str = "v5.5.1"
    secure_version: int = 0
    min_efuse_revision: int = 0
    """Of the eFuse block, major times 100 and minor."""
    max_efuse_revision: int = 99
    mmu_page_log2: int = 16

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """From 256 bytes."""
        values = _APP.unpack(exactly(_APP.name, data, _APP.size))
        magic, secure, _, version, project, time, date, idf, digest, low, high, page, _ = values
        if magic != APP_MAGIC:
            raise WireError(f"application description: magic 0x{magic:08x} at offset 0, expected 0x{APP_MAGIC:08x}")
        texts = (_text(project), _text(version), digest.hex(), _text(time), _text(date), _text(idf))
        return cls(*texts, secure, low, high, page)

    def pack(self) -> bytes:
        return _APP.pack(
            APP_MAGIC,
            self.secure_version,
            bytes(8),
            _field("version", self.version, 32),
            _field("project", self.project, 32),
            _field("time", self.time, 16),
            _field("date", self.date, 16),
            _field("idf_version", self.idf_version, 32),
            _digest(self.elf_sha256),
            self.min_efuse_revision,
            self.max_efuse_revision,
            self.mmu_page_log2,
            bytes(75),
        )


@dataclass(frozen=True, slots=True)
class BootloaderDescription:
    """``esp_bootloader_desc_t``, at the beginning of the first segment of a second-stage boot loader."""

    idf_version: str = "v5.5.1"
    date_time: str = "Nov 20 2026 12:00:00"
    version: int = 1

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """From 80 bytes."""
        magic, _, version, idf, date_time, _ = _BOOTLOADER.unpack(exactly(_BOOTLOADER.name, data, _BOOTLOADER.size))
        if magic != BOOTLOADER_MAGIC:
            raise WireError(
                f"boot loader description: magic 0x{magic:02x} at offset 0, expected 0x{BOOTLOADER_MAGIC:02x}"
            )
        return cls(_text(idf), _text(date_time), version)

    def pack(self) -> bytes:
        idf, date_time = _field("idf_version", self.idf_version, 32), _field("date_time", self.date_time, 24)
        return _BOOTLOADER.pack(BOOTLOADER_MAGIC, bytes(3), self.version, idf, date_time, bytes(16))


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode(errors="replace")


def _field(name: str, text: str, length: int) -> bytes:
    """Ended by a NUL."""
    encoded = text.encode()
    if len(encoded) >= length or b"\0" in encoded:
        raise WireError(f"{name} is {text!r}; wanted text of at most {length - 1} bytes")
    return encoded


def _digest(text: str) -> bytes:
    try:
        return exactly("elf_sha256", bytes.fromhex(text), DIGEST_LENGTH)
    except ValueError as error:
        raise WireError(f"elf_sha256 is {text!r}; wanted 64 hexadecimal digits") from error
