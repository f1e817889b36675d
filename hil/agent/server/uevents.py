"""Kernel uevents of one network namespace, and udev's later copies of them (lib/kobject_uevent.c)."""

import errno
import logging
import socket

from hil.errors import WireError
from hil.wire.uevent import KernelUevent

NETLINK_KOBJECT_UEVENT = 15
"""include/uapi/linux/netlink.h; the socket module has no name for it."""
KERNEL_GROUP = 1
UDEV_GROUP = 2
_RECEIVE_BYTES = 1 << 20
_LONGEST = 1 << 14
_log = logging.getLogger("hil.agent")


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


def receive(events: socket.socket) -> list[KernelUevent] | None:
    """Everything that waits in a non-blocking uevent socket; None where the kernel had to drop some (ENOBUFS)."""
    received: list[KernelUevent] = []
    while True:
        try:
            data, (sender, _) = events.recvfrom(_LONGEST)
        except BlockingIOError:
            return received
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                return None
            raise
        if sender != 0:
            continue  # not the kernel: a privileged process can send to the group too
        try:
            received.append(KernelUevent.parse(data))
        except WireError as error:
            _log.warning("a uevent was not understood: %s", error)
