"""rtnetlink messages about links and addresses (Linux include/uapi/linux/rtnetlink.h, if_link.h, if_addr.h).

A datagram of a NETLINK_ROUTE socket holds one or more messages: a header of 16 bytes, a body of fixed form, then
attributes, all in host byte order and padded to four bytes. Requests are made by :mod:`hil.wire.rtnetlink_requests`.
"""

import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from hil.errors import WireError

RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR = 16, 17, 20, 21
NLMSG_ERROR, NLMSG_DONE = 2, 3
IFF_UP, IFF_LOOPBACK, IFF_LOWER_UP = 0x1, 0x8, 0x10000
OPERSTATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")

IFLA_ADDRESS, IFLA_IFNAME, IFLA_OPERSTATE = 1, 3, 16
IFA_ADDRESS, IFA_LOCAL = 1, 2
AF_INET = 2

_order = "<" if sys.byteorder == "little" else ">"
HEADER = struct.Struct(_order + "IHHII")
"""Length, type, flags, sequence, port."""
IFINFO = struct.Struct(_order + "BxHiII")
"""Family, hardware type, index, flags, mask of the flags to change."""
IFADDR = struct.Struct(_order + "BBBBI")
"""Family, prefix length, flags, scope, index."""
ATTRIBUTE = struct.Struct(_order + "HH")
"""Length with this header, type."""
_ERROR = struct.Struct(_order + "i")


@dataclass(frozen=True, slots=True)
class Link:
    """RTM_NEWLINK or RTM_DELLINK."""

    deleted: bool
    index: int
    name: str
    mac: str
    flags: int
    operstate: str

    @property
    def admin_up(self) -> bool:
        return bool(self.flags & IFF_UP)

    @property
    def carrier(self) -> bool:
        return bool(self.flags & IFF_LOWER_UP)

    @property
    def loopback(self) -> bool:
        return bool(self.flags & IFF_LOOPBACK)


@dataclass(frozen=True, slots=True)
class Address:
    """RTM_NEWADDR or RTM_DELADDR of an IPv4 address."""

    deleted: bool
    index: int
    address: str
    prefix: int


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a datagram, its body not looked into."""

    kind: int
    sequence: int
    body: bytes

    @property
    def error(self) -> int:
        """Of an NLMSG_ERROR: the errno, 0 where the request was granted.

        Raises:
            WireError: the message is cut.
        """
        if len(self.body) < _ERROR.size:
            raise WireError(f"nlmsgerr is cut: {len(self.body)} of {_ERROR.size} bytes")
        return -int(_ERROR.unpack_from(self.body)[0])


def parse(datagram: bytes) -> list[Link | Address]:
    """The link and IPv4 address messages of a datagram, in order; others are passed over.

    Raises:
        WireError: a length runs past the end, or a fixed part is cut.
    """
    found = (item(message) for message in messages(datagram))
    return [each for each in found if each is not None]


def item(message: Message) -> Link | Address | None:
    """The link or IPv4 address that a message is about; None for any other.

    Raises:
        WireError: it is cut.
    """
    if message.kind in (RTM_NEWLINK, RTM_DELLINK):
        return _link(message.body, message.kind == RTM_DELLINK)
    if message.kind in (RTM_NEWADDR, RTM_DELADDR):
        return _address(message.body, message.kind == RTM_DELADDR)
    return None


def messages(datagram: bytes) -> Iterator[Message]:
    """The messages of a datagram.

    Raises:
        WireError: a length runs past the end.
    """
    at = 0
    while at < len(datagram):
        if len(datagram) - at < HEADER.size:
            raise WireError(f"netlink header at {at} is cut: {len(datagram) - at} of {HEADER.size} bytes")
        length, kind, _, sequence, _ = HEADER.unpack_from(datagram, at)
        if length < HEADER.size or at + length > len(datagram):
            raise WireError(f"netlink message at {at} says {length} bytes; {len(datagram) - at} are there")
        yield Message(kind, sequence, datagram[at + HEADER.size : at + length])
        at += (length + 3) & ~3


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at + ATTRIBUTE.size <= len(data):
        length, kind = ATTRIBUTE.unpack_from(data, at)
        if length < ATTRIBUTE.size or at + length > len(data):
            raise WireError(f"netlink attribute at {at} says {length} bytes; {len(data) - at} are there")
        found[kind & 0x3FFF] = data[at + ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    return found


def _link(body: bytes, deleted: bool) -> Link:
    if len(body) < IFINFO.size:
        raise WireError(f"ifinfomsg is cut: {len(body)} of {IFINFO.size} bytes")
    _, _, index, flags, _ = IFINFO.unpack_from(body)
    attributes = _attributes(body[IFINFO.size :])
    state = attributes.get(IFLA_OPERSTATE, b"\0")[:1]
    number = state[0] if state else 0
    return Link(
        deleted=deleted,
        index=index,
        name=attributes.get(IFLA_IFNAME, b"").rstrip(b"\0").decode("utf-8", "replace"),
        mac=attributes.get(IFLA_ADDRESS, b"").hex(":"),
        flags=flags,
        operstate=OPERSTATES[number] if number < len(OPERSTATES) else "unknown",
    )


def _address(body: bytes, deleted: bool) -> Address | None:
    if len(body) < IFADDR.size:
        raise WireError(f"ifaddrmsg is cut: {len(body)} of {IFADDR.size} bytes")
    family, prefix, _, _, index = IFADDR.unpack_from(body)
    attributes = _attributes(body[IFADDR.size :])
    raw = attributes.get(IFA_LOCAL, attributes.get(IFA_ADDRESS, b""))
    if family != AF_INET or len(raw) != 4:
        return None
    return Address(deleted=deleted, index=index, address=".".join(map(str, raw)), prefix=prefix)
