"""Requests to rtnetlink about links, IPv4 addresses and the default route (rtnetlink(7), veth(4)).

Every function returns one message, to be sent as a datagram of its own. All but the dumps ask for an acknowledgement:
an NLMSG_ERROR with the errno, 0 where the kernel has done it.
"""

import struct

from hil.wire.addresses import ipv4_bytes
from hil.wire.rtnetlink import (
    AF_INET,
    ATTRIBUTE,
    HEADER,
    IFA_ADDRESS,
    IFA_LOCAL,
    IFADDR,
    IFF_UP,
    IFINFO,
    IFLA_IFNAME,
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_NEWADDR,
    RTM_NEWLINK,
)

RTM_GETLINK, RTM_GETADDR, RTM_NEWROUTE = 18, 22, 24
NLM_F_REQUEST, NLM_F_ACK = 0x1, 0x4
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_DUMP, NLM_F_CREATE = 0x100, 0x200, 0x300, 0x400
IFLA_LINKINFO, IFLA_NET_NS_FD = 18, 28
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
VETH_INFO_PEER = 1
RTA_OIF, RTA_GATEWAY = 4, 5
_RTMSG = struct.Struct("=BBBBBBBBI")
"""Family, destination and source prefix, TOS, table, protocol, scope, type, flags."""
_MAIN_TABLE, _PROTOCOL_STATIC, _SCOPE_UNIVERSE, _UNICAST = 254, 4, 0, 1


def dump_links(sequence: int = 1) -> bytes:
    """Makes the kernel report every link, and NLMSG_DONE."""
    return _message(RTM_GETLINK, NLM_F_DUMP, sequence, IFINFO.pack(0, 0, 0, 0, 0))


def dump_addresses(sequence: int = 1) -> bytes:
    """Makes the kernel report every IPv4 address, and NLMSG_DONE."""
    return _message(RTM_GETADDR, NLM_F_DUMP, sequence, IFADDR.pack(AF_INET, 0, 0, 0, 0))


def set_up(index: int, up: bool, sequence: int = 1) -> bytes:
    """Sets or clears IFF_UP."""
    return _message(RTM_NEWLINK, NLM_F_ACK, sequence, IFINFO.pack(0, 0, index, IFF_UP if up else 0, IFF_UP))


def move(index: int, namespace_fd: int, sequence: int = 1) -> bytes:
    """Moves a link into the namespace of that descriptor."""
    where = _attribute(IFLA_NET_NS_FD, struct.pack("=I", namespace_fd))
    return _message(RTM_NEWLINK, NLM_F_ACK, sequence, IFINFO.pack(0, 0, index, 0, 0) + where)


def delete_link(index: int, sequence: int = 1) -> bytes:
    """Removes a link, and with a veth its peer."""
    return _message(RTM_DELLINK, NLM_F_ACK, sequence, IFINFO.pack(0, 0, index, 0, 0))


def new_veth(name: str, peer: str, peer_namespace_fd: int | None = None, sequence: int = 1) -> bytes:
    """Makes a veth pair, the peer in the namespace of that descriptor or here; both are down."""
    there = b"" if peer_namespace_fd is None else _attribute(IFLA_NET_NS_FD, struct.pack("=I", peer_namespace_fd))
    far_end = _attribute(VETH_INFO_PEER, IFINFO.pack(0, 0, 0, 0, 0) + _name(peer) + there)
    kind = _attribute(IFLA_INFO_KIND, b"veth") + _attribute(IFLA_INFO_DATA, far_end)
    body = IFINFO.pack(0, 0, 0, 0, 0) + _name(name) + _attribute(IFLA_LINKINFO, kind)
    return _message(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sequence, body)


def new_address(index: int, address: str, prefix: int, sequence: int = 1) -> bytes:
    """Gives a link an IPv4 address, or leaves it where it has it."""
    return _message(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, sequence, _address(index, address, prefix))


def delete_address(index: int, address: str, prefix: int, sequence: int = 1) -> bytes:
    """Takes an IPv4 address off a link; routes through it go with it."""
    return _message(RTM_DELADDR, NLM_F_ACK, sequence, _address(index, address, prefix))


def new_default_route(index: int, router: str, sequence: int = 1) -> bytes:
    """Routes 0.0.0.0/0 through ``router``, in place of a default route that is there."""
    fixed = _RTMSG.pack(AF_INET, 0, 0, 0, _MAIN_TABLE, _PROTOCOL_STATIC, _SCOPE_UNIVERSE, _UNICAST, 0)
    through = _attribute(RTA_GATEWAY, ipv4_bytes(router)) + _attribute(RTA_OIF, struct.pack("=I", index))
    return _message(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, sequence, fixed + through)


def _message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(body), kind, NLM_F_REQUEST | flags, sequence, 0) + body


def _attribute(kind: int, payload: bytes) -> bytes:
    length = ATTRIBUTE.size + len(payload)
    return ATTRIBUTE.pack(length, kind) + payload + bytes(-length % 4)


def _name(name: str) -> bytes:
    return _attribute(IFLA_IFNAME, name.encode() + b"\0")


def _address(index: int, address: str, prefix: int) -> bytes:
    raw = ipv4_bytes(address)
    return IFADDR.pack(AF_INET, prefix, 0, 0, index) + _attribute(IFA_LOCAL, raw) + _attribute(IFA_ADDRESS, raw)
