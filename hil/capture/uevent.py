"""Kernel uevents of the boards' part of the device tree.

The kernel sends usb and tty events to every network namespace and net events only to the one that owns the interface
(lib/kobject_uevent.c, ``kobject_uevent_net_broadcast``). So there is one socket in the machine's own namespace and one
in each board's: what both bring is told once, by SEQNUM; and an interface that moves from the first to the second
has neither vanished nor appeared.
"""

import errno
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hil.capture.boards import Boards, CapturedBoard, read_attribute
from hil.capture.errands import Fetch, at_once
from hil.capture.source import OPEN_END, Moment, Source
from hil.clock import to_s
from hil.errors import WireError
from hil.timeline import events
from hil.timeline.events import Event
from hil.wire.uevent import KernelUevent

LONGEST = 1 << 15
DATAGRAMS_A_ROUND = 128
SEQUENCES_KEPT = 1024


@dataclass
class _Netif:
    path: str
    name: str
    inside: bool
    """In the board's own namespace."""
    leaving: bool = False
    """Removed from the machine's namespace and not yet seen in the board's."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A uevent of a board."""

    uevent: KernelUevent
    board: CapturedBoard
    path: str
    """The one of the board's topology paths that it concerns."""
    inside: bool
    """It came from the board's own namespace."""
    now: Moment

    @property
    def stamp(self) -> dict[str, Any]:
        return self.now.stamp(self.board.name, "uevent")

    def value(self, name: str) -> str:
        """A property, or ''."""
        return self.uevent.properties.get(name, "")

    @property
    def kernel_name(self) -> str:
        """Last part of the device path."""
        return self.uevent.devpath.rpartition("/")[2]

    @property
    def netif(self) -> str:
        return self.value("INTERFACE") or self.kernel_name

    @property
    def netif_key(self) -> str:
        """The device that owns a network interface: the path up to /net/, which a rename leaves as it is."""
        return self.uevent.devpath.rpartition("/net/")[0]

    @property
    def interface(self) -> int:
        """bInterfaceNumber: what follows the last dot of ``1-1.2:1.0`` (drivers/usb/core/message.c)."""
        return _number(self.kernel_name.rpartition(".")[2])


class UeventReader:
    """Tells what uevents mean for the boards; shared by the kernel sockets of all namespaces.

    Args:
        boards: those that are told of.
        fetch: has an attribute read.
    """

    def __init__(self, boards: Boards, fetch: Fetch = at_once) -> None:
        self._boards = boards
        self._fetch = fetch
        self._sequences: deque[str] = deque(maxlen=SEQUENCES_KEPT)
        self._netifs: dict[str, _Netif] = {}

    def read(self, uevent: KernelUevent, inside: bool, now: Moment) -> list[Event]:
        """The events of one uevent; ``inside``: it came from a board's own namespace."""
        sequence = uevent.properties.get("SEQNUM", "")
        if sequence and sequence in self._sequences:
            return []
        self._sequences.append(sequence)
        owner = self._boards.owner(uevent.devpath)
        if owner is None:
            return []
        seen = _Seen(uevent, *owner, inside, now)
        meaning = _MEANINGS.get((seen.value("DEVTYPE") or uevent.subsystem, uevent.action))
        found = meaning(self, seen) if meaning else []
        return [] if found is None else self._or_generic(found, seen)

    @staticmethod
    def _or_generic(found: list[Event], seen: _Seen) -> list[Event]:
        return found or [generic(seen.uevent, seen.board.name, "uevent", seen.now)]

    def attached(self, seen: _Seen) -> list[Event]:
        """PRODUCT is vid/pid/bcdDevice in hex without leading zeros (drivers/usb/core/driver.c, usb_uevent)."""
        if seen.path == seen.board.paths.get("usb"):
            seen.board.address = (_number(seen.value("BUSNUM")), _number(seen.value("DEVNUM")))
        vid, _, rest = seen.value("PRODUCT").partition("/")
        ids = (_number(vid, 16), _number(rest.partition("/")[0], 16))
        return [events.UsbAttached(seen.path, *ids, **seen.stamp)]

    def configured(self, seen: _Seen) -> list[Event] | None:
        """Only now may the serial number be asked for, and not by who has other channels to read.

        Reading it takes the device's lock (drivers/usb/core/sysfs.c, ``usb_string_attr``), which the kernel holds from
        the "add" until every driver is bound, five seconds where a board does not answer SET_CONFIGURATION; and again
        while somebody resets or deconfigures the device, who may have been waiting for the "bind" as well.
        """
        place = self._boards.sysfs / seen.uevent.devpath.lstrip("/") / "serial"

        def told(serial: str) -> list[Event]:
            found: list[Event] = [events.UsbSerialNumber(seen.path, serial, **seen.stamp)] if serial else []
            return self._or_generic(found, seen)

        return self._fetch(lambda: read_attribute(place), told)

    def detached(self, seen: _Seen) -> list[Event]:
        if seen.path == seen.board.paths.get("usb"):
            seen.board.address = None
        return [*self._gone(seen), events.UsbDetached(seen.path, **seen.stamp)]

    def bound(self, seen: _Seen) -> list[Event]:
        return [events.UsbConfigured(seen.path, seen.interface, seen.value("DRIVER"), **seen.stamp)]

    def unbound(self, seen: _Seen) -> list[Event]:
        return [*self._gone(seen), events.UsbUnconfigured(seen.path, seen.interface, **seen.stamp)]

    def tty(self, seen: _Seen) -> list[Event]:
        kind = events.TtyAppeared if seen.uevent.action == "add" else events.TtyVanished
        return [kind(seen.path, "/dev/" + (seen.value("DEVNAME") or seen.kernel_name), **seen.stamp)]

    def netif_added(self, seen: _Seen) -> list[Event]:
        known = self._netifs.get(seen.netif_key)
        self._netifs[seen.netif_key] = _Netif(seen.path, seen.netif, seen.inside)
        if known is not None and seen.inside:
            return []
        return [events.NetifAppeared(seen.path, seen.netif, **seen.stamp)]

    def netif_removed(self, seen: _Seen) -> list[Event]:
        known = self._netifs.get(seen.netif_key)
        if known is not None and not seen.inside and (known.inside or seen.board.namespaced):
            known.leaving = not known.inside
            return []
        self._netifs.pop(seen.netif_key, None)
        return [events.NetifVanished(seen.path, seen.netif, **seen.stamp)]

    def netif_moved(self, seen: _Seen) -> list[Event]:
        """Renamed: a generic event, and the new name from now on."""
        known = self._netifs.get(seen.netif_key)
        if known is not None:
            known.name = seen.netif
        return []

    def _gone(self, seen: _Seen) -> list[Event]:
        """Interfaces that left the machine's namespace and went nowhere: their device is gone."""
        lost = [key for key, netif in self._netifs.items() if netif.path == seen.path and netif.leaving]
        return [events.NetifVanished(seen.path, self._netifs.pop(key).name, **seen.stamp) for key in lost]


_MEANINGS: dict[tuple[str, str], Callable[[UeventReader, _Seen], list[Event] | None]] = {
    ("usb_device", "add"): UeventReader.attached,
    ("usb_device", "bind"): UeventReader.configured,
    ("usb_device", "remove"): UeventReader.detached,
    ("usb_interface", "bind"): UeventReader.bound,
    ("usb_interface", "unbind"): UeventReader.unbound,
    ("tty", "add"): UeventReader.tty,
    ("tty", "remove"): UeventReader.tty,
    ("net", "add"): UeventReader.netif_added,
    ("net", "remove"): UeventReader.netif_removed,
    ("net", "move"): UeventReader.netif_moved,
}
"""By DEVTYPE, or SUBSYSTEM where the device has no type, and action."""


def generic(uevent: KernelUevent, board: str, source: str, now: Moment) -> Event:
    """The event of a uevent that has no class of its own."""
    subsystem = uevent.properties.get("SUBSYSTEM", "")
    return events.Uevent(uevent.action, subsystem, uevent.devpath, dict(uevent.properties), **now.stamp(board, source))


def _number(text: str, base: int = 10) -> int:
    """A number as the kernel writes it; 0 for anything else."""
    try:
        return int(text, base)
    except ValueError:
        return 0


class UeventSource(Source):
    """A NETLINK_KOBJECT_UEVENT socket of the kernel's group."""

    channel = "uevent"

    def __init__(self, uevents: socket.socket, reader: UeventReader, board: str = "") -> None:
        super().__init__(uevents.fileno(), board)
        self._socket = uevents
        self._reader = reader
        self._read_ns = self.since_ns
        self._is_netlink = uevents.family == socket.AF_NETLINK
        uevents.setblocking(False)

    def read(self, now: Moment) -> list[Event]:
        found: list[Event] = []
        self.more = False
        for _ in range(DATAGRAMS_A_ROUND):
            try:
                data, address = self._socket.recvfrom(LONGEST)
            except BlockingIOError:
                break
            except OSError as error:
                self.ended = error.errno != errno.ENOBUFS
                lasted_s = OPEN_END if self.ended else to_s(now.t_ns - self._read_ns)
                found.append(self.gap(now, f"uevents: {error.strerror}", lasted_s))
                break
            if not data:
                self.ended = not self._is_netlink
                break
            if not self._is_netlink or address[0] == 0:  # any root process can send to the group; 0 is the kernel
                found += self._datagram(data, now)
        else:
            self.more = True
        self._read_ns = now.t_ns
        return found

    def _datagram(self, data: bytes, now: Moment) -> list[Event]:
        try:
            return self._reader.read(KernelUevent.parse(data), bool(self.board), now)
        except WireError as error:
            return [self.gap(now, f"uevent: {error}", 0.0)]

    def close(self) -> None:
        self._socket.close()
        self._fd = -1
