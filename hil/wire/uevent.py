"""Uevents of the kernel's netlink family (lib/kobject_uevent.c), and udev's copies of them.

The kernel sends ``add@/devices/…`` and then ``KEY=value`` strings, each ended by NUL. udev sends to another group a
binary header and the strings alone (libudev's ``udev_monitor_netlink_header``).
"""

from dataclasses import dataclass
from typing import Self

from hil.errors import WireError
from hil.wire.layout import Layout

UDEV_PREFIX = b"libudev\0"
UDEV_MAGIC = b"\xfe\xed\xca\xfe"
UDEV_HEADER = Layout("udev message header", "=8s4sIII")


@dataclass(frozen=True, slots=True)
class KernelUevent:
    """One uevent."""

    action: str
    """add, remove, change, move, bind, unbind, online or offline."""
    devpath: str
    """Below /sys: ``/devices/…``."""
    properties: dict[str, str]
    """All of them, ACTION and DEVPATH included."""

    @property
    def subsystem(self) -> str:
        """``usb``, ``net``, ``tty``, or '' where the message names none."""
        return self.properties.get("SUBSYSTEM", "")

    def pack(self) -> bytes:
        """The kernel's form."""
        strings = [f"{self.action}@{self.devpath}", *(f"{key}={value}" for key, value in self.properties.items())]
        if any("\0" in text for text in strings):
            raise WireError(f"uevent {strings[0]!r}: a NUL in a property")
        return b"".join(text.encode(errors="replace") + b"\0" for text in strings)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Either form; text that is no UTF-8 is replaced.

        Raises:
            WireError: the header is missing or contradicts the properties, or a property has no ``=``.
        """
        if data.startswith(UDEV_PREFIX):
            return cls._from_udev(data)
        head, _, rest = data.partition(b"\0")
        action, at, devpath = _text(head).partition("@")
        if not at or not action or not devpath.startswith("/"):
            raise WireError(f"uevent: {_text(head[:80])!r} at its start, expected action@/devpath or 'libudev'")
        properties = _properties(rest)
        said = (properties.get("ACTION", action), properties.get("DEVPATH", devpath))
        if said != (action, devpath):
            raise WireError(f"uevent {action}@{devpath}: its properties say {said[0]}@{said[1]}")
        return cls(action, devpath, properties)

    @classmethod
    def _from_udev(cls, data: bytes) -> Self:
        _, magic, header_size, offset, length = UDEV_HEADER.unpack(data)
        if magic != UDEV_MAGIC or header_size < UDEV_HEADER.size or offset < header_size or offset + length > len(data):
            found = f"magic {magic.hex()} header {header_size} properties {offset}+{length}"
            raise WireError(f"udev message of {len(data)} bytes: {found}")
        properties = _properties(data[offset : offset + length])
        try:
            return cls(properties["ACTION"], properties["DEVPATH"], properties)
        except KeyError as missing:
            raise WireError(f"udev message: no {missing} among {', '.join(sorted(properties)[:20])}") from missing


def _properties(data: bytes) -> dict[str, str]:
    """``KEY=value`` strings; of two with one key the last counts, as in udev."""
    properties = {}
    for string in data.split(b"\0"):
        key, equals, value = _text(string).partition("=")
        if string and not (equals and key):
            raise WireError(f"uevent property {_text(string[:80])!r}: expected KEY=value")
        if string:
            properties[key] = value
    return properties


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
