"""The lines of a chip that waits for a download."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from hil.virtual.download import Download, DownloadMode, Line
from hil.virtual.flash import MB, FlashChip
from hil.virtual.rom.chip import Exit
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.rom.loader import NoTaps
from hil.virtual.rom.registers import LINE, WDT_CONFIG0, WDT_CONFIG1, WDT_ENABLE, WDT_KEY, WDT_PROTECT
from hil.virtual.straps import Latches
from hil.wire.esp_loader import SYNC_ARGUMENT, Op, RegisterWrite, Request
from hil.wire.slip import SlipReader, encode

SYNC = encode(Request(Op.SYNC, SYNC_ARGUMENT).pack())
WITHIN_S = 2.0


class Bench:
    def __init__(self, answers: bool = True) -> None:
        self.left: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        how = Download(ChipIdentity(), Latches(strapped=True), FlashChip(MB), answers=answers)
        self.mode = DownloadMode(how, NoTaps(), self.left.set_result)
        self.sent = {line: bytearray() for line in Line}

    def ask(self, line: Line, data: bytes) -> None:
        self.mode.receive(line, data, self.sent[line].extend)

    def write(self, address: int, value: int) -> None:
        self.ask(Line.UART, encode(Request(Op.WRITE_REG, RegisterWrite(address, value).pack()).pack()))


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


@pytest.mark.parametrize("line", list(Line))
def test_the_line_that_was_answered_first_stays_the_one(line: Line) -> None:
    """The others are not heard any more; a host can read which one it is."""

    async def scenario() -> None:
        bench = Bench()
        bench.ask(line, SYNC)
        assert bench.sent[line]
        other = Line.UART if line is not Line.UART else Line.OTG
        bench.ask(other, SYNC)
        assert not bench.sent[other]
        bench.sent[line].clear()
        bench.ask(line, encode(Request(Op.READ_REG, LINE.to_bytes(4, "little")).pack()))
        (reply,) = SlipReader(100).feed(bytes(bench.sent[line]))
        assert reply[4:8] == line.value.to_bytes(4, "little")

    run(scenario)


def test_noise_chooses_no_line() -> None:
    """Only what was answered does."""

    async def scenario() -> None:
        bench = Bench()
        bench.ask(Line.UART, b"AT\r\n")
        bench.ask(Line.SERIAL_JTAG, SYNC)
        assert bench.mode.line is Line.SERIAL_JTAG

    run(scenario)


def test_a_loader_that_is_left_lets_its_reply_go_first() -> None:
    """Then it says once how it was left."""

    async def scenario() -> None:
        bench = Bench()
        bench.ask(Line.UART, encode(Request(Op.FLASH_END, bytes(4)).pack()))
        assert bench.sent[Line.UART]
        assert not bench.left.done()
        assert await asyncio.wait_for(bench.left, WITHIN_S) is Exit.REBOOT

    run(scenario)


def test_the_watchdog_bites_without_another_byte() -> None:
    """As esptool arms it; a closed one bites nobody."""

    async def scenario() -> None:
        for closes in (False, True):
            bench = Bench()
            for address, value in (
                (WDT_PROTECT, WDT_KEY),
                (WDT_CONFIG1, 200),
                (WDT_CONFIG0, WDT_ENABLE | 5 << 28),
            ):
                bench.write(address, value)
            if closes:
                bench.mode.close()
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(bench.left, 0.05)
            else:
                assert await asyncio.wait_for(bench.left, WITHIN_S) is Exit.WATCHDOG

    run(scenario)


def test_the_uart_hears_its_own_rate_only() -> None:
    """115200 at first, a few percent off."""

    async def scenario() -> None:
        mode = Bench().mode
        assert (mode.hears(115_200), mode.hears(113_000), mode.hears(921_600)) == (True, True, False)
        mode.receive(
            Line.UART, encode(Request(Op.CHANGE_BAUDRATE, (921_600).to_bytes(4, "little") + bytes(4)).pack()), len
        )
        assert (mode.hears(115_200), mode.hears(921_600)) == (False, True)

    run(scenario)


def test_a_mute_loader_answers_on_no_line() -> None:
    """As a fault may have it."""

    async def scenario() -> None:
        bench = Bench(answers=False)
        for line in Line:
            bench.ask(line, SYNC)
        assert not any(bench.sent.values())

    run(scenario)
