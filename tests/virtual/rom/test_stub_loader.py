"""The commands of the flasher stub."""

import hashlib
import struct
import zlib

import pytest

from hil.virtual.flash import MB, SECTOR, FlashChip
from hil.virtual.rom.chip import Chip, Exit
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.rom.registers import Registers
from hil.virtual.rom.stub_loader import StubLoader
from hil.wire.esp_loader import SYNC_ARGUMENT, Begin, Block, FlashRead, Op, Reply, Request, StubError, checksum


@pytest.fixture
def stub() -> StubLoader:
    flash = FlashChip(MB)
    flash.program(0, bytes(0x3000))
    return StubLoader(Chip(flash, Registers(flash, ChipIdentity(), strapped=True, forced=False)))


def ask(stub: StubLoader, op: int, data: bytes = b"", check: int = 0) -> Reply:
    (packed,) = stub.receive(Request(op, data, check))
    return Reply.parse(packed, 2)


def send_block(stub: StubLoader, op: Op, data: bytes) -> Reply:
    return ask(stub, op, Block(0, data).pack(), checksum(data))


def test_sync_is_answered_with_zero(stub: StubLoader) -> None:
    """Eight times, with a status of two bytes."""
    assert [each.hex() for each in stub.receive(Request(Op.SYNC, SYNC_ARGUMENT))] == ["01080200000000000000"] * 8


def test_a_register_shows_in_its_own_reply_alone(stub: StubLoader) -> None:
    """Unlike the ROM's."""
    assert ask(stub, Op.READ_REG, struct.pack("<I", 0x6000_7048)).value == 0x3485
    assert ask(stub, Op.SPI_ATTACH, bytes(4)).value == 0


def test_a_block_is_acknowledged_before_its_fault_is_known(stub: StubLoader) -> None:
    """The next command is answered with the error and not carried out; the one after it is."""
    ask(stub, Op.FLASH_DEFL_BEGIN, Begin(0x1000, 1, 0x4000, 0, False).pack())
    assert send_block(stub, Op.FLASH_DEFL_DATA, b"no stream").error is None
    assert ask(stub, Op.ERASE_FLASH).error is StubError.INFLATE
    assert stub.chip.flash.read(0x2000, 4) == bytes(4)
    assert ask(stub, Op.ERASE_FLASH).error is None
    assert stub.chip.flash.read(0x2000, 4) == b"\xff" * 4


def test_a_damaged_block_is_refused_at_once(stub: StubLoader) -> None:
    """And may be sent again."""
    ask(stub, Op.FLASH_BEGIN, Begin(8, 1, 0x4000, 0, False).pack())
    assert ask(stub, Op.FLASH_DATA, Block(0, b"damaged!").pack(), 1).error is StubError.BAD_DATA_CHECKSUM
    assert send_block(stub, Op.FLASH_DATA, b"whole...").error is None
    assert stub.chip.flash.read(0, 8) == b"whole..."


def test_more_than_was_announced_is_too_much(stub: StubLoader) -> None:
    """The four bytes of an Adler-32 may come alone."""
    stream = zlib.compress(b"data")
    ask(stub, Op.FLASH_DEFL_BEGIN, Begin(4, 1, 0x4000, 0, False).pack())
    send_block(stub, Op.FLASH_DEFL_DATA, stream[:-4])
    assert send_block(stub, Op.FLASH_DEFL_DATA, stream).error is StubError.TOO_MUCH_DATA
    assert send_block(stub, Op.FLASH_DEFL_DATA, stream[-4:]).error is None
    assert ask(stub, Op.FLASH_DEFL_END, struct.pack("<I", 1)).error is None


def test_an_end_needs_a_whole_write(stub: StubLoader) -> None:
    """Not begun, not done, done; only 0 resets."""
    assert ask(stub, Op.FLASH_END, bytes(4)).error is StubError.NOT_IN_FLASH_MODE
    ask(stub, Op.FLASH_BEGIN, Begin(4, 1, 0x4000, 0, False).pack())
    assert ask(stub, Op.FLASH_END, bytes(4)).error is StubError.BAD_DATA_LENGTH
    send_block(stub, Op.FLASH_DATA, b"data")
    assert ask(stub, Op.FLASH_END, struct.pack("<I", 1)).error is None
    assert stub.chip.exit is None
    ask(stub, Op.FLASH_BEGIN, Begin(0, 0, 0x4000, 0, False).pack())
    assert ask(stub, Op.FLASH_END, bytes(4)).error is None
    assert stub.chip.exit is Exit.REBOOT


def test_a_region_is_erased_by_whole_sectors(stub: StubLoader) -> None:
    """Unaligned ones are refused."""
    assert ask(stub, Op.ERASE_REGION, struct.pack("<II", 1, SECTOR)).error is StubError.BAD_DATA_LENGTH
    assert ask(stub, Op.ERASE_REGION, struct.pack("<II", MB, SECTOR)).error is StubError.FAILED_SPI_OP
    assert ask(stub, Op.ERASE_REGION, struct.pack("<II", SECTOR, SECTOR)).error is None
    assert stub.chip.flash.read(0, 3 * SECTOR) == bytes(SECTOR) + b"\xff" * SECTOR + bytes(SECTOR)


def test_the_md5_comes_as_bytes(stub: StubLoader) -> None:
    """16 of them."""
    reply = ask(stub, Op.SPI_FLASH_MD5, struct.pack("<IIII", 0x2FFE, 4, 0, 0))
    assert reply.data == hashlib.md5(b"\0\0\xff\xff").digest()
    assert ask(stub, Op.SPI_FLASH_MD5, struct.pack("<IIII", MB, 1, 0, 0)).error is StubError.FAILED_SPI_OP


def test_a_read_goes_packet_by_acknowledged_packet(stub: StubLoader) -> None:
    """One in flight, whatever the host allows; the MD5 follows the last acknowledgement."""
    reply, first = stub.receive(Request(Op.READ_FLASH, FlashRead(0x2F00, 0x180, 0x100, 64).pack()))
    assert Reply.parse(reply, 2).error is None
    assert first == bytes(0x100)
    (second,) = stub.acknowledge(struct.pack("<I", 0x100))
    assert second == b"\xff" * 0x80
    assert stub.is_reading
    assert stub.acknowledge(struct.pack("<I", 0x100)) == []
    assert stub.acknowledge(struct.pack("<I", 0x180)) == [hashlib.md5(first + second).digest()]
    assert not stub.is_reading


def test_what_is_no_acknowledgement_ends_a_read(stub: StubLoader) -> None:
    """The MD5 is that of what was sent."""
    stub.receive(Request(Op.READ_FLASH, FlashRead(0, 0x200, 0x100, 64).pack()))
    assert stub.acknowledge(b"no") == [hashlib.md5(bytes(0x100)).digest()]
    assert not stub.is_reading


def test_a_read_of_nothing_is_an_md5(stub: StubLoader) -> None:
    """No packet needs an acknowledgement."""
    _, digest = stub.receive(Request(Op.READ_FLASH, FlashRead(0, 0, 0x1000, 64).pack()))
    assert digest == hashlib.md5().digest()
    assert not stub.is_reading


@pytest.mark.parametrize(
    ("read", "error"),
    [
        (FlashRead(0, 4, 0x2000, 1), StubError.BAD_DATA_LENGTH),
        (FlashRead(0, 4, 0, 1), StubError.BAD_DATA_LENGTH),
        (FlashRead(MB, 4, 0x1000, 1), StubError.FAILED_SPI_OP),
    ],
)
def test_a_read_that_cannot_begin_fails_the_next_command(stub: StubLoader, read: FlashRead, error: StubError) -> None:
    """It is acknowledged before it is tried."""
    assert ask(stub, Op.READ_FLASH, read.pack()).error is None
    assert ask(stub, Op.SPI_ATTACH, bytes(4)).error is error


def test_user_code_is_run_without_a_reply(stub: StubLoader) -> None:
    """RUN_USER_CODE."""
    assert stub.receive(Request(Op.RUN_USER_CODE)) == []
    assert stub.chip.exit is Exit.RUN


@pytest.mark.parametrize("op", [Op.READ_FLASH_SLOW, 0x77])
def test_commands_of_the_rom_are_unknown(stub: StubLoader, op: int) -> None:
    """Said once, under the command's own opcode."""
    reply = ask(stub, op, bytes(8))
    assert (reply.op, reply.error) == (op, StubError.INVALID_COMMAND)


@pytest.mark.parametrize("op", [Op.SYNC, Op.READ_REG, Op.FLASH_BEGIN, Op.SPI_FLASH_MD5, Op.SPI_ATTACH, Op.READ_FLASH])
def test_a_malformed_argument_is_a_bad_length(stub: StubLoader, op: Op) -> None:
    """Under the opcode of the command."""
    assert ask(stub, op, b"123").error is StubError.BAD_DATA_LENGTH
