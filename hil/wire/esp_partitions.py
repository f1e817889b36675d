"""The partition table and the choice between OTA slots, as they stand in the flash of an ESP32-S3.

Formats: ESP-IDF ``esp_flash_partitions.h`` (``esp_partition_info_t``, ``esp_ota_select_entry_t``), what is checked:
``flash_partitions.c`` and ``bootloader_common.c``; ESP-IDF documentation, "Partition Tables".
"""

import hashlib
import zlib
from dataclasses import dataclass
from typing import Self

from hil.errors import WireError
from hil.wire.layout import Layout, exactly

TABLE_OFFSET = 0x8000
"""In flash, unless CONFIG_PARTITION_TABLE_OFFSET says otherwise."""
TABLE_LENGTH = 0xC00
ENTRY_LENGTH = 32
MAX_ENTRIES = TABLE_LENGTH // ENTRY_LENGTH
MAGIC, MAGIC_MD5, ERASED = 0x50AA, 0xEBEB, 0xFFFF
APP, DATA = 0x00, 0x01
FACTORY, OTA_0, TEST = 0x00, 0x10, 0x20
"""Subtypes of an application; the slots of OTA are 0x10 to 0x1f."""
OTA_DATA, PHY, NVS, COREDUMP, NVS_KEYS, EFUSE = 0x00, 0x01, 0x02, 0x03, 0x04, 0x05
"""Subtypes of data."""
FLAG_ENCRYPTED, FLAG_READONLY = 1, 2

_ENTRY = Layout("partition", "<HBBII16sI")
_SELECT = Layout("OTA choice", "<I20sII")
_MD5_OFFSET = 16
_CRC_SEED = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Partition:
    """One entry of the table."""

    label: str
    type: int
    subtype: int
    offset: int
    size: int
    flags: int = 0

    @classmethod
    def parse(cls, data: bytes) -> Self:
        magic, kind, subtype, offset, size, label, flags = _ENTRY.unpack(exactly(_ENTRY.name, data, _ENTRY.size))
        if magic != MAGIC:
            raise WireError(f"partition: magic 0x{magic:04x} at offset 0, expected 0x{MAGIC:04x}")
        return cls(label.split(b"\0", 1)[0].decode(errors="replace"), kind, subtype, offset, size, flags)

    def pack(self) -> bytes:
        label = self.label.encode()
        if len(label) > 16 or b"\0" in label:
            raise WireError(f"partition: label is {self.label!r}; wanted at most 16 bytes")
        return _ENTRY.pack(MAGIC, self.type, self.subtype, self.offset, self.size, label, self.flags)

    @property
    def end(self) -> int:
        """The first offset behind it."""
        return self.offset + self.size

    @property
    def ota_slot(self) -> int | None:
        """0 to 15 for an application of OTA."""
        return self.subtype & 0xF if self.type == APP and self.subtype & ~0xF == OTA_0 else None


@dataclass(frozen=True, slots=True)
class PartitionTable:
    """The entries in order, ended by an erased one; an MD5 of them stands before that end."""

    partitions: tuple[Partition, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """From the 0xC00 bytes of the table, or from what a file has of them.

        Raises:
            WireError: an unknown magic, a wrong or second MD5, or no end; in the words of ``flash_partitions.c``.
        """
        found: list[Partition] = []
        has_md5 = False
        for number in range(min(MAX_ENTRIES, len(data) // ENTRY_LENGTH)):
            entry = data[number * ENTRY_LENGTH : (number + 1) * ENTRY_LENGTH]
            magic = int.from_bytes(entry[:2], "little")
            if magic == MAGIC:
                found.append(Partition.parse(entry))
            elif magic == MAGIC_MD5:
                _check_md5(data[: number * ENTRY_LENGTH], entry, has_md5)
                has_md5 = True
            elif entry[:4] == b"\xff" * 4:
                return cls(tuple(found))
            else:
                raise WireError(f"partition {number} invalid magic number 0x{magic:x}")
        raise WireError("partition table has no terminating entry, not valid")

    def pack(self) -> bytes:
        """All 0xC00 bytes."""
        entries = b"".join(partition.pack() for partition in self.partitions)
        md5 = MAGIC_MD5.to_bytes(2, "little").ljust(_MD5_OFFSET, b"\xff") + hashlib.md5(entries).digest()
        table = entries + md5
        if len(table) > TABLE_LENGTH - ENTRY_LENGTH:
            raise WireError(f"partition table: {len(self.partitions)} partitions, at most {MAX_ENTRIES - 2}")
        return table.ljust(TABLE_LENGTH, b"\xff")

    def find(self, kind: int, subtype: int) -> Partition | None:
        """The last of that type, which is the one that the boot loader takes."""
        of_kind = [each for each in self.partitions if (each.type, each.subtype) == (kind, subtype)]
        return of_kind[-1] if of_kind else None


def _check_md5(entries: bytes, entry: bytes, has_md5: bool) -> None:
    if has_md5:
        raise WireError("Only one MD5 checksum is allowed")
    if hashlib.md5(entries).digest() != entry[_MD5_OFFSET:]:
        raise WireError("Incorrect MD5 checksum")


@dataclass(frozen=True, slots=True)
class OtaChoice:
    """``esp_ota_select_entry_t``, in each sector of the OTA data; of two valid ones the higher sequence counts."""

    sequence: int
    """Slot + 1, plus any multiple of the number of slots."""
    state: int = 0xFFFF_FFFF
    """2 is valid, 3 invalid, 4 aborted; without rollback it stays undefined."""
    crc: int = -1
    """-1: the right one."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """From 32 bytes; an erased one has sequence 0xFFFFFFFF."""
        sequence, _, state, crc = _SELECT.unpack(exactly(_SELECT.name, data, _SELECT.size))
        return cls(sequence, state, crc)

    def pack(self) -> bytes:
        crc = self._right_crc() if self.crc == -1 else self.crc
        return _SELECT.pack(self.sequence, b"\xff" * 20, self.state, crc)

    @property
    def valid(self) -> bool:
        """``bootloader_common_ota_select_valid``."""
        return self.sequence != 0xFFFF_FFFF and self.state not in (3, 4) and self.crc in (-1, self._right_crc())

    @property
    def initial(self) -> bool:
        """``bootloader_common_ota_select_invalid``: never written, or given up by a rollback."""
        return self.sequence == 0xFFFF_FFFF or self.state in (3, 4)

    def _right_crc(self) -> int:
        return zlib.crc32(self.sequence.to_bytes(4, "little"), _CRC_SEED)
