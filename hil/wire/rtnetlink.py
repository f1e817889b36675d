"""rtnetlink messages about links and addresses (Linux include/uapi/linux/rtnetlink.h, if_link.h, if_addr.h).

A datagram of a NETLINK_ROUTE socket holds one or more messages: a header of 16 bytes, a body of fixed form, then
attributes, all in host byte order and padded to four bytes.
"""

import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from hil.errors import WireError

RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR = 16, 17, 20, 21
RTM_GETLINK = 18
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
IFF_UP, IFF_LOOPBACK, IFF_LOWER_UP = 0x1, 0x8, 0x10000
OPERSTATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")

_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_OPERSTATE = 1, 3, 16
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_AF_INET = 2

_order = "<" if sys.byteorder == "little" else ">"
_HEADER = struct.Struct(_order + "IHHII")
_IFINFO = struct.Struct(_order + "BxHiII")
_IFADDR = struct.Struct(_order + "BBBBI")
_ATTRIBUTE = struct.Struct(_order + "HH")


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


def dump_links(sequence: int = 1) -> bytes:
    """The request that makes the kernel report every link."""
    body = _IFINFO.pack(0, 0, 0, 0, 0)
    return _HEADER.pack(_HEADER.size + len(body), RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, sequence, 0) + body


def parse(datagram: bytes) -> list[Link | Address]:
    """The link and IPv4 address messages of a datagram, in order; others are passed over.

    Raises:
        WireError: a length runs past the end, or a fixed part is cut.
    """
    found: list[Link | Address] = []
    for kind, body in _messages(datagram):
        if kind in (RTM_NEWLINK, RTM_DELLINK):
            found.append(_link(body, kind == RTM_DELLINK))
        elif kind in (RTM_NEWADDR, RTM_DELADDR):
            address = _address(body, kind == RTM_DELADDR)
            if address is not None:
                found.append(address)
    return found


def _messages(datagram: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(datagram):
        if len(datagram) - at < _HEADER.size:
            raise WireError(f"netlink header at {at} is cut: {len(datagram) - at} of {_HEADER.size} bytes")
        length, kind, _, _, _ = _HEADER.unpack_from(datagram, at)
        if length < _HEADER.size or at + length > len(datagram):
            raise WireError(f"netlink message at {at} says {length} bytes; {len(datagram) - at} are there")
        yield kind, datagram[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size or at + length > len(data):
            raise WireError(f"netlink attribute at {at} says {length} bytes; {len(data) - at} are there")
        found[kind & 0x3FFF] = data[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    return found


def _link(body: bytes, deleted: bool) -> Link:
    if len(body) < _IFINFO.size:
        raise WireError(f"ifinfomsg is cut: {len(body)} of {_IFINFO.size} bytes")
    _, _, index, flags, _ = _IFINFO.unpack_from(body)
    attributes = _attributes(body[_IFINFO.size :])
    state = attributes.get(_IFLA_OPERSTATE, b"\0")[:1]
    number = state[0] if state else 0
    return Link(
        deleted=deleted,
        index=index,
        name=attributes.get(_IFLA_IFNAME, b"").rstrip(b"\0").decode("utf-8", "replace"),
        mac=attributes.get(_IFLA_ADDRESS, b"").hex(":"),
        flags=flags,
        operstate=OPERSTATES[number] if number < len(OPERSTATES) else "unknown",
    )


def _address(body: bytes, deleted: bool) -> Address | None:
    if len(body) < _IFADDR.size:
        raise WireError(f"ifaddrmsg is cut: {len(body)} of {_IFADDR.size} bytes")
    family, prefix, _, _, index = _IFADDR.unpack_from(body)
    attributes = _attributes(body[_IFADDR.size :])
    raw = attributes.get(_IFA_LOCAL, attributes.get(_IFA_ADDRESS, b""))
    if family != _AF_INET or len(raw) != 4:
        return None
    return Address(deleted=deleted, index=index, address=".".join(map(str, raw)), prefix=prefix)
