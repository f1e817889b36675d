"""A cable between a virtual device and one port of vhci_hcd."""

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import Protocol

from hil.errors import VirtualBoardError
from hil.virtual.usb.bus_state import DEVICES, SuspendWatch, SysfsPower
from hil.virtual.usb.connection import Connection
from hil.virtual.usb.device import UsbDevice
from hil.virtual.usb.vhci import VhciPort

FREED_WITHIN_S = 10.0
SOCKET_BUFFER = 1 << 20


class Ports(Protocol):
    """What a cable needs of :class:`~hil.virtual.usb.vhci.Vhci`."""

    def attach(self, port: VhciPort, sock_fd: int) -> None:
        """Plug in the USB/IP device at the other end of a socket."""

    async def wait_free(self, port: VhciPort, within_s: float) -> None:
        """Until the port can be attached to again."""


class Cable:
    """Leads to ``port``, whatever is plugged into it; the topology path stays the same over every replug.

    Args:
        devices: the directory of USB devices in sysfs.
    """

    def __init__(self, ports: Ports, port: VhciPort, devices: Path = DEVICES) -> None:
        self.port = port
        self.watch: SuspendWatch | None = None
        self._ports = ports
        self._devices = devices
        self._device: UsbDevice | None = None
        self._connection: Connection | None = None
        self._served: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()
        self._reconnecting: asyncio.Task[None] | None = None

    @property
    def path(self) -> str:
        """Topology path, such as ``1-1``."""
        return self.port.path

    @property
    def plugged(self) -> bool:
        """A device is connected and neither side has ended it."""
        return self._served is not None and not self._served.done()

    def plug(self, device: UsbDevice) -> None:
        """Connect ``device``; the kernel enumerates it from now on.

        Raises:
            VirtualBoardError: something is plugged in, or the kernel refuses.
            SetupError: vhci_hcd is not there or may not be used.
        """
        if self.plugged:
            raise VirtualBoardError(f"port {self.path}: a device is plugged in already; unplug it first")
        self._connect(device)

    def _connect(self, device: UsbDevice) -> None:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with far, contextlib.ExitStack() as undo:
            undo.callback(near.close)
            near.setblocking(False)
            for end in (near, far):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
            self._ports.attach(self.port, far.fileno())
            undo.pop_all()
        power = SysfsPower(self.path, self._devices)
        watch = self.watch = device.watch = SuspendWatch(device, power, self._reconnect_soon)
        self._device = device
        self._connection = Connection(device, near)
        self._served = asyncio.create_task(self._connection.serve(), name=f"usbip {self.path}")
        self._served.add_done_callback(lambda _: watch.close())

    async def unplug(self, within_s: float = FREED_WITHIN_S) -> None:
        """Pull the cable and wait until the port can be used again; nothing where nothing is plugged in.

        Raises:
            VirtualBoardError: the kernel had sent nonsense, or the port is not free within ``within_s``.
        """
        async with self._changing:
            await self._part(within_s)

    async def _part(self, within_s: float) -> UsbDevice | None:
        """Disconnect; the device that was connected."""
        if self._connection is None or self._served is None or self._device is None:
            return None
        connection, served, device = self._connection, self._served, self._device
        self._connection = self._served = self._device = None
        if self.watch is not None:
            self.watch.close()
        self.watch = device.watch = None
        await connection.pull()
        try:
            await asyncio.wait_for(served, within_s)
        finally:
            await self._ports.wait_free(self.port, within_s)
        return device

    def _reconnect_soon(self) -> None:
        self._reconnecting = asyncio.get_running_loop().create_task(self._reconnect(self._device))

    async def _reconnect(self, device: UsbDevice | None) -> None:
        """Let the kernel see the connection anew, unless the cable has been pulled meanwhile."""
        async with self._changing:
            if device is not None and device is self._device and await self._part(FREED_WITHIN_S) is device:
                self._connect(device)

    async def ended(self) -> None:
        """Until the connection ends, from whichever side.

        Raises:
            VirtualBoardError: it ended because the kernel sent nonsense.
        """
        if self._served is not None:
            await asyncio.shield(self._served)
