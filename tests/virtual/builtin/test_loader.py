"""Faults of the loader: what each does to a chip that is asked for something."""

import asyncio
import struct
import zlib
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from hil.errors import VirtualBoardError
from hil.virtual.builtin.loader import LOADER_FAULTS, CablePulledMidWrite
from hil.virtual.chip import Chip, ChipParts, Mode
from hil.virtual.fault_loader import load
from hil.virtual.faults import FaultPort
from hil.virtual.flash import FlashChip
from hil.virtual.points import Injection, LoseContact, PullCable
from hil.virtual.registry import Application, Registry, furnish
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.rom.registers import FORCE_DOWNLOAD, OPTION1
from hil.virtual.soc import Reset
from hil.virtual.usb.device import NO_ENDPOINT
from hil.virtual.usb.rom_devices import RomDevice
from hil.wire.esp_loader import (
    ROM_STATUS_LENGTH,
    STUB_GREETING,
    STUB_STATUS_LENGTH,
    SYNC_ARGUMENT,
    Begin,
    Block,
    Op,
    RegisterWrite,
    Reply,
    Request,
    RomError,
    SecurityInfo,
    StubError,
    checksum,
)
from hil.wire.slip import SlipReader, encode
from hil.wire.usbip import IN, CmdSubmit, RetSubmit, RetUnlink

MAC = "34:85:18:00:00:02"
STUB_AT = 0x4037_8000
BLOCK = 0x400
DATA = bytes(range(256)) * 64


class Bench:
    """A chip in its loader, reached over the UART."""

    def __init__(self, fault: str) -> None:
        self.flash, self.registry = FlashChip(), Registry(MAC)
        furnish(self.flash, self.registry.factory)
        self.said = bytearray()
        self.injected: list[Injection] = []
        port = FaultPort([load(fault)] if fault else [], self._died)
        self.chip = Chip(ChipParts(ChipIdentity(MAC), self.flash, self.registry), port, self)
        self.enter()

    def enter(self) -> None:
        self.chip.io0_low = True
        self.chip.power_off()
        self.chip.power_on()
        self.chip.io0_low = False

    def _died(self, error: VirtualBoardError) -> None:
        raise error

    def say(self, data: bytes) -> None:
        self.said += data

    def start(self, application: Application, reason: str) -> None:
        pass

    def stop(self) -> None:
        pass

    def look(self) -> None:
        pass

    def inject(self, injection: Injection) -> None:
        self.injected.append(injection)

    def ask(self, op: int, data: bytes = b"", check: int = 0) -> list[bytes]:
        self.said.clear()
        self.chip.uart(encode(Request(op, data, check).pack()), 115_200)
        return SlipReader(0x10000).feed(bytes(self.said))

    def load_stub(self) -> list[bytes]:
        self.ask(Op.MEM_BEGIN, Begin(8, 1, 0x1800, STUB_AT).pack())
        self.ask(Op.MEM_DATA, Block(0, b"....OHAI").pack(), checksum(b"....OHAI"))
        return self.ask(Op.MEM_END, struct.pack("<II", 0, STUB_AT))

    def write(self, blocks: int, total: int = len(DATA) // BLOCK) -> list[list[bytes]]:
        """Begin a raw write of ``total`` blocks and send the first of them."""
        self.ask(Op.FLASH_BEGIN, Begin(total * BLOCK, total, BLOCK, 0x20000, False).pack())
        parts = [DATA[at * BLOCK : (at + 1) * BLOCK] for at in range(blocks)]
        return [self.ask(Op.FLASH_DATA, Block(at, part).pack(), checksum(part)) for at, part in enumerate(parts)]


def run(fault: str, scenario: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        bench = Bench(fault)
        await scenario(bench)
        bench.chip.power_off()

    asyncio.run(whole())


def failed(reply: list[bytes], status_length: int) -> object:
    (packet,) = reply
    return Reply.parse(packet, status_length).error


def test_without_a_fault_everything_answers() -> None:
    """What the tests below take away."""

    async def scenario(bench: Bench) -> None:
        assert len(bench.ask(Op.SYNC, SYNC_ARGUMENT)) == 8
        assert all(failed(each, ROM_STATUS_LENGTH) is None for each in bench.write(16))
        assert bench.flash.read(0x20000, len(DATA)) == DATA
        assert bench.injected == []
        assert bench.load_stub()[1] == STUB_GREETING

    run("", scenario)


@pytest.mark.parametrize(
    ("fault", "injection", "written"),
    [
        ("cable-pulled-mid-write:at=0", PullCable(1.0), 0),
        ("cable-pulled-mid-write", PullCable(1.0), 8),
    ],
)
def test_a_write_is_cut_where_it_was_asked_for(fault: str, injection: Injection, written: int) -> None:
    """Once: what the host sends after it, in the same stay, does not arrive; the ROM has erased all."""

    async def scenario(bench: Bench) -> None:
        replies = bench.write(16)
        assert [bool(each) for each in replies] == [True] * written + [False] * (16 - written)
        assert bench.injected == [injection]
        done = written * BLOCK
        assert bench.flash.read(0x20000, len(DATA)) == DATA[:done] + b"\xff" * (len(DATA) - done)
        bench.enter()
        assert all(bench.write(16))
        assert bench.injected == [injection]

    run(fault, scenario)


def test_a_port_that_is_lost_takes_one_request_with_it() -> None:
    """The loader goes on where it was, for whoever finds it under its new name."""

    async def scenario(bench: Bench) -> None:
        assert [bool(each) for each in bench.write(16)] == [True] * 4 + [False] + [True] * 11
        assert bench.injected == [LoseContact(0.2)]

    run("port-renamed-mid-flash:at=25,back_ms=200", scenario)


def test_a_write_may_be_cut_when_all_of_it_has_arrived() -> None:
    """At 100 % the request after the last block is lost; a small write is left alone, and so is a stay without one."""

    async def scenario(bench: Bench) -> None:
        bench.write(4, total=4)
        bench.ask(Op.FLASH_END, (1).to_bytes(4, "little"))
        assert bench.injected == []
        bench.enter()
        bench.enter()
        assert all(bench.write(16))
        assert bench.injected == []
        assert bench.ask(Op.SPI_FLASH_MD5, struct.pack("<IIII", 0x20000, len(DATA), 0, 0)) == []
        assert bench.injected == [PullCable(1.0)]

    run("cable-pulled-mid-write:at=100", scenario)


def test_blocks_are_refused_by_rom_and_stub() -> None:
    """Each in its own words, and nothing else is; on the first stay alone."""

    async def scenario(bench: Bench) -> None:
        assert failed(bench.write(1)[0], ROM_STATUS_LENGTH) is RomError.FLASH_WRITE
        assert len(bench.ask(Op.SYNC, SYNC_ARGUMENT)) == 8
        bench.load_stub()
        packed = zlib.compress(DATA)
        bench.ask(Op.FLASH_DEFL_BEGIN, Begin(len(DATA), 1, 0x4000, 0x20000, False).pack())
        reply = bench.ask(Op.FLASH_DEFL_DATA, Block(0, packed).pack(), checksum(packed))
        assert failed(reply, STUB_STATUS_LENGTH) is StubError.FAILED_SPI_OP
        bench.enter()
        assert failed(bench.write(1)[0], ROM_STATUS_LENGTH) is None

    run("loader-naks", scenario)


def test_the_digest_is_wrong_and_still_a_digest() -> None:
    """32 digits of the ROM, 16 bytes of the stub; right again on the next stay."""
    where = struct.pack("<IIII", 0, 0x1000, 0, 0)

    async def scenario(bench: Bench) -> None:
        wrong = bench.ask(Op.SPI_FLASH_MD5, where)[0]
        assert len(bytes.fromhex(wrong[8:40].decode())) == 16
        bench.load_stub()
        assert len(bench.ask(Op.SPI_FLASH_MD5, where)[0]) == 8 + 16 + STUB_STATUS_LENGTH
        bench.enter()
        assert bench.ask(Op.SPI_FLASH_MD5, where)[0] != wrong

    run("wrong-md5", scenario)


def test_the_stub_runs_and_says_nothing() -> None:
    """The jump is acknowledged."""

    async def scenario(bench: Bench) -> None:
        assert len(bench.load_stub()) == 1
        bench.enter()
        assert bench.load_stub()[1] == STUB_GREETING

    run("stub-mute", scenario)


@pytest.mark.parametrize(
    ("fault", "security"),
    [("other-chip", SecurityInfo(chip_id=5)), ("secure-boot-on", SecurityInfo(flags=1)), ("", SecurityInfo())],
)
def test_the_chip_says_what_it_is(fault: str, security: SecurityInfo) -> None:
    """By GET_SECURITY_INFO, on every stay."""

    async def scenario(bench: Bench) -> None:
        for _ in range(2):
            (reply,) = bench.ask(Op.GET_SECURITY_INFO)
            assert SecurityInfo.parse(Reply.parse(reply, ROM_STATUS_LENGTH).data) == security
            bench.enter()

    run(fault, scenario)


def test_a_small_flash_takes_what_fits() -> None:
    """1 MB: the same cells below, an error above."""

    async def scenario(bench: Bench) -> None:
        assert all(failed(each, ROM_STATUS_LENGTH) is None for each in bench.write(16))
        assert bench.flash.read(0x20000, len(DATA)) == DATA
        begin = Begin(BLOCK, 1, BLOCK, 0x10_0000, False)
        assert failed(bench.ask(Op.FLASH_BEGIN, begin.pack()), ROM_STATUS_LENGTH) is RomError.FAILED

    run("flash-too-small", scenario)


def test_the_bit_stays_until_the_power_goes() -> None:
    """A host that clears it is answered, and the next reset of the core leads to the loader again."""

    async def scenario(bench: Bench) -> None:
        assert bench.ask(Op.WRITE_REG, RegisterWrite(OPTION1, 0, FORCE_DOWNLOAD).pack())
        bench.chip.reset(Reset.SOFTWARE)
        assert bench.chip.mode is Mode.LOADER
        bench.chip.power_off()
        bench.chip.power_on()
        assert bench.chip.mode is Mode.APPLICATION

    run("download-bit-never-cleared", scenario)


@pytest.mark.parametrize(
    ("fault", "there", "answers"),
    [("loader-as-usb-otg", True, True), ("loader-no-port", False, True), ("loader-no-sync", True, False)],
)
def test_the_port_is_another_or_none_or_mute(fault: str, there: bool, answers: bool) -> None:
    """The chip is in its loader all the same; a reset of the core changes nothing, power ends what passes."""

    async def scenario(bench: Bench) -> None:
        for _ in range(3):
            assert bench.chip.mode is Mode.LOADER
            assert (bench.chip.device is not None) is there
            assert bool(bench.ask(Op.SYNC, SYNC_ARGUMENT)) is answers
            bench.chip.reset(Reset.USB_UART)
        bench.enter()
        assert bench.chip.device is not None
        assert bench.ask(Op.SYNC, SYNC_ARGUMENT)

    run(fault, scenario)


def test_a_device_that_nobody_can_read_is_there() -> None:
    """Whatever the host asks fails as if nobody answered; a reset of the core changes nothing, power ends it."""

    async def scenario(bench: Bench) -> None:
        for _ in range(2):
            assert bench.chip.mode is Mode.LOADER
            assert read_descriptor(bench.chip.device) == NO_ENDPOINT
            bench.chip.reset(Reset.USB_UART)
        bench.enter()
        assert read_descriptor(bench.chip.device) == 0

    run("loader-not-enumerated", scenario)


def read_descriptor(device: RomDevice | None) -> int:
    """Status of the host's first request to it."""
    assert device is not None
    replies: list[RetSubmit | RetUnlink] = []
    device.connect(replies.append)
    setup = bytes.fromhex("8006000100004000")  # GET_DESCRIPTOR(device), 64 bytes
    device.submit(CmdSubmit(1, 0, IN, 0, 0, 64, setup=setup), b"")
    device.disconnect()
    (reply,) = replies
    assert isinstance(reply, RetSubmit)
    return reply.status


def test_there_are_thirteen_with_a_source_and_a_finding() -> None:
    """Each by its own name."""
    assert len({fault.name for fault in LOADER_FAULTS}) == len(LOADER_FAULTS) == 13
    for fault in LOADER_FAULTS:
        assert "Source: " in (fault.__doc__ or "")
        assert "Finding: " in (fault.__doc__ or "")


def test_an_option_that_is_no_number_is_named() -> None:
    """With the fault."""
    with pytest.raises(VirtualBoardError, match="fault cable-pulled-mid-write: at is 'half'; wanted a number"):
        CablePulledMidWrite({"at": "half"})
