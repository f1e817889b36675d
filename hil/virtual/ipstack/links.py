"""Interfaces of the namespace of the calling thread: addresses and flags by ioctl, veth pairs by one netlink message.

The ioctls (netdevice(7)) and the two rtnetlink messages are all the virtual board needs; pyroute2 would cost 0.1 s of
import, and ten times that on the emulated machine.
"""

import fcntl
import os
import socket
import struct
from pathlib import Path

from hil.errors import VirtualBoardError
from hil.wire.addresses import ipv4_bytes, mac_bytes

SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
SIOCSIFADDR, SIOCSIFDSTADDR, SIOCSIFNETMASK = 0x8916, 0x8918, 0x891C
SIOCSIFMTU, SIOCSIFHWADDR, SIOCGIFINDEX = 0x8922, 0x8924, 0x8933
IFF_UP = 0x1
ARPHRD_ETHER = 1
NAME = struct.Struct("16s")
IFREQ_LENGTH = 40

RTM_NEWLINK, RTM_DELLINK = 16, 17
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE = 0x1, 0x4, 0x200, 0x400
NLMSG_ERROR = 2
IFLA_IFNAME, IFLA_LINKINFO, IFLA_NET_NS_FD = 3, 18, 28
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
VETH_INFO_PEER = 1
MESSAGE = struct.Struct("=IHHII")
IFINFO = struct.Struct("=BxHiII")
ATTRIBUTE = struct.Struct("=HH")


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
        """Give the interface this one address; with ``peer``, a route to that address alone goes through it."""
        mask = (0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF
        self._ioctl(SIOCSIFADDR, name, _sockaddr(ipv4_bytes(address)))
        self._ioctl(SIOCSIFNETMASK, name, _sockaddr(mask.to_bytes(4, "big")))
        if peer:
            self._ioctl(SIOCSIFDSTADDR, name, _sockaddr(ipv4_bytes(peer)))

    def add_veth(self, name: str, peer: str, peer_namespace: int) -> None:
        """A veth pair: ``name`` here, ``peer`` in the namespace of that descriptor; both down."""
        there = _attribute(IFLA_NET_NS_FD, struct.pack("=I", peer_namespace))
        data = _attribute(IFLA_INFO_DATA, _attribute(VETH_INFO_PEER, IFINFO.pack(0, 0, 0, 0, 0) + _name(peer) + there))
        info = _attribute(IFLA_LINKINFO, _attribute(IFLA_INFO_KIND, b"veth") + data)
        body = IFINFO.pack(0, 0, 0, 0, 0) + _name(name) + info
        self._request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body, f"veth pair {name}, {peer}")

    def remove(self, name: str) -> None:
        """Remove an interface, and with a veth its peer."""
        answer = self._ioctl(SIOCGIFINDEX, name, b"")
        (index,) = struct.unpack_from("i", answer, NAME.size)
        self._request(RTM_DELLINK, 0, IFINFO.pack(0, 0, index, 0, 0), f"removal of {name}")

    def _ioctl(self, request: int, name: str, payload: bytes) -> bytes:
        block = (NAME.pack(name.encode()) + payload).ljust(IFREQ_LENGTH, b"\0")
        try:
            return fcntl.ioctl(self._control, request, block)
        except OSError as error:
            raise VirtualBoardError(f"interface {name}: ioctl 0x{request:04x}: {error.strerror}") from error

    def _request(self, kind: int, flags: int, body: bytes, what: str) -> None:
        header = MESSAGE.pack(MESSAGE.size + len(body), kind, flags | NLM_F_REQUEST | NLM_F_ACK, 1, 0)
        self._netlink.send(header + body)
        reply = self._netlink.recv(4096)
        _, answered, *_ = MESSAGE.unpack_from(reply)
        (code,) = struct.unpack_from("=i", reply, MESSAGE.size)
        if answered == NLMSG_ERROR and code != 0:
            raise VirtualBoardError(f"{what}: {os.strerror(-code)}")


def set_sysctl(name: str, value: int) -> None:
    """Set ``net.…`` for the namespace of the calling thread; slashes separate the parts."""
    path = Path("/proc/sys/net", name)
    try:
        path.write_text(str(value))
    except OSError as error:
        raise VirtualBoardError(f"{path} = {value}: {error.strerror}") from error


def _sockaddr(address: bytes) -> bytes:
    return struct.pack("=HH4s", socket.AF_INET, 0, address)


def _attribute(kind: int, payload: bytes) -> bytes:
    length = ATTRIBUTE.size + len(payload)
    return ATTRIBUTE.pack(length, kind) + payload + bytes(-length % 4)


def _name(name: str) -> bytes:
    return _attribute(IFLA_IFNAME, name.encode() + b"\0")
