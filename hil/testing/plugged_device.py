"""A virtual USB device with its cable in a :class:`~hil.testing.usbip_host.UsbipHost`, in one event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hil.testing.usbip_host import UsbipHost, setup_of_linux_enumeration, socket_pair
from hil.virtual.usb.application import QuietApplication
from hil.virtual.usb.connection import Connection
from hil.virtual.usb.device import UsbDevice


class RecordingApplication(QuietApplication):
    """Writes down what it is told; ``happened`` holds one word or text for each event."""

    def __init__(self) -> None:
        self.happened: list[str] = []
        self.frames: list[bytes] = []
        self.serial = bytearray()
        self.takes_frames = True

    def on_mounted(self) -> None:
        self.happened.append("mounted")

    def on_unmounted(self) -> None:
        self.happened.append("unmounted")

    def on_suspended(self, remote_wakeup_armed: bool) -> None:
        self.happened.append(f"suspended armed={remote_wakeup_armed}")

    def on_resumed(self) -> None:
        self.happened.append("resumed")

    def on_bus_reset(self) -> None:
        self.happened.append("bus reset")

    def on_serial(self, data: bytes) -> None:
        self.serial += data

    def on_line_state(self, dtr: bool, rts: bool) -> None:
        self.happened.append(f"dtr={dtr} rts={rts}")

    def on_frame(self, frame: bytes) -> bool:
        if self.takes_frames:
            self.frames.append(frame)
        return self.takes_frames


@asynccontextmanager
async def plugged(device: UsbDevice, enumerate_it: bool = True) -> AsyncIterator[UsbipHost]:
    """The host at the other end of the device's cable; the device is configured unless ``enumerate_it`` is False."""
    near, far = socket_pair()
    served = asyncio.create_task(Connection(device, near).serve())
    host = await UsbipHost.on(far)
    try:
        if enumerate_it:
            await enumerate_device(host)
        yield host
    finally:
        await host.close()
        await served


async def enumerate_device(host: UsbipHost) -> list[tuple[int, bytes]]:
    """Status and data of each request of a Linux enumeration."""
    return [await host.control(*request) for request in setup_of_linux_enumeration()]
