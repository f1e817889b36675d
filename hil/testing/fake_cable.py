"""A cable whose other end is a host in the test's own process."""

import asyncio

from hil.testing.usbip_host import UsbipHost, setup_of_linux_enumeration, socket_pair
from hil.virtual.usb.connection import Connection
from hil.virtual.usb.device import UsbDevice

WITHIN_S = 5.0
NCM_DATA = 3
NOTIFY, FRAMES = 3, 4
"""Endpoint numbers of the NCM function, without direction bit."""
URB_ROOM = 16384


class FakeWatch:
    """Grants every remote wakeup, at once."""

    def __init__(self, device: UsbDevice) -> None:
        self._device = device
        self.wakeups = 0

    async def remote_wakeup(self) -> bool:
        self.wakeups += 1
        self._device.resume()
        return True


class FakeCable:
    """What is plugged in shows up as a :class:`UsbipHost` in :attr:`hosts`."""

    def __init__(self) -> None:
        self.watch: FakeWatch | None = None
        self.hosts: asyncio.Queue[UsbipHost] = asyncio.Queue()
        self.device: UsbDevice | None = None
        self.unplugs = 0
        self._connection: Connection | None = None
        self._served: asyncio.Task[None] | None = None
        self._all: list[UsbipHost] = []

    def plug(self, device: UsbDevice) -> None:
        near, far = socket_pair()
        self.device = device
        self.watch = FakeWatch(device)
        self._connection = Connection(device, near)
        self._served = asyncio.create_task(self._connection.serve())
        self._opening = asyncio.create_task(self._open(far))

    async def unplug(self) -> None:
        self.unplugs += 1
        if self._connection is not None and self._served is not None:
            await self._opening
            self._connection.close()
            await self._served
        self.device = self.watch = self._connection = self._served = None

    async def host(self) -> UsbipHost:
        """The host that the next plugged device meets, or has met already."""
        return await asyncio.wait_for(self.hosts.get(), WITHIN_S)

    async def close(self) -> None:
        for host in self._all:
            await host.close()

    async def _open(self, far: object) -> None:
        host = await UsbipHost.on(far)  # type: ignore[arg-type]
        self._all.append(host)
        await host.control(0x80, 6, 0x0100, 0, 18)
        self.hosts.put_nowait(host)


async def enumerate_device(host: UsbipHost) -> None:
    """Everything Linux does up to SET_CONFIGURATION."""
    for request_type, request, value, index, length in setup_of_linux_enumeration():
        await host.control(request_type, request, value, index, length)


async def enable_network(host: UsbipHost) -> None:
    """Alternate setting 1, as cdc_ncm selects it when it binds."""
    await host.control(0x01, 11, 1, NCM_DATA)


async def next_notification(host: UsbipHost) -> bytes:
    """What the NCM function says next on its interrupt endpoint."""
    return (await host.submit_in(NOTIFY, 16, interval=16).done()).data
