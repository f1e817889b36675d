"""The cable: what the host sees when it is pulled."""

import asyncio
import errno

from hil.testing.plugged_device import RecordingApplication
from hil.testing.usbip_host import UsbipHost, socket_pair
from hil.virtual.usb.connection import Connection
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.virtual.usb.firmware_device import FirmwareDevice

WITHIN_S = 5.0
GET_STATUS = (0x80, 0, 0, 0, 2)
"""bmRequestType, bRequest, wValue, wIndex, wLength"""


async def pulled_under_a_request() -> tuple[int, int, bool]:
    """Status of a control request before the pull, of one that came while it was pulled, and whether the end came."""
    near, far = socket_pair()
    device = FirmwareDevice(FirmwareUsb.for_chip("34:85:18:55:dc:24", "0.21"), RecordingApplication())
    connection = Connection(device, near)
    served = asyncio.create_task(connection.serve())
    host = await UsbipHost.on(far)
    before = await host.control(*GET_STATUS)
    pulling = asyncio.create_task(connection.pull())
    await asyncio.sleep(0)
    while_pulled = await host.control(*GET_STATUS)
    await pulling
    await host.wait_ended()
    await served
    await host.close()
    return before[0], while_pulled[0], device.connected


def test_a_request_on_its_way_fails_at_once_when_the_cable_is_pulled() -> None:
    """The host gets the error of a device that does not answer, and then the end; nothing is left to time out."""
    before, while_pulled, connected = asyncio.run(asyncio.wait_for(pulled_under_a_request(), WITHIN_S))
    assert before == 0
    assert while_pulled == -errno.EPROTO
    assert not connected
