"""The commands of the ROM's loader."""

import hashlib
import struct
import zlib

import pytest

from hil.virtual.flash import MB, FlashChip
from hil.virtual.rom.chip import Chip, Exit
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.rom.registers import Registers
from hil.virtual.rom.rom_loader import RomLoader
from hil.wire.esp_loader import (
    SYNC_ARGUMENT,
    Begin,
    Block,
    Op,
    RegisterWrite,
    Reply,
    Request,
    RomError,
    SecurityInfo,
    checksum,
)


@pytest.fixture
def rom() -> RomLoader:
    flash = FlashChip(MB)
    flash.program(0, bytes(0x3000))
    return RomLoader(Chip(flash, Registers(flash, ChipIdentity(), strapped=True, forced=False)))


def ask(rom: RomLoader, op: int, data: bytes = b"", check: int = 0) -> Reply:
    """The one reply to a command."""
    (packed,) = rom.receive(Request(op, data, check))
    return Reply.parse(packed, 4)


def send_block(rom: RomLoader, op: Op, data: bytes, sequence: int = 0) -> RomError | None:
    error = ask(rom, op, Block(sequence, data).pack(), checksum(data)).error
    assert error is None or isinstance(error, RomError)
    return error


def test_sync_is_answered_eight_times(rom: RomLoader) -> None:
    """With the first word of the argument, which is how esptool tells the ROM from its stub."""
    replies = rom.receive(Request(Op.SYNC, SYNC_ARGUMENT))
    assert [packed.hex() for packed in replies] == ["010804000707122000000000"] * 8


def test_replies_repeat_the_register_read_last(rom: RomLoader) -> None:
    """As traces of the ROM show."""
    assert ask(rom, Op.READ_REG, struct.pack("<I", 0x6000_7048)).value == 0x3485
    assert ask(rom, Op.SPI_ATTACH, bytes(8)).value == 0x3485


def test_registers_are_written_in_order(rom: RomLoader) -> None:
    """One command may hold several writes."""
    writes = RegisterWrite(0x6000_8000, 5).pack() + RegisterWrite(0x6000_8000, 2, 3).pack()
    assert ask(rom, Op.WRITE_REG, writes).error is None
    assert ask(rom, Op.READ_REG, struct.pack("<I", 0x6000_8000)).value == 6


def test_security_information_names_the_chip(rom: RomLoader) -> None:
    """By the number that images carry."""
    assert SecurityInfo.parse(ask(rom, Op.GET_SECURITY_INFO).data).chip_id == 9


def test_a_raw_write_erases_first_and_programs_block_by_block(rom: RomLoader) -> None:
    """What was not written yet is erased."""
    assert ask(rom, Op.FLASH_BEGIN, Begin(0x2000, 2, 0x400, 0x1000, False).pack()).error is None
    assert send_block(rom, Op.FLASH_DATA, b"\x12" * 0x400) is None
    flash = rom.chip.flash
    assert flash.read(0, 0x3000) == bytes(0x1000) + (b"\x12" * 0x400).ljust(0x2000, b"\xff")


def test_a_refused_block_may_be_sent_again(rom: RomLoader) -> None:
    """It was not programmed."""
    ask(rom, Op.FLASH_BEGIN, Begin(8, 1, 0x400, 0, False).pack())
    assert ask(rom, Op.FLASH_DATA, Block(0, b"damaged!").pack(), checksum(b"whole...")).error is RomError.CHECKSUM
    assert send_block(rom, Op.FLASH_DATA, b"whole...") is None
    assert rom.chip.flash.read(0, 8) == b"whole..."


def test_a_deflated_write_is_inflated(rom: RomLoader) -> None:
    """And what is no zlib stream, or a damaged one, is named."""
    begin = Begin(0x1000, 1, 0x400, 0, False).pack()
    ask(rom, Op.FLASH_DEFL_BEGIN, begin)
    assert send_block(rom, Op.FLASH_DEFL_DATA, zlib.compress(b"data")) is None
    assert rom.chip.flash.read(0, 4) == b"data"
    ask(rom, Op.FLASH_DEFL_BEGIN, begin)
    assert send_block(rom, Op.FLASH_DEFL_DATA, b"no stream") is RomError.DEFLATE
    ask(rom, Op.FLASH_DEFL_BEGIN, begin)
    assert send_block(rom, Op.FLASH_DEFL_DATA, zlib.compress(b"data")[:-1] + b"\0") is RomError.DEFLATE_CHECKSUM


def test_blocks_need_their_begin(rom: RomLoader) -> None:
    """Of the same kind, and inside the flash."""
    assert send_block(rom, Op.FLASH_DATA, b"data") is RomError.FAILED
    ask(rom, Op.FLASH_BEGIN, Begin(4, 1, 0x400, 0, False).pack())
    assert send_block(rom, Op.FLASH_DEFL_DATA, b"data") is RomError.FAILED
    assert ask(rom, Op.FLASH_BEGIN, Begin(5, 1, 0x400, MB - 4, False).pack()).error is RomError.FAILED
    assert send_block(rom, Op.FLASH_DATA, b"data") is RomError.FAILED
    assert send_block(rom, Op.MEM_DATA, b"data") is RomError.FAILED


def test_the_md5_comes_as_text(rom: RomLoader) -> None:
    """32 hexadecimal digits of the range that was asked for."""
    reply = ask(rom, Op.SPI_FLASH_MD5, struct.pack("<IIII", 0x2FFE, 4, 0, 0))
    assert reply.data.decode() == hashlib.md5(b"\0\0\xff\xff").hexdigest()
    assert ask(rom, Op.SPI_FLASH_MD5, struct.pack("<IIII", MB, 1, 0, 0)).error is RomError.FLASH_READ


def test_slow_reads_come_in_64_bytes(rom: RomLoader) -> None:
    """However few were asked for; more are refused."""
    assert ask(rom, Op.READ_FLASH_SLOW, struct.pack("<II", 0x2FFF, 2)).data == b"\0\xff" + bytes(62)
    assert ask(rom, Op.READ_FLASH_SLOW, struct.pack("<II", 0, 65)).error is RomError.FLASH_READ_LENGTH
    assert ask(rom, Op.READ_FLASH_SLOW, struct.pack("<II", MB, 1)).error is RomError.FLASH_READ


@pytest.mark.parametrize(("stay", "way"), [(1, Exit.RUN), (0, Exit.REBOOT)])
def test_flash_end_leaves_the_loader(rom: RomLoader, stay: int, way: Exit) -> None:
    """Into the application, or by a reset; the reply comes first."""
    ask(rom, Op.FLASH_BEGIN, Begin(0, 0, 0x400, 0, False).pack())
    assert ask(rom, Op.FLASH_END, struct.pack("<I", stay)).error is None
    assert rom.chip.exit is way


def test_ram_is_loaded_where_there_is_ram(rom: RomLoader) -> None:
    """In blocks with a checksum, and no more than was announced."""
    assert ask(rom, Op.MEM_BEGIN, Begin(4, 1, 0x1800, 0x4000_0000).pack()).error is RomError.RAM_ADDRESS
    assert ask(rom, Op.MEM_BEGIN, Begin(4, 1, 0x1800, 0x4037_8000).pack()).error is None
    assert ask(rom, Op.MEM_DATA, Block(0, b"OHAI").pack(), 0).error is RomError.CHECKSUM
    assert send_block(rom, Op.MEM_DATA, b"OHAI") is None
    assert send_block(rom, Op.MEM_DATA, b"more") is RomError.RAM_SIZE
    assert ask(rom, Op.MEM_END, struct.pack("<II", 1, 0)).error is None
    assert not rom.chip.stub_started
    ask(rom, Op.MEM_END, struct.pack("<II", 0, 0x4037_8000))
    assert rom.chip.stub_started


def test_the_baud_rate_follows_the_reply(rom: RomLoader) -> None:
    """115200 until it is changed."""
    assert rom.chip.baud == 115200
    ask(rom, Op.CHANGE_BAUDRATE, struct.pack("<II", 921600, 0))
    assert rom.chip.baud == 921600


@pytest.mark.parametrize("op", [Op.ERASE_FLASH, Op.READ_FLASH, Op.RUN_USER_CODE, 0x77])
def test_commands_of_the_stub_are_refused_as_the_rom_refuses(rom: RomLoader, op: int) -> None:
    """Eight times, as an invalid message, under another opcode than the command's."""
    ask(rom, Op.SPI_ATTACH, bytes(8))
    replies = [Reply.parse(packed, 4) for packed in rom.receive(Request(op))]
    assert [(reply.op, reply.error) for reply in replies] == [(Op.SPI_ATTACH, RomError.INVALID_MESSAGE)] * 8


@pytest.mark.parametrize("op", [Op.SYNC, Op.READ_REG, Op.FLASH_BEGIN, Op.SPI_FLASH_MD5, Op.SPI_ATTACH, Op.MEM_END])
def test_a_malformed_argument_is_an_invalid_message(rom: RomLoader, op: Op) -> None:
    """Under the opcode of the command."""
    reply = ask(rom, op, b"123")
    assert (reply.op, reply.error) == (op, RomError.INVALID_MESSAGE)
