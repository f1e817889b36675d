"""Interfaces of the calling thread: addresses and flags by ioctl (netdevice(7)), veth pairs by rtnetlink."""

import fcntl
import os
import socket
import struct
from pathlib import Path

from hil.errors import VirtualBoardError
from hil.wire import rtnetlink_requests as requests
from hil.wire.addresses import ipv4_bytes, mac_bytes
from hil.wire.rtnetlink import NLMSG_ERROR, messages

SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
SIOCSIFADDR, SIOCSIFDSTADDR, SIOCSIFNETMASK = 0x8916, 0x8918, 0x891C
SIOCSIFMTU, SIOCSIFHWADDR, SIOCGIFINDEX = 0x8922, 0x8924, 0x8933
IFF_UP = 0x1
ARPHRD_ETHER = 1
NAME = struct.Struct("16s")
IFREQ_LENGTH = 40


class Links:
    """Control of the interfaces of the namespace in which the object is made."""

    def __init__(self) -> None:
        self._control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)

    def close(self) -> None:
        self._control.close()
        self._netlink.close()

    def set_up(self, name: str, up: bool) -> None:
        answer = self._ioctl(SIOCGIFFLAGS, name, struct.pack("h", 0))
        (flags,) = struct.unpack_from("h", answer, NAME.size)
        wanted = flags | IFF_UP if up else flags & ~IFF_UP
        if wanted != flags:
            self._ioctl(SIOCSIFFLAGS, name, struct.pack("h", wanted))

    def set_mac(self, name: str, mac: str) -> None:
        self._ioctl(SIOCSIFHWADDR, name, struct.pack("=H6s", ARPHRD_ETHER, mac_bytes(mac)))

    def set_mtu(self, name: str, mtu: int) -> None:
        self._ioctl(SIOCSIFMTU, name, struct.pack("i", mtu))

    def set_address(self, name: str, address: str, prefix: int, peer: str = "") -> None:
        """Give the interface this one address, or none with 0.0.0.0; with ``peer``, a route to that address alone goes
        through it."""
        mask = (0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF
        self._ioctl(SIOCSIFADDR, name, _sockaddr(ipv4_bytes(address)))
        if address == "0.0.0.0":
            return
        self._ioctl(SIOCSIFNETMASK, name, _sockaddr(mask.to_bytes(4, "big")))
        if peer:
            self._ioctl(SIOCSIFDSTADDR, name, _sockaddr(ipv4_bytes(peer)))

    def add_veth(self, name: str, peer: str, peer_namespace: int) -> None:
        """A veth pair: ``name`` here, ``peer`` in the namespace of that descriptor; both down."""
        self._request(requests.new_veth(name, peer, peer_namespace), f"veth pair {name}, {peer}")

    def remove(self, name: str) -> None:
        """Remove an interface, and with a veth its peer."""
        answer = self._ioctl(SIOCGIFINDEX, name, b"")
        (index,) = struct.unpack_from("i", answer, NAME.size)
        self._request(requests.delete_link(index), f"removal of {name}")

    def _ioctl(self, request: int, name: str, payload: bytes) -> bytes:
        block = (NAME.pack(name.encode()) + payload).ljust(IFREQ_LENGTH, b"\0")
        try:
            return fcntl.ioctl(self._control, request, block)
        except OSError as error:
            raise VirtualBoardError(f"interface {name}: ioctl 0x{request:04x}: {error.strerror}") from error

    def _request(self, request: bytes, what: str) -> None:
        self._netlink.send(request)
        for message in messages(self._netlink.recv(4096)):
            if message.kind == NLMSG_ERROR and message.error:
                raise VirtualBoardError(f"{what}: {os.strerror(message.error)}")


def set_sysctl(name: str, value: int) -> None:
    """Set ``net.…`` for the namespace of the calling thread; slashes separate the parts."""
    path = Path("/proc/sys/net", name)
    try:
        path.write_text(str(value))
    except OSError as error:
        raise VirtualBoardError(f"{path} = {value}: {error.strerror}") from error


def _sockaddr(address: bytes) -> bytes:
    return struct.pack("=HH4s", socket.AF_INET, 0, address)
