"""Faults of the boot, in the whole board."""

import pytest

from hil.errors import VirtualBoardError
from hil.virtual.fault_loader import load
from tests.virtual.test_board import Bench, run
from tests.virtual.until import until


def test_every_boot_ends_in_a_panic() -> None:
    """Registers, backtrace and the restart by software are on the console, once for each boot."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await until(lambda: bench.board.state.boots >= 4)
        text = bench.console.text
        order = [
            text.index(word) for word in ("reset reason POWERON", "Guru Meditation Error", "Backtrace:", "Rebooting...")
        ]
        assert order == sorted(order)
        assert text.count("Guru Meditation Error") == 3
        assert text.count("reset reason PANIC") >= 2
        assert text.count("rst:0xc (RTC_SW_CPU_RST)") >= 2

    run(scenario, load("boot-loop-with-panic:ms=40"))


def test_a_sound_first_boot_is_not_ended() -> None:
    """from_boot=2: the loop begins with the next one."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await until(lambda: bench.stack.http)
        assert bench.board.state.boots == 1
        await bench.board.unplug()
        await bench.board.plug()
        await until(lambda: bench.board.state.boots >= 4)

    run(scenario, load("boot-loop-with-panic:ms=20,from_boot=2"))


@pytest.mark.parametrize("ms", ["soon", "-1", "60001"])
def test_a_time_that_is_none_is_refused(ms: str) -> None:
    """The message names the value and its bounds."""
    with pytest.raises(VirtualBoardError, match=f"ms is '{ms}'; wanted milliseconds, 0 to 60000"):
        load(f"boot-loop-with-panic:ms={ms}")
