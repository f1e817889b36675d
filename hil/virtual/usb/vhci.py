"""vhci_hcd's sysfs interface (drivers/usb/usbip/vhci_sysfs.c): ports that a socket can be attached to.

``vhci_hcd.0/status`` and ``status.1``, ``status.2`` … list the ports of each controller; ``vhci_hcd.0/attach`` and
``detach`` serve all of them. A controller has a high-speed hub, which carries full-speed devices, and a SuperSpeed hub.
"""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hil.clock import Deadline
from hil.errors import SetupError, VirtualBoardError

PLATFORM = Path("/sys/devices/platform")
FREE = 4
"""VDEV_ST_NULL."""
FULL_SPEED = 2
HIGH_SPEED_HUB = "480"
DEVICE_ID = 0x10002
"""busnum << 16 | devnum on the far side; vhci only echoes it."""
POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class VhciPort:
    """One port that takes full-speed devices."""

    number: int
    """As ``attach`` counts: over all controllers."""
    path: str
    """Topology path of a device there, such as ``1-1``."""


class Vhci:
    """The controllers of this kernel.

    Args:
        platform: directory that holds ``vhci_hcd.0``.
    """

    def __init__(self, platform: Path = PLATFORM) -> None:
        self._platform = platform
        self._first = platform / "vhci_hcd.0"

    def ports(self) -> list[VhciPort]:
        """Every port for full-speed devices, used or free.

        Raises:
            SetupError: the module is not loaded.
        """
        return [port for port, _ in self._table()]

    def free_port(self, wanted: str | None = None) -> VhciPort:
        """The first free port, or the one with topology path ``wanted``.

        Raises:
            VirtualBoardError: none is free, or ``wanted`` is in use or unknown.
            SetupError: the module is not loaded.
        """
        table = self._table()
        for port, state in table:
            if state == FREE and wanted in (None, port.path):
                return port
        states = ", ".join(f"{port.path} {'free' if state == FREE else 'in use'}" for port, state in table)
        raise VirtualBoardError(f"{self._first}/status: port {wanted or 'for a board'} is not free; ports: {states}")

    def attach(self, port: VhciPort, sock_fd: int, speed: int = FULL_SPEED) -> None:
        """Plug the USB/IP device at the other end of a connected stream socket into ``port``.

        Raises:
            VirtualBoardError: the kernel refuses, as it does where the port is in use.
            SetupError: no permission.
        """
        self._write("attach", f"{port.number} {sock_fd} {DEVICE_ID} {speed}")

    def detach(self, port: VhciPort) -> None:
        """Pull whatever is in ``port``; the same errors as :meth:`attach`."""
        self._write("detach", str(port.number))

    def is_free(self, port: VhciPort) -> bool:
        """The port can be attached to."""
        return (port, FREE) in self._table()

    async def wait_free(self, port: VhciPort, within_s: float) -> None:
        """vhci frees a port some time after its socket was closed.

        Raises:
            VirtualBoardError: not within ``within_s``.
        """
        deadline = Deadline(within_s)
        while not self.is_free(port):
            if deadline.passed:
                raise VirtualBoardError(f"{self._first}/status: port {port.path} still in use after {within_s} s")
            await asyncio.sleep(POLL_S)

    def _table(self) -> list[tuple[VhciPort, int]]:
        """Ports with their state."""
        found = []
        for number, status in enumerate(self._status_files()):
            bus, hub_ports = self._hub(number)
            for line in self._read(status).splitlines()[1:]:
                fields = line.split()
                if fields and fields[0] == "hs":
                    port = int(fields[1])
                    # A controller's numbers are those of its high-speed hub, then of its SuperSpeed hub.
                    path = f"{bus}-{port % (2 * hub_ports) + 1}"
                    found.append((VhciPort(port, path), int(fields[2])))
        return found

    def _status_files(self) -> Iterator[Path]:
        if not self._first.is_dir():
            raise SetupError(f"{self._first} does not exist: load the kernel module vhci_hcd (modprobe vhci-hcd)")
        yield self._first / "status"
        number = 1
        while (extra := self._first / f"status.{number}").exists():
            yield extra
            number += 1

    def _hub(self, controller: int) -> tuple[int, int]:
        """Bus number and ports of the high-speed hub of a controller."""
        directory = self._platform / f"vhci_hcd.{controller}"
        for hub in sorted(directory.glob("usb[0-9]*")):
            if self._read(hub / "speed").strip() == HIGH_SPEED_HUB:
                return int(hub.name.removeprefix("usb")), int(self._read(hub / "maxchild"))
        raise VirtualBoardError(f"{directory}: no usbN with speed {HIGH_SPEED_HUB}; vhci_hcd has no high-speed hub")

    def _read(self, file: Path) -> str:
        try:
            return file.read_text()
        except OSError as error:
            raise VirtualBoardError(f"{file}: {error.strerror}") from error

    def _write(self, name: str, text: str) -> None:
        file = self._first / name
        try:
            descriptor = os.open(file, os.O_WRONLY)
            try:
                os.write(descriptor, text.encode())
            finally:
                os.close(descriptor)
        except (PermissionError, FileNotFoundError) as error:
            raise SetupError(f"{file}: {error.strerror}; the virtual board needs root and vhci_hcd") from error
        except OSError as error:
            raise VirtualBoardError(f"{file}: writing {text!r}: {error.strerror}") from error
