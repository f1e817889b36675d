"""A whole board in process, for the tests of the board: the test is the USB host, a fake stack plays the IP peers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from hil.errors import VirtualBoardError
from hil.testing.fake_cable import FakeCable, enable_network, enumerate_device
from hil.testing.fake_stack import FakeStack
from hil.testing.usbip_host import UsbipHost
from hil.virtual.board import VirtualBoard
from hil.virtual.board_parts import BoardParts
from hil.virtual.chip import ChipParts
from hil.virtual.faults import ArmedFault
from hil.virtual.firmware import FirmwareConfig
from hil.virtual.flash import FlashChip
from hil.virtual.registry import Registry, furnish
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.wire.ethernet import EthernetFrame
from hil.wire.ncm import Ntb16
from tests.virtual.until import until

FRAMES = 4
"""Address of the bulk endpoint of the network."""
QUICK = FirmwareConfig(
    tick_ms=1,
    kick_ms=1,
    start_ms=1,
    nvs_ms=1,
    usb_driver_ms=1,
    ncm_ms=1,
    cdc_ms=1,
    netif_ms=1,
    netif_start_ms=1,
    wifi_ms=1,
    redirect_ms=1,
    http_ms=1,
    restart_delay_ms=1,
)
MAC = "34:85:18:00:00:02"
USB = FirmwareUsb.for_chip(MAC)
FRAME = EthernetFrame("02:02:11:22:33:02", "02:02:11:22:33:01", 0x88B5, b"hello".ljust(46, b"\0")).pack()


class FakeConsole:
    def __init__(self) -> None:
        self.text = ""

    def write(self, data: bytes) -> int:
        self.text += data.decode()
        return len(data)


class Bench:
    """A board, and everything around it."""

    def __init__(self, faults: list[ArmedFault], supply: str, config: FirmwareConfig = QUICK) -> None:
        self.cable = FakeCable()
        self.stack = FakeStack()
        self.console = FakeConsole()
        self.died: list[VirtualBoardError] = []
        self.registry = Registry(MAC, config=config)
        self.flash = FlashChip()
        furnish(self.flash, self.registry.factory)
        chip = ChipParts(ChipIdentity(MAC), self.flash, self.registry)
        parts = BoardParts(chip, self.stack, self.cable, self.console)
        self.board = VirtualBoard(replace(parts, supply=supply), faults, self.died.append)

    async def connected(self) -> UsbipHost:
        """A host that has enumerated the board and enabled its network."""
        host = await self.cable.host()
        await enumerate_device(host)
        await enable_network(host)
        return host

    async def link_up(self) -> UsbipHost:
        """A connected host, once the firmware has raised the link."""
        host = await self.connected()
        await until(lambda: self.board.state.link)
        return host


def run(
    scenario: Callable[[Bench], Awaitable[None]],
    *faults: ArmedFault,
    supply: str = "bus",
    config: FirmwareConfig = QUICK,
) -> None:
    async def whole() -> None:
        bench = Bench(list(faults), supply, config)
        try:
            await scenario(bench)
        finally:
            await bench.board.close()
            await bench.cable.close()

    asyncio.run(whole())


async def received(host: UsbipHost) -> list[bytes]:
    """The frames of the next block from the board."""
    return list(Ntb16.parse((await host.submit_in(FRAMES, 16384).done()).data).datagrams)
