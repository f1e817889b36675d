"""Faults of the log on the CDC port, in the whole board."""

import asyncio
import re
from collections.abc import Callable

import pytest

from hil.testing.usbip_host import UsbipHost
from hil.virtual.fault_loader import load
from tests.virtual.test_board import Bench, run
from tests.virtual.until import until

SERIAL = 2
LINE = "http: GET /\n"
TORN = re.compile(r"^.+I \(\d+\) .*(?=\n)", re.MULTILINE)


async def listening(bench: Bench) -> UsbipHost:
    """A host that holds DTR and has read what there was."""
    await bench.board.plug()
    host = await bench.link_up()
    await host.control(0x21, 0x22, 3, 0)
    await until(lambda: bench.stack.http)
    return host


async def heard(host: UsbipHost, enough: Callable[[str], object]) -> str:
    """What comes out of the port until it is enough."""
    text = ""
    while not enough(text):
        text += (await asyncio.wait_for(host.submit_in(SERIAL, 64).done(), 5.0)).data.decode()
    return text


async def asked(bench: Bench, times: int) -> None:
    """Leave so many lines in the log, and wait until the console has them."""
    before = bench.console.text.count(LINE)
    for _ in range(times):
        bench.board.respond("GET", "/")
    await until(lambda: bench.console.text.count(LINE) == before + times)


@pytest.mark.parametrize("faults", [[], ["log-cut-by-full-fifo"]], ids=["sound", "log-cut-by-full-fifo"])
def test_a_full_fifo_cuts_lines_of_a_firmware_that_does_not_look(faults: list[str]) -> None:
    """The sound board keeps its lines until there is room; the faulty one leaves a stump and goes on behind it."""

    async def scenario(bench: Bench) -> None:
        host = await listening(bench)
        text = ""
        for _ in range(3):  # a FIFO may be full just at the end of a line
            await asked(bench, 40)
            text += await heard(host, lambda text: len(text) >= 512)
        await asked(bench, 1)
        text += await heard(host, lambda rest: TORN.search(text + rest) if faults else (text + rest).count(LINE) == 121)
        assert bool(TORN.search(text)) is bool(faults)
        assert [line for line in text.splitlines() if line not in bench.console.text] == TORN.findall(text)

    run(scenario, *map(load, faults))


def test_a_silent_port_takes_nothing_and_the_console_has_everything() -> None:
    """DTR is high, and not a byte is queued for the host."""

    async def scenario(bench: Bench) -> None:
        host = await listening(bench)
        waiting = host.submit_in(SERIAL, 64)
        await asked(bench, 3)
        await host.control(0x80, 0, 0, 0, 2)  # answered after what was queued before
        assert waiting.waits

    run(scenario, load("serial-silent"))


def test_a_silent_port_may_begin_with_a_later_boot() -> None:
    """Until then it speaks."""

    async def scenario(bench: Bench) -> None:
        host = await listening(bench)
        await asked(bench, 1)
        assert await heard(host, lambda text: LINE in text)

    run(scenario, load("serial-silent:from_boot=2"))
