"""EN and IO0 behind the bridge's lines."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hil.virtual.auto_reset import RISES_S, AutoReset

WITHIN_S = 2.0


class FakeChip:
    """Writes down what happens to its pins."""

    def __init__(self) -> None:
        self.pins: list[str] = []
        self.low = False
        self.heard: list[tuple[bytes, int]] = []
        self.released = asyncio.Event()

    def hold(self) -> None:
        self.pins.append("held")

    def io0(self, low: bool) -> None:
        self.low = low

    def uart(self, data: bytes, baud: int) -> None:
        self.heard.append((data, baud))

    def release(self, download: bool) -> None:
        self.pins.append("download" if download else "boot")
        self.released.set()


def run(scenario: Callable[[AutoReset, FakeChip], Awaitable[None]]) -> None:
    async def whole() -> None:
        lines, chip = AutoReset(), FakeChip()
        lines.chip = chip
        await scenario(lines, chip)

    asyncio.run(whole())


@pytest.mark.parametrize("lines_", [[(True, True)], [(False, False)], [(True, False)], [(True, True), (False, False)]])
def test_a_terminal_that_opens_and_closes_resets_nothing(lines_: list[tuple[bool, bool]]) -> None:
    """Both lines together leave EN and IO0 high, and DTR alone is only IO0."""

    async def scenario(lines: AutoReset, chip: FakeChip) -> None:
        for dtr, rts in lines_:
            lines.on_line_state(dtr, rts)
        await asyncio.sleep(2 * RISES_S)
        assert chip.pins == []

    run(scenario)


def test_rts_alone_holds_the_chip_until_it_is_released() -> None:
    """The chip boots from its flash some time after the line."""

    async def scenario(lines: AutoReset, chip: FakeChip) -> None:
        lines.on_line_state(False, True)
        assert chip.pins == ["held"]
        lines.on_line_state(False, False)
        assert chip.pins == ["held"]
        await asyncio.wait_for(chip.released.wait(), WITHIN_S)
        assert chip.pins == ["held", "boot"]

    run(scenario)


def test_lines_that_are_swapped_one_after_the_other_end_in_the_loader() -> None:
    """esptool's classic reset: for a moment both are asserted, and EN has not risen when IO0 falls."""

    async def scenario(lines: AutoReset, chip: FakeChip) -> None:
        for dtr, rts in ((False, True), (True, True), (True, False)):
            lines.on_line_state(dtr, rts)
            for _ in range(3):
                await asyncio.sleep(0)
        await asyncio.wait_for(chip.released.wait(), WITHIN_S)
        assert chip.pins == ["held", "download"]

    run(scenario)


def test_a_line_that_falls_again_before_en_has_risen_keeps_the_chip_held() -> None:
    """One hold, and one boot after the last release."""

    async def scenario(lines: AutoReset, chip: FakeChip) -> None:
        for dtr, rts in ((False, True), (False, False), (False, True), (False, True), (False, False)):
            lines.on_line_state(dtr, rts)
        await asyncio.wait_for(chip.released.wait(), WITHIN_S)
        assert chip.pins == ["held", "boot"]

    run(scenario)


def test_a_board_that_is_gone_is_not_released() -> None:
    """The bridge may outlive it for a moment."""

    async def scenario(lines: AutoReset, chip: FakeChip) -> None:
        lines.on_line_state(False, True)
        lines.on_line_state(False, False)
        lines.close()
        await asyncio.sleep(2 * RISES_S)
        lines.on_line_state(False, True)
        assert chip.pins == ["held"]

    run(scenario)


def test_the_bytes_of_a_host_reach_the_uart_at_the_rate_of_the_bridge() -> None:
    """And IO0 is known at every moment: a watchdog's reset looks at it too."""

    async def scenario(lines: AutoReset, chip: FakeChip) -> None:
        lines.baud = lambda: 921_600
        lines.on_serial(b"abc")
        assert chip.heard == [(b"abc", 921_600)]
        lines.on_line_state(True, False)
        assert chip.low
        lines.on_line_state(True, True)
        assert not chip.low

    run(scenario)
