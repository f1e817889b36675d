"""How a board starts over, and where it ends: its application or its loader."""

from dataclasses import replace

import pytest

from hil.errors import VirtualBoardError
from hil.testing.usbip_host import UsbipHost
from hil.virtual.registry import furnish
from hil.virtual.soc import Reset
from tests.virtual.board_bench import QUICK, Bench, run
from tests.virtual.until import until


@pytest.mark.parametrize(
    ("reset", "line"),
    [(Reset.EN, "rst:0x1 (POWERON)"), (Reset.SOFTWARE, "rst:0xc (RTC_SW_CPU_RST)"), (Reset.PANIC, "Guru Meditation")],
)
def test_a_reset_drops_the_device_and_boots(reset: Reset, line: str) -> None:
    """The host loses the device and meets it again; the console tells the kind of reset."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.connected()
        bench.console.text = ""
        await bench.board.reset(reset)
        await host.wait_ended()
        await bench.connected()
        await until(lambda: line in bench.console.text)
        assert bench.board.state.boots == 2

    run(scenario)


def test_a_chip_that_is_held_is_gone_until_it_is_released() -> None:
    """EN low takes the device off the bus at once and keeps it off; released, the chip boots as after power-on."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.connected()
        bench.console.text = ""
        bench.board.hold()
        await host.wait_ended()
        assert (bench.board.state.boots, bench.console.text) == (1, "")
        bench.board.release()
        await bench.connected()
        await until(lambda: "rst:0x1 (POWERON),boot:0x8" in bench.console.text)
        assert (bench.board.state.boots, bench.board.state.seen.holds) == (2, 1)

    run(scenario)


def test_a_chip_that_is_held_while_it_gets_power_waits() -> None:
    """It boots when it is released, once; one that has lost its power meanwhile does not."""

    async def scenario(bench: Bench) -> None:
        bench.board.hold()
        await bench.board.plug()
        assert bench.board.state.boots == 0
        bench.board.release()
        assert bench.board.state.boots == 1
        bench.board.hold()
        await bench.board.unplug()
        bench.board.release()
        assert (bench.board.state.boots, bench.board.state.powered) == (1, False)

    run(scenario)


def test_a_chip_that_is_released_with_io0_low_waits_for_a_download() -> None:
    """The ROM says so, no firmware runs, USB-Serial/JTAG comes; the next reset with IO0 high ends it."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await (await bench.connected()).close()
        bench.board.hold()
        bench.console.text = ""
        bench.board.release(download=True)
        await until(lambda: "waiting for download" in bench.console.text)
        state = bench.board.state
        assert (state.mode, state.mounted, state.link) == ("loader", False, False)
        rom = await bench.cable.host()
        assert (await rom.control(0x80, 6, 0x0100, 0, 18))[1][8:12].hex() == "3a300110"
        bench.board.io0(False)
        await bench.board.reset(Reset.EN)
        await bench.connected()
        assert (bench.board.state.mode, bench.board.state.runs) == ("application", "hil-reference 0.1.0")

    run(scenario)


async def product(host: UsbipHost) -> int:
    return int.from_bytes((await host.control(0x80, 6, 0x0100, 0, 18))[1][10:12], "little")


@pytest.mark.parametrize(("on_otg", "found"), [(0, 0x1001), (1, 9)])
def test_the_firmware_enters_the_loader_when_it_is_asked_to(on_otg: int, found: int) -> None:
    """POST /bootloader: the application leaves the bus, the chip's own device comes, in its loader."""

    async def scenario(bench: Bench) -> None:
        bench.flash.erase_all()
        config = replace(QUICK, loader_phy_on_otg=on_otg, loader_detach_ms=1)
        furnish(bench.flash, replace(bench.registry.factory, config=config))
        await bench.board.plug()
        await bench.link_up()
        await until(lambda: bench.stack.http)
        assert bench.stack.http is not None
        bench.stack.http.respond("POST", "/bootloader")
        rom = await bench.cable.host()
        assert await product(rom) == found
        assert bench.board.state.mode == "loader"

    run(scenario)


def test_the_boot_button_counts_at_the_next_power_on() -> None:
    """And not before."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        bench.board.hold_boot(True)
        assert bench.board.state.mode == "application"
        await bench.board.unplug()
        await bench.board.plug()
        assert bench.board.state.mode == "loader"
        bench.board.hold_boot(False)
        await bench.board.unplug()
        await bench.board.plug()
        assert bench.board.state.mode == "application"

    run(scenario)


def test_the_firmware_restarts_the_chip_when_it_is_asked_to() -> None:
    """POST /reset is answered, then the chip starts over by software."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await until(lambda: bench.stack.http)
        assert bench.board.respond("POST", "/reset").status == 200
        await until(lambda: bench.board.state.boots == 2)

    run(scenario)


def test_a_board_without_power_cannot_be_reset() -> None:
    """The error names the reset and what to do first."""

    async def scenario(bench: Bench) -> None:
        with pytest.raises(VirtualBoardError, match="reset EN: the board has no power; plug it in"):
            await bench.board.reset(Reset.EN)

    run(scenario)


@pytest.mark.parametrize(
    ("mistake", "path", "mode"),
    [
        ("loader_without_flag", "/bootloader", "application"),
        ("loader_flag_left", "/reset", "loader"),
    ],
)
def test_a_wrong_force_download_bit_ends_elsewhere(mistake: str, path: str, mode: str) -> None:
    """Not set, the application comes back; left set at every boot, a plain restart ends in the loader."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await bench.link_up()
        await until(lambda: bench.stack.http)
        assert bench.stack.http is not None
        bench.stack.http.respond("POST", path)
        await until(lambda: (bench.board.state.boots, bench.board.state.mode) == (2, mode))

    run(scenario, config=replace(QUICK, loader_detach_ms=1, **{mistake: 1}))  # type: ignore[arg-type]
