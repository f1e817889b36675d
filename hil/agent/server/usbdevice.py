"""A USB device in sysfs, found by topology path and by nothing else.

Layout: Documentation/ABI/testing/sysfs-bus-usb, sysfs-devices-power; drivers/usb/core/port.c (hub ports).
"""

import fcntl
import fnmatch
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hil.agent.protocol import READABLE
from hil.agent.server.binding import DRIVERS, Binding
from hil.agent.server.hubs import HubPort
from hil.bench import TOPOLOGY_PATH
from hil.board.identity import Identity
from hil.errors import AgentError, AgentRefused, SetupError

SYSFS = Path("/sys")
DEV = Path("/dev")
USBDEVFS_RESET = 0x5514
"""_IO('U', 20), include/uapi/linux/usbdevice_fs.h."""
_DELAY_LIMIT_MS = 2**31 - 1
"""The kernel keeps the delay in an int (drivers/base/power/sysfs.c, autosuspend_delay_ms_store)."""
_VHCI = re.compile(r"vhci_hcd\.\d+")

_FILES = {
    "authorized": "authorized",
    "control": "power/control",
    "autosuspend_delay_ms": "power/autosuspend_delay_ms",
    "runtime_status": "power/runtime_status",
    "idVendor": "idVendor",
    "idProduct": "idProduct",
}
"""Attributes of the device itself; ``port_disable`` is one of the hub's port."""


def _is_switch(value: str) -> bool:
    return value in ("0", "1")


def _is_control(value: str) -> bool:
    return value in ("auto", "on")


def _is_delay(value: str) -> bool:
    return re.fullmatch(r"-1|\d{1,10}", value) is not None and int(value) <= _DELAY_LIMIT_MS


_VALUES: dict[str, tuple[Callable[[str], bool], str]] = {
    "authorized": (_is_switch, "'0' or '1'"),
    "bound": (_is_switch, "'0' or '1'"),
    "bound_ncm": (_is_switch, "'0' or '1'"),
    "port_disable": (_is_switch, "'0' or '1'"),
    "control": (_is_control, "'auto' or 'on'"),
    "autosuspend_delay_ms": (_is_delay, f"milliseconds from -1 to {_DELAY_LIMIT_MS}"),
}


@dataclass(frozen=True)
class NetworkInterface:
    """A netif below the device, as far as this namespace's sysfs shows it."""

    name: str
    index: int


class UsbDevice:
    """The device at one topology path, attached or not."""

    def __init__(self, path: str, sysfs: Path = SYSFS, dev: Path = DEV) -> None:
        if not re.fullmatch(TOPOLOGY_PATH, path, re.ASCII):
            raise AgentRefused(f"{path!r} is not a topology path such as '1-1.2'")
        self.path = path
        self._sysfs = sysfs
        self._dev = dev

    @property
    def bus(self) -> int:
        """Number of its bus, which is that of its usbmon device too."""
        return int(self.path.split("-")[0])

    def contains(self, devpath: str) -> bool:
        """True where a uevent's DEVPATH is the device itself or lies below it."""
        return f"/{self.path}/" in devpath + "/"

    def directory(self) -> Path:
        """Its directory, every symbolic link resolved.

        Raises:
            AgentError: nothing is attached there.
            AgentRefused: what is there is not this USB device.
        """
        link = self._sysfs / "bus/usb/devices" / self.path
        try:
            found = Path(os.path.realpath(link, strict=True))
        except OSError as error:
            raise AgentError(f"no USB device at {self.path}: {link} does not resolve") from error
        if found.name != self.path or not found.is_relative_to(os.path.realpath(self._sysfs / "devices")):
            raise AgentRefused(f"{link} leads to {found}, which is not the USB device {self.path}")
        bus, port = (self._line(found / name) for name in ("busnum", "devpath"))
        if f"{bus}-{port}" != self.path:
            raise AgentRefused(f"{found} says it is {bus}-{port}, not {self.path}")
        return found

    def require_virtual(self) -> None:
        """
        Raises:
            AgentRefused: its bus is not one of vhci_hcd's.
        """
        link = self._sysfs / "bus/usb/devices" / f"usb{self.bus}"
        controller = link.resolve().parent.name
        if not _VHCI.fullmatch(controller):
            raise AgentRefused(f"{self.path} hangs under {controller or link}, not under a vhci_hcd device")

    def attribute(self, name: str) -> Path:
        """The file behind an attribute.

        Raises:
            AgentError: nothing is attached, or the hub's port has no such attribute.
            AgentRefused: the name is not one of the fixed map.
        """
        if name == "port_disable":
            return self._port_disable()
        if name not in _FILES:
            raise AgentRefused(f"attribute {name!r} may not be touched; known: {', '.join(READABLE)}")
        return self.directory() / _FILES[name]

    def read(self, name: str) -> str:
        """An attribute's value without its line end.

        Raises:
            AgentError: nothing is attached, or the kernel refused.
        """
        if name in DRIVERS:
            return Binding(name, self.directory(), self._sysfs).read()
        return self._line(self.attribute(name))

    def write(self, name: str, value: str) -> None:
        """
        Raises:
            AgentRefused: the attribute may not be written, or not with this value.
            AgentError: nothing is attached, or the kernel refused.
        """
        if name not in _VALUES:
            raise AgentRefused(f"attribute {name!r} may not be written; known: {', '.join(_VALUES)}")
        check, wanted = _VALUES[name]
        if not check(value):
            raise AgentRefused(f"{name} of {self.path}: {value!r} may not be written; wanted {wanted}")
        if name in DRIVERS:
            place, value = Binding(name, self.directory(), self._sysfs).file(value)
        else:
            place = self.attribute(name)
        try:
            attribute = os.open(place, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
            try:
                os.write(attribute, value.encode("ascii"))
            finally:
                os.close(attribute)
        except OSError as error:
            raise AgentError(f"writing {value!r} to {place}: {error.strerror}") from error

    def reset(self) -> None:
        """Reset the port the device hangs on (USBDEVFS_RESET); it keeps its address and is configured again.

        Raises:
            AgentError: nothing is attached, or the kernel refused.
        """
        number = int(self._line(self.directory() / "devnum"))
        node = self._dev / f"bus/usb/{self.bus:03d}/{number:03d}"
        try:
            descriptor = os.open(node, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(descriptor, USBDEVFS_RESET, 0)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise AgentError(f"USBDEVFS_RESET on {node}: {error.strerror}") from error

    def identity(self) -> Identity:
        """What is attached, by the numbers of its descriptor."""
        try:
            place = self.directory()
            return Identity.of(*(int(self._line(place / name), 16) for name in ("idVendor", "idProduct")))
        except AgentRefused:
            raise
        except AgentError:
            return Identity.NOTHING

    def interfaces(self) -> list[NetworkInterface]:
        """Network interfaces of the device in the agent's own namespace; [] where nothing is attached."""
        found = []
        for place in self._below("net/*/ifindex"):
            try:
                found.append(NetworkInterface(place.parent.name, int(place.read_text())))
            except (OSError, ValueError):
                continue  # renamed or gone between the listing and the reading; a uevent follows
        return found

    def ttys(self) -> list[str]:
        """Kernel names of its serial ports, cdc_acm's and those of usb-serial drivers; [] where nothing is attached."""
        return sorted(self._tty_places())

    def tty_number(self, name: str) -> tuple[int, int]:
        """Major and minor number of one of its serial ports.

        Raises:
            AgentError: it is gone.
        """
        place = self._tty_places().get(name)
        if place is None:
            raise AgentError(f"{self.path} has no serial port {name}")
        major, minor = self._line(place / "dev").split(":")
        return int(major), int(minor)

    def _tty_places(self) -> dict[str, Path]:
        """By name: ``tty/ttyACM0`` below an interface of cdc_acm, ``ttyUSB0/tty/ttyUSB0`` of a usb-serial driver."""
        below = self._below("tty*/tty*")
        places = [place for each in below for place in (_children(each, "tty*") if each.name == "tty" else [each])]
        return {place.name: place for place in places}

    def _below(self, layout: str) -> list[Path]:
        """What matches below the device's interfaces; pathlib's glob takes ten times as long."""
        try:
            places = [self.directory()]
        except AgentRefused:
            raise
        except AgentError:
            return []
        for pattern in (f"{self.path}:*", *layout.split("/")):
            places = [child for place in places for child in _children(place, pattern)]
        return sorted(places)

    def _port_disable(self) -> Path:
        port = HubPort.of(self.path)
        if "-" in port.hub:
            UsbDevice(port.hub, self._sysfs, self._dev).directory()  # raises where that is not the hub's own
        place = (self._sysfs / "bus/usb/devices" / port.place).resolve()
        if not (place / "disable").exists():
            raise SetupError(f"{place} has no attribute 'disable'; kernels before 6.0 have none")
        return place / "disable"

    @staticmethod
    def _line(place: Path) -> str:
        try:
            return place.read_text().strip()
        except OSError as error:
            raise AgentError(f"reading {place}: {error.strerror}") from error


def _children(place: Path, pattern: str) -> list[Path]:
    """Entries of a directory; [] where it is none, or has just gone."""
    try:
        return [place / name for name in fnmatch.filter(os.listdir(place), pattern)]
    except OSError:
        return []
