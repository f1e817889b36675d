"""Kernel uevents of one network namespace, and udev's later copies of them (lib/kobject_uevent.c)."""

import errno
import socket
from dataclasses import dataclass

NETLINK_KOBJECT_UEVENT = 15
"""include/uapi/linux/netlink.h; the socket module has no name for it."""
KERNEL_GROUP = 1
UDEV_GROUP = 2
_RECEIVE_BYTES = 1 << 20
_LONGEST = 1 << 14


@dataclass(frozen=True)
class Uevent:
    """One kernel uevent."""

    action: str
    devpath: str
    properties: dict[str, str]

    @property
    def subsystem(self) -> str:
        return self.properties.get("SUBSYSTEM", "")


def parse(data: bytes) -> Uevent | None:
    """A datagram of the kernel's group: ``ACTION@DEVPATH``, then ``KEY=VALUE``, each ended by NUL; None for others."""
    head, _, rest = data.decode("utf-8", "replace").partition("\0")
    action, at, devpath = head.partition("@")
    if not at:
        return None
    pairs = (item.partition("=") for item in rest.split("\0") if item)
    return Uevent(action, devpath, {key: value for key, _, value in pairs})


def open_socket(udev: bool = False) -> socket.socket:
    """A uevent socket of the calling thread's namespace, 1 MiB deep.

    Raises:
        OSError: the kernel refused.
    """
    group = UDEV_GROUP if udev else KERNEL_GROUP
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    events = socket.socket(socket.AF_NETLINK, kind, NETLINK_KOBJECT_UEVENT)
    try:
        deepen(events, _RECEIVE_BYTES)
        events.bind((0, group))
    except OSError:
        events.close()
        raise
    return events


def deepen(receiver: socket.socket, octets: int) -> None:
    """Make the receive buffer ``octets`` deep, past net.core.rmem_max where the kernel lets root do so."""
    so_rcvbufforce = 33  # include/uapi/asm-generic/socket.h; the socket module has no name for it
    try:
        receiver.setsockopt(socket.SOL_SOCKET, so_rcvbufforce, octets)
    except PermissionError:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, octets)


def receive(events: socket.socket) -> list[Uevent] | None:
    """Everything that waits in a non-blocking uevent socket; None where the kernel had to drop some (ENOBUFS)."""
    received: list[Uevent] = []
    while True:
        try:
            data, (sender, _) = events.recvfrom(_LONGEST)
        except BlockingIOError:
            return received
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                return None
            raise
        event = parse(data) if sender == 0 else None  # only the kernel's own; a process can send to the group too
        if event is not None:
            received.append(event)
