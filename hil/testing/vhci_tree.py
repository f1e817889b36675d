"""A copy of vhci_hcd's part of sysfs in a directory, and ports that are none."""

import os
import socket
from pathlib import Path

from hil.errors import VirtualBoardError
from hil.virtual.usb.vhci import VhciPort

HEADER = "hub port sta spd dev      sockfd local_busid\n"
FREE, USED = 4, 6
HUB_PORTS = 8
SUPERSPEED = "5000"


class VhciTree:
    """``controllers`` controllers, each with a high-speed and a SuperSpeed hub of 8 ports, all free."""

    def __init__(self, root: Path, controllers: int = 1) -> None:
        self.platform = root / "platform"
        self.devices = root / "devices"
        self.states = dict.fromkeys(range(controllers * 2 * HUB_PORTS), FREE)
        for number in range(controllers):
            self._make_controller(number)
        self.attach.write_text("")
        (self._first / "detach").write_text("")
        self.write_status()

    @property
    def _first(self) -> Path:
        return self.platform / "vhci_hcd.0"

    @property
    def attach(self) -> Path:
        """The file that a device is attached by."""
        return self._first / "attach"

    @property
    def detach(self) -> Path:
        """The file that a device is detached by."""
        return self._first / "detach"

    def set_state(self, port: int, state: int) -> None:
        """What ``status`` says of a port from now on."""
        self.states[port] = state
        self.write_status()

    def write_status(self) -> None:
        for controller in range(len(self.states) // (2 * HUB_PORTS)):
            first = controller * 2 * HUB_PORTS
            lines = [self._line(number) for number in range(first, first + 2 * HUB_PORTS)]
            name = "status" if controller == 0 else f"status.{controller}"
            (self._first / name).write_text(HEADER + "".join(lines))

    def make_power(self, path: str, status: str = "active", control: str = "on") -> Path:
        """The ``power`` directory of a device."""
        directory = self.devices / path / "power"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "runtime_status").write_text(status + "\n")
        (directory / "control").write_text(control + "\n")
        return directory

    def set_disabled(self, path: str, disabled: bool) -> None:
        """What the port of a device says of itself."""
        bus, _, port = path.partition("-")
        place = self.devices / f"usb{bus}" / f"{bus}-0:1.0" / f"usb{bus}-port{port}"
        place.mkdir(parents=True, exist_ok=True)
        (place / "disable").write_text(f"{int(disabled)}\n")

    def _line(self, number: int) -> str:
        hub = "hs" if number % (2 * HUB_PORTS) < HUB_PORTS else "ss"
        return f"{hub}  {number:04d} {self.states[number]:03d} 000 00000000 000000 0-0\n"

    def _make_controller(self, number: int) -> None:
        for bus, speed in ((2 * number + 1, "480"), (2 * number + 2, SUPERSPEED)):
            hub = self.platform / f"vhci_hcd.{number}" / f"usb{bus}"
            hub.mkdir(parents=True)
            (hub / "speed").write_text(speed + "\n")
            (hub / "maxchild").write_text(f"{HUB_PORTS}\n")


class FakePorts:
    """The ports of a :class:`~hil.virtual.usb.cable.Cable`; like vhci they keep a reference to the socket."""

    def __init__(self) -> None:
        self.attached: list[socket.socket] = []
        self.refuses = False

    def attach(self, port: VhciPort, sock_fd: int) -> None:
        if self.refuses:
            raise VirtualBoardError(f"port {port.path}: refused, as the test wants")
        self.attached.append(socket.socket(fileno=os.dup(sock_fd)))

    async def wait_free(self, port: VhciPort, within_s: float) -> None:
        pass
