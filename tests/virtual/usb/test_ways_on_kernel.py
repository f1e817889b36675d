"""What orders a firmware to its loader over its own port, through this kernel's cdc_acm: what the device gets of it."""

import asyncio
from pathlib import Path

import pytest

from hil.clock import MonotonicClock
from hil.device import repl
from hil.device.lent_port import LentPort
from hil.testing.plugged_device import RecordingApplication
from hil.testing.raw_repl import RawRepl
from hil.virtual.usb.cable import Cable
from hil.virtual.usb.firmware_device import FirmwareDevice
from hil.virtual.usb.vhci import Vhci
from tests.virtual.until import until
from tests.virtual.usb.test_cable_on_kernel import BUILD, Host, open_raw

pytestmark = pytest.mark.vhci

STATEMENT = "import machine; machine.bootloader()"


class Python(RecordingApplication):
    """A MicroPython behind the port; its statement takes the cable away."""

    def __init__(self, stays: bool) -> None:
        super().__init__()
        self._repl = RawRepl(b"Entering bootloader...\r\n", stays)
        self.device = FirmwareDevice(BUILD, self)
        self.left = asyncio.Event()

    def on_serial(self, data: bytes) -> None:
        super().on_serial(data)
        said = self._repl.answer(data)
        if said is None:
            self.left.set()
        else:
            self.device.serial.write(said)


async def plugged(device: FirmwareDevice) -> tuple[Cable, Path]:
    """Its cable, and the node of its port."""
    cable = Cable(Vhci(), Vhci().free_port())
    host = Host(cable.path)
    await host.gone()
    cable.plug(device)
    return cable, await until(host.tty)


def test_a_touch_is_1200_baud_and_dtr_low() -> None:
    """SET_LINE_CODING, then SET_CONTROL_LINE_STATE, before the port is closed."""

    async def scenario() -> None:
        application = RecordingApplication()
        device = FirmwareDevice(BUILD, application)
        cable, node = await plugged(device)
        port = LentPort(await asyncio.to_thread(open_raw, node), str(node), "s3-a")
        await until(lambda: device.serial.dtr)
        await asyncio.to_thread(port.set_baud, 1200)
        await asyncio.to_thread(port.set_lines, False, False)
        await until(lambda: not device.serial.dtr)
        assert device.serial.line_coding.baud == 1200
        assert application.happened[-2:] == ["dtr=True rts=True", "dtr=False rts=False"]
        await asyncio.to_thread(port.close)
        await cable.unplug()

    asyncio.run(scenario())


@pytest.mark.parametrize("stays", [True, False])
def test_a_statement_reaches_a_repl_that_may_vanish(stays: bool) -> None:
    """What a board that stays has printed comes back; one that goes while it is told is no error."""

    async def scenario() -> None:
        python = Python(stays)
        cable, node = await plugged(python.device)
        port = LentPort(await asyncio.to_thread(open_raw, node), str(node), "s3-a")
        telling = asyncio.create_task(asyncio.to_thread(repl.tell, port, "s3-a", STATEMENT, MonotonicClock()))
        if not stays:
            await python.left.wait()
            await cable.unplug()
        assert await telling == ("Entering bootloader..." if stays else "")
        assert STATEMENT.encode() in python.serial
        if stays:
            await cable.unplug()

    asyncio.run(scenario())
