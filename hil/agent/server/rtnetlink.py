"""Requests to rtnetlink over one socket, answered within a second by the kernel itself.

pyroute2 encodes and decodes the messages (rtnetlink(7)); its own sockets are not used, because they bring an event loop
of their own and cannot be opened inside a namespace by one thread of a process.
"""

import socket
import struct
from dataclasses import dataclass
from typing import Any

from pyroute2.netlink import (  # type: ignore[import-untyped]
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    NLM_F_REQUEST,
)
from pyroute2.netlink.rtnl import (  # type: ignore[import-untyped]
    RTM_DELADDR,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWROUTE,
)
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg  # type: ignore[import-untyped]
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg  # type: ignore[import-untyped]
from pyroute2.netlink.rtnl.rtmsg import rtmsg  # type: ignore[import-untyped]

RTMGRP_LINK = 0x1
RTMGRP_IPV4_IFADDR = 0x10
IFF_UP = 0x1
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_HEADER = struct.Struct("=IHHII")
_TIMEOUT_S = 5.0
_UNICAST, _UNIVERSE, _MAIN_TABLE, _PROTOCOL_STATIC = 1, 0, 254, 4


@dataclass(frozen=True)
class Link:
    """A network interface of the namespace."""

    index: int
    name: str
    up: bool
    """IFF_UP: administratively up."""


class RouteSocket:
    """rtnetlink in the network namespace in which ``connection`` was opened."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.settimeout(_TIMEOUT_S)
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> "RouteSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def links(self) -> list[Link]:
        """All interfaces, loopback included."""
        return [_link(data) for data in self._ask(ifinfmsg(), RTM_GETLINK, NLM_F_DUMP)]

    def set_up(self, index: int, up: bool) -> None:
        """Set IFF_UP.

        Raises:
            OSError: the kernel refused; ENODEV: the interface is gone.
        """
        message = ifinfmsg()
        message["index"] = index
        message["flags"] = IFF_UP if up else 0
        message["change"] = IFF_UP
        self._ask(message, RTM_NEWLINK, NLM_F_ACK)

    def move(self, index: int, namespace_fd: int) -> None:
        """Move an interface into another namespace; it arrives there down, with the index it had where that is free.

        Raises:
            OSError: the kernel refused; ENODEV: the interface is gone.
        """
        message = ifinfmsg()
        message["index"] = index
        message["attrs"] = [("IFLA_NET_NS_FD", namespace_fd)]
        self._ask(message, RTM_NEWLINK, NLM_F_ACK)

    def add_address(self, index: int, address: str, prefix: int) -> None:
        """Give the interface an IPv4 address, or leave it where it has it.

        Raises:
            OSError: the kernel refused.
        """
        message = _address(index, address, prefix)
        self._ask(message, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE)

    def clear_addresses(self, index: int) -> list[str]:
        """Take every IPv4 address off the interface; routes through it go with them. Returns what was taken."""
        wanted = ifaddrmsg()
        wanted["family"] = socket.AF_INET
        taken = []
        for data in self._ask(wanted, RTM_GETADDR, NLM_F_DUMP):
            found = _decoded(ifaddrmsg, data)
            if found["index"] == index:
                address = str(found.get_attr("IFA_LOCAL"))
                self._ask(_address(index, address, found["prefixlen"]), RTM_DELADDR, NLM_F_ACK)
                taken.append(address)
        return taken

    def add_default_route(self, index: int, router: str) -> None:
        """Route 0.0.0.0/0 through ``router``, in place of a default route that is there.

        Raises:
            OSError: the kernel refused; ENETUNREACH: no address of the interface is in the router's network.
        """
        message = rtmsg()
        message["family"] = socket.AF_INET
        message["table"], message["proto"] = _MAIN_TABLE, _PROTOCOL_STATIC
        message["scope"], message["type"] = _UNIVERSE, _UNICAST
        message["attrs"] = [("RTA_GATEWAY", router), ("RTA_OIF", index)]
        self._ask(message, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE)

    def add_veth(self, name: str, peer: str) -> None:
        """Make a pair of interfaces.

        Raises:
            OSError: the kernel refused; EEXIST: a name is taken.
        """
        message = ifinfmsg()
        information = [("IFLA_INFO_KIND", "veth"), ("IFLA_INFO_DATA", {"attrs": [("VETH_INFO_PEER", _named(peer))]})]
        message["attrs"] = [("IFLA_IFNAME", name), ("IFLA_LINKINFO", {"attrs": information})]
        self._ask(message, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)

    def _ask(self, message: Any, kind: int, flags: int) -> list[bytes]:
        self._sequence += 1
        header = message["header"]
        header["type"], header["flags"], header["sequence_number"] = kind, NLM_F_REQUEST | flags, self._sequence
        message.encode()
        self._socket.send(bytes(message.data))
        answers: list[bytes] = []
        while not self._take(self._socket.recv(1 << 17), answers):
            pass
        return answers

    def _take(self, data: bytes, answers: list[bytes]) -> bool:
        """Sort one datagram's messages; True when the last of them ends the answer."""
        while len(data) >= _HEADER.size:
            length, kind, _, sequence, _ = _HEADER.unpack_from(data)
            if length < _HEADER.size:
                break
            if sequence == self._sequence:
                if kind == _NLMSG_DONE:
                    return True
                if kind == _NLMSG_ERROR:
                    _raise_error(data)
                    return True
                answers.append(data[:length])
            data = data[(length + 3) & ~3 :]
        return False


def _raise_error(data: bytes) -> None:
    (negative,) = struct.unpack_from("=i", data, _HEADER.size)
    if negative:
        raise OSError(-negative, f"rtnetlink: errno {-negative}")


def _decoded(kind: Any, data: bytes) -> Any:
    message = kind(data)
    message.decode()
    return message


def _link(data: bytes) -> Link:
    message = _decoded(ifinfmsg, data)
    return Link(message["index"], str(message.get_attr("IFLA_IFNAME")), bool(message["flags"] & IFF_UP))


def _address(index: int, address: str, prefix: int) -> Any:
    message = ifaddrmsg()
    message["family"], message["prefixlen"], message["index"] = socket.AF_INET, prefix, index
    message["attrs"] = [("IFA_LOCAL", address), ("IFA_ADDRESS", address)]
    return message


def _named(name: str) -> Any:
    return {"attrs": [("IFLA_IFNAME", name)]}
