"""The board's end of its cable: the host's port follows what the board wants it to see."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hil.errors import VirtualBoardError
from hil.testing.fake_cable import FakeCable
from hil.virtual.plug import Plug
from hil.virtual.usb.application import QuietApplication
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.virtual.usb.device import UsbDevice
from hil.virtual.usb.firmware_device import FirmwareDevice


def device() -> UsbDevice:
    return FirmwareDevice(FirmwareUsb.for_chip("34:85:18:00:00:02"), QuietApplication())


class Desk:
    def __init__(self, cable: FakeCable) -> None:
        self.cable = cable
        self.wanted: UsbDevice | None = None
        self.died: list[str] = []
        self.plug = Plug(cable, lambda: self.wanted, lambda error: self.died.append(str(error)))


class StuckCable(FakeCable):
    def plug(self, device: UsbDevice) -> None:
        raise VirtualBoardError("port 1-1 is not free")


def run(scenario: Callable[[Desk], Awaitable[None]], cable: type[FakeCable] = FakeCable) -> Desk:
    async def whole() -> Desk:
        desk = Desk(cable())
        try:
            await scenario(desk)
        finally:
            desk.wanted = None
            await desk.plug.follow()
            await desk.plug.finish()
            await desk.cable.close()
        return desk

    return asyncio.run(whole())


def test_another_device_in_place_of_one_is_a_replug() -> None:
    """A reset board is a new device: the port loses the old one first."""

    async def scenario(desk: Desk) -> None:
        first, second = device(), device()
        desk.wanted = first
        await desk.plug.follow()
        assert desk.cable.device is first
        desk.wanted = second
        await desk.plug.follow()
        assert (desk.cable.device, desk.cable.unplugs) == (second, 1)

    run(scenario)


def test_a_device_that_stays_is_left_alone() -> None:
    """Following twice plugs in once."""

    async def scenario(desk: Desk) -> None:
        desk.wanted = device()
        await desk.plug.follow()
        await desk.plug.follow()
        assert desk.cable.unplugs == 0

    run(scenario)


def test_trouble_in_work_that_nobody_awaits_is_told() -> None:
    """What the kernel refuses ends the board with the cable named."""

    async def scenario(desk: Desk) -> None:
        desk.wanted = device()
        desk.plug.follow_soon()
        await desk.plug.finish()

    assert run(scenario, StuckCable).died == ["USB cable: port 1-1 is not free"]


def test_trouble_in_work_that_is_awaited_is_raised() -> None:
    """Whoever plugs in hears why it did not work."""

    async def scenario(desk: Desk) -> None:
        desk.wanted = device()
        with pytest.raises(VirtualBoardError, match="not free"):
            await desk.plug.follow()

    run(scenario, StuckCable)
