"""The cable: what the host sees when it is pulled."""

import asyncio
import errno

import pytest

from hil.testing.plugged_device import RecordingApplication
from hil.testing.usbip_host import Urb, UsbipHost, socket_pair
from hil.virtual.usb.connection import QUIET_S, Connection
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.virtual.usb.firmware_device import FirmwareDevice

WITHIN_S = 5.0
GET_STATUS = (0x80, 0, 0, 0, 2)
"""bmRequestType, bRequest, wValue, wIndex, wLength"""


class Plugged:
    """A device, its cable and the host at the other end."""

    def __init__(self) -> None:
        near, self._far = socket_pair()
        usb = FirmwareUsb.for_chip("34:85:18:55:dc:24", "0.21")
        self.device = FirmwareDevice(usb, RecordingApplication())
        self.connection = Connection(self.device, near)
        self.served = asyncio.create_task(self.connection.serve())

    async def host(self) -> UsbipHost:
        return await UsbipHost.on(self._far)


async def pulled_under_a_request() -> tuple[int, int, bool]:
    """Status of a control request before the pull, of one that came while it was pulled, and whether the end came."""
    plugged = Plugged()
    connection, host = plugged.connection, await plugged.host()
    before = await host.control(*GET_STATUS)
    pulling = asyncio.create_task(connection.pull())
    await asyncio.sleep(0)
    while_pulled = await host.control(*GET_STATUS)
    await pulling
    await host.wait_ended()
    await plugged.served
    await host.close()
    return before[0], while_pulled[0], plugged.device.connected


def test_a_request_on_its_way_fails_at_once_when_the_cable_is_pulled() -> None:
    """The host gets the error of a device that does not answer, and then the end; nothing is left to time out."""
    before, while_pulled, connected = asyncio.run(asyncio.wait_for(pulled_under_a_request(), WITHIN_S))
    assert before == 0
    assert while_pulled == -errno.EPROTO
    assert not connected


async def asked_at_the_last_moment(monkeypatch: pytest.MonkeyPatch, rounds: int) -> tuple[bool, int]:
    """Whether a request was left without an answer that the host sent when it had been quiet; and its status.

    ``rounds``: of the loop, from then to the end of the pause.
    """
    plugged = Plugged()
    host, urbs = await plugged.host(), list[Urb]()
    await host.control(*GET_STATUS)
    loop, sleep = asyncio.get_running_loop(), asyncio.sleep
    pulled_at = loop.time()

    async def then_ask(delay: float) -> None:
        await sleep(delay)
        if not urbs and loop.time() > pulled_at + QUIET_S:
            urbs.append(host.submit_in(4, 64))
            for _ in range(rounds):
                await sleep(0)

    with monkeypatch.context() as patch:
        patch.setattr("hil.virtual.usb.connection.asyncio.sleep", then_ask)
        await plugged.connection.pull()
    await host.wait_ended()
    await plugged.served
    await host.close()
    (urb,) = urbs
    return urb.waits, 0 if urb.waits else (await urb.done()).status


@pytest.mark.parametrize("rounds", range(4))
def test_a_request_that_comes_before_the_end_is_answered(monkeypatch: pytest.MonkeyPatch, rounds: int) -> None:
    """The kernel would wait 5 s for its answer, and with it whoever waits for the device to go."""
    waits, status = asyncio.run(asyncio.wait_for(asked_at_the_last_moment(monkeypatch, rounds), WITHIN_S))
    assert (waits, status) == (False, -errno.EPROTO)
