"""Commands and replies of Espressif's serial loaders: the ESP32-S3's ROM and the flasher stub that esptool runs on it.

Format: esptool documentation, "Serial Protocol"; opcodes and argument layouts as in esptool ``loader.py`` (``ESP_CMDS``
and the method of each command); error codes as in its ``util.py`` (``FatalError.WithResult``), those of the stub from
esp-flasher-stub ``commands.h``. All numbers are little endian; a packet travels in SLIP frames (:mod:`hil.wire.slip`).
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import xor
from typing import Self

from hil.errors import WireError
from hil.wire.layout import Layout, exactly

REQUEST, RESPONSE = 0, 1
CHECKSUM_SEED = 0xEF
SYNC_ARGUMENT = b"\x07\x07\x12\x20" + b"\x55" * 32
STUB_GREETING = b"OHAI"
"""A packet of its own, sent when the stub has begun to run."""
ROM_STATUS_LENGTH, STUB_STATUS_LENGTH = 4, 2


class Op(IntEnum):
    """Opcodes; those from 0xD0 on are the stub's alone, READ_FLASH_SLOW the ROM's."""

    FLASH_BEGIN = 0x02
    FLASH_DATA = 0x03
    FLASH_END = 0x04
    MEM_BEGIN = 0x05
    MEM_END = 0x06
    MEM_DATA = 0x07
    SYNC = 0x08
    WRITE_REG = 0x09
    READ_REG = 0x0A
    SPI_SET_PARAMS = 0x0B
    SPI_ATTACH = 0x0D
    READ_FLASH_SLOW = 0x0E
    CHANGE_BAUDRATE = 0x0F
    FLASH_DEFL_BEGIN = 0x10
    FLASH_DEFL_DATA = 0x11
    FLASH_DEFL_END = 0x12
    SPI_FLASH_MD5 = 0x13
    GET_SECURITY_INFO = 0x14
    ERASE_FLASH = 0xD0
    ERASE_REGION = 0xD1
    READ_FLASH = 0xD2
    RUN_USER_CODE = 0xD3


class RomError(IntEnum):
    """Second status byte of the ROM where the first is 1."""

    INVALID_PARAMETER = 0x01
    INVALID_MESSAGE = 0x05
    FAILED = 0x06
    CHECKSUM = 0x07
    FLASH_WRITE = 0x08
    FLASH_READ = 0x09
    FLASH_READ_LENGTH = 0x0A
    DEFLATE = 0x0B
    DEFLATE_CHECKSUM = 0x0C
    DEFLATE_PARAMETER = 0x0D
    RAM_SIZE = 0x0E
    RAM_ADDRESS = 0x0F


class StubError(IntEnum):
    """First status byte of the stub; the second is 0."""

    BAD_DATA_LENGTH = 0xC0
    BAD_DATA_CHECKSUM = 0xC1
    BAD_BLOCKSIZE = 0xC2
    INVALID_COMMAND = 0xC3
    FAILED_SPI_OP = 0xC4
    FAILED_SPI_UNLOCK = 0xC5
    NOT_IN_FLASH_MODE = 0xC6
    INFLATE = 0xC7
    NOT_ENOUGH_DATA = 0xC8
    TOO_MUCH_DATA = 0xC9
    NOT_IMPLEMENTED = 0xFF


Error = RomError | StubError

_HEADER = Layout("loader packet", "<BBHI")
_BEGIN = Layout("BEGIN command", "<IIII")
_FLAG = Layout("word", "<I")
_PAIR = Layout("two words", "<II")
_BLOCK = Layout("DATA command", "<IIII")
_WRITE = Layout("register write", "<IIII")
_READ_FLASH = Layout("READ_FLASH command", "<IIII")
_SECURITY = Layout("security information", "<IB7BII")


def checksum(data: bytes) -> int:
    """Of a block: all its bytes and 0xEF, by exclusive or."""
    folded, width = int.from_bytes(data, "little"), len(data)
    while width > 64:
        half = (width + 1) // 2
        folded = (folded >> (half * 8)) ^ (folded & ((1 << half * 8) - 1))
        width = half
    return reduce(xor, folded.to_bytes(max(width, 1), "little"), CHECKSUM_SEED)


@dataclass(frozen=True, slots=True)
class Request:
    """One command."""

    op: int
    """An :class:`Op`, or whatever the host sent in its place."""
    data: bytes = b""
    checksum: int = 0
    """Of the block that a DATA command carries, else 0."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """From the payload of one SLIP packet; bytes after the announced length are refused."""
        direction, op, length, check = _HEADER.unpack(data)
        if direction != REQUEST:
            raise WireError(f"loader packet: direction {direction} at offset 0, expected {REQUEST} (a request)")
        return cls(op, exactly("data of a loader command", data[_HEADER.size :], length), check)

    def pack(self) -> bytes:
        return _HEADER.pack(REQUEST, self.op, len(self.data), self.checksum) + self.data


@dataclass(frozen=True, slots=True)
class Reply:
    """What a loader answers."""

    op: int
    value: int = 0
    """Of the register that was read; the ROM repeats an old one elsewhere."""
    data: bytes = b""
    error: Error | None = None
    status_length: int = STUB_STATUS_LENGTH
    """4 bytes end a reply of the ROM, 2 one of the stub."""

    @classmethod
    def parse(cls, data: bytes, status_length: int) -> Self:
        """From the payload of one SLIP packet.

        Args:
            status_length: :data:`ROM_STATUS_LENGTH` or :data:`STUB_STATUS_LENGTH`; the packet does not tell.
        """
        direction, op, length, value = _HEADER.unpack(data)
        if direction != RESPONSE:
            raise WireError(f"loader packet: direction {direction} at offset 0, expected {RESPONSE} (a reply)")
        body = exactly("body of a loader reply", data[_HEADER.size :], length)
        if length < status_length:
            raise WireError(f"body of a loader reply: {length} bytes, expected a status of {status_length}")
        at = length - status_length
        return cls(op, value, body[:at], _error(body[at], body[at + 1]), status_length)

    def pack(self) -> bytes:
        body = self.data + _status(self.error).ljust(self.status_length, b"\0")
        return _HEADER.pack(RESPONSE, self.op, len(body), self.value) + body


def _status(error: Error | None) -> bytes:
    if error is None:
        return b"\0\0"
    return bytes([1, error]) if isinstance(error, RomError) else bytes([error, 0])


def _error(first: int, second: int) -> Error | None:
    if first == 0:
        return None
    try:
        return RomError(second) if first == 1 else StubError(first)
    except ValueError as error:
        raise WireError(f"status of a loader reply: unknown error {first:02x} {second:02x}") from error


@dataclass(frozen=True, slots=True)
class Begin:
    """Argument of FLASH_BEGIN, FLASH_DEFL_BEGIN and MEM_BEGIN."""

    size: int
    """Bytes to erase or to load; of FLASH_DEFL_BEGIN, before they were compressed."""
    blocks: int
    """DATA commands that follow."""
    block_size: int
    offset: int
    """In flash, or an address in RAM."""
    encrypted: bool | None = None
    """None: the short form, without a fifth word."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        long = len(data) == _BEGIN.size + _FLAG.size
        exactly("BEGIN command", data, _BEGIN.size + (_FLAG.size if long else 0))
        encrypted = bool(_FLAG.unpack(data, _BEGIN.size)[0]) if long else None
        size, blocks, block_size, offset = _BEGIN.unpack(data)
        return cls(size, blocks, block_size, offset, encrypted)

    def pack(self) -> bytes:
        words = _BEGIN.pack(self.size, self.blocks, self.block_size, self.offset)
        return words if self.encrypted is None else words + _FLAG.pack(self.encrypted)


@dataclass(frozen=True, slots=True)
class Block:
    """Argument of a DATA command; its request carries the :func:`checksum` of ``data``."""

    sequence: int
    data: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        length, sequence, _, _ = _BLOCK.unpack(data)
        return cls(sequence, exactly("block of a DATA command", data[_BLOCK.size :], length))

    def pack(self) -> bytes:
        return _BLOCK.pack(len(self.data), self.sequence, 0, 0) + self.data


@dataclass(frozen=True, slots=True)
class RegisterWrite:
    """One of the writes of a WRITE_REG command."""

    address: int
    value: int
    mask: int = 0xFFFF_FFFF
    """Bits that change."""
    delay_us: int = 0

    @classmethod
    def parse_all(cls, data: bytes) -> tuple[Self, ...]:
        """Every write of a command; at least one."""
        if not data or len(data) % _WRITE.size:
            raise WireError(f"WRITE_REG command: {len(data)} bytes, expected a multiple of {_WRITE.size}")
        return tuple(cls(*_WRITE.unpack(data, at)) for at in range(0, len(data), _WRITE.size))

    def pack(self) -> bytes:
        return _WRITE.pack(self.address, self.value, self.mask, self.delay_us)


@dataclass(frozen=True, slots=True)
class FlashRead:
    """Argument of READ_FLASH."""

    offset: int
    length: int
    block_size: int
    """Bytes of each packet that comes, but the last."""
    in_flight: int
    """Packets that the host would take unacknowledged; the stub sends one at a time all the same."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        return cls(*_READ_FLASH.unpack(exactly(_READ_FLASH.name, data, _READ_FLASH.size)))

    def pack(self) -> bytes:
        return _READ_FLASH.pack(self.offset, self.length, self.block_size, self.in_flight)


@dataclass(frozen=True, slots=True)
class SecurityInfo:
    """Answer to GET_SECURITY_INFO."""

    flags: int = 0
    flash_crypt_count: int = 0
    key_purposes: tuple[int, ...] = (0,) * 7
    chip_id: int = 9
    """As in an image's header: 9 is the ESP32-S3."""
    api_version: int = 0

    @classmethod
    def parse(cls, data: bytes) -> Self:
        flags, count, *purposes, chip, version = _SECURITY.unpack(exactly(_SECURITY.name, data, _SECURITY.size))
        return cls(flags, count, tuple(purposes), chip, version)

    def pack(self) -> bytes:
        return _SECURITY.pack(self.flags, self.flash_crypt_count, *self.key_purposes, self.chip_id, self.api_version)


def word(data: bytes) -> int:
    """The argument of READ_REG and of the END commands, and an acknowledgement of READ_FLASH."""
    value: int = _FLAG.unpack(exactly("argument of one word", data, _FLAG.size))[0]
    return value


def two_words(data: bytes) -> tuple[int, int]:
    """The argument of MEM_END, CHANGE_BAUDRATE, READ_FLASH_SLOW and ERASE_REGION."""
    first, second = _PAIR.unpack(exactly("argument of two words", data, _PAIR.size))
    return first, second
