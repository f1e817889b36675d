"""DHCP messages (RFC 2131) and their options (RFC 2132), long and overloaded ones included (RFC 3396).

``parse`` joins the options of the options field, ``file`` and ``sname`` (option 52) in this order, and joins options of
one code into one value at the place of the first (RFC 3396 sections 5 and 7). Options whose length a client depends on
are checked, so that reading them from a parsed message never fails.
"""

from dataclasses import dataclass
from typing import Self

from hil.errors import WireError
from hil.wire.addresses import ipv4_bytes, ipv4_text, mac_bytes, mac_text
from hil.wire.ethernet import ETHERTYPE_IPV4, EthernetFrame
from hil.wire.ipv4 import PROTOCOL_UDP, Ipv4Packet
from hil.wire.layout import Layout
from hil.wire.udp import UdpDatagram

BOOTREQUEST = 1
BOOTREPLY = 2
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
MESSAGE_NAMES = ("", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM")
SERVER_PORT = 67
CLIENT_PORT = 68

OPTION_PAD = 0
OPTION_SUBNET_MASK = 1
OPTION_ROUTER = 3
OPTION_DNS = 6
OPTION_HOST_NAME = 12
OPTION_BROADCAST = 28
OPTION_REQUESTED_ADDRESS = 50
OPTION_LEASE_TIME = 51
OPTION_OVERLOAD = 52
OPTION_MESSAGE_TYPE = 53
OPTION_SERVER_ID = 54
OPTION_PARAMETER_LIST = 55
OPTION_MESSAGE = 56
OPTION_MAX_SIZE = 57
OPTION_RENEWAL_TIME = 58
OPTION_REBINDING_TIME = 59
OPTION_CLIENT_ID = 61
OPTION_END = 255

OPTION_LENGTHS = {
    OPTION_SUBNET_MASK: 4,
    OPTION_BROADCAST: 4,
    OPTION_REQUESTED_ADDRESS: 4,
    OPTION_LEASE_TIME: 4,
    OPTION_MESSAGE_TYPE: 1,
    OPTION_SERVER_ID: 4,
    OPTION_MAX_SIZE: 2,
    OPTION_RENEWAL_TIME: 4,
    OPTION_REBINDING_TIME: 4,
}
"""RFC 2132; the lengths that ``parse`` insists on, in bytes."""

ADDRESS_LISTS = frozenset((OPTION_ROUTER, OPTION_DNS))
"""Options of one or more addresses of 4 bytes."""

FIXED = Layout("DHCP message", ">BBBBIHH4s4s4s4s16s64s128s4s")
COOKIE = b"\x63\x82\x53\x63"
MIN_LENGTH = 300
"""RFC 1542 section 2.1: a BOOTP message shorter than this is padded."""
ETHERNET = (1, 6)
OVERLOADS_FILE = 1
OVERLOADS_SNAME = 2

Option = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class DhcpMessage:
    """One DHCP or BOOTP message of an Ethernet client."""

    op: int
    """:data:`BOOTREQUEST` or :data:`BOOTREPLY`."""
    xid: int
    chaddr: str
    ciaddr: str = "0.0.0.0"
    yiaddr: str = "0.0.0.0"
    siaddr: str = "0.0.0.0"
    giaddr: str = "0.0.0.0"
    secs: int = 0
    flags: int = 0
    """0x8000 asks for broadcast answers."""
    options: tuple[Option, ...] = ()
    """``(code, value)`` in wire order, without pad, end and overload."""
    sname: bytes = b""
    """Server host name, NUL padding removed; empty where option 52 put options there."""
    file: bytes = b""
    """Boot file name, likewise."""
    hops: int = 0

    @property
    def message_type(self) -> int:
        """Option 53, :data:`DISCOVER` to :data:`INFORM`; 0 where the message has none (plain BOOTP)."""
        value = self.option(OPTION_MESSAGE_TYPE)
        return value[0] if value else 0

    def option(self, code: int) -> bytes | None:
        """The value of an option, or None where the message does not have it."""
        return next((value for found, value in self.options if found == code), None)

    def address_option(self, code: int) -> str | None:
        """The first address of an option; WireError where it is not made of addresses."""
        value = self.option(code)
        if value is None:
            return None
        if not value or len(value) % 4:
            raise WireError(f"DHCP option {code}: {len(value)} bytes, expected addresses of 4")
        return ipv4_text(value[:4])

    def u32_option(self, code: int) -> int | None:
        """A number such as a lease time in seconds; WireError where it is not 4 bytes long."""
        value = self.option(code)
        if value is None:
            return None
        if len(value) != 4:
            raise WireError(f"DHCP option {code}: {len(value)} bytes, expected 4")
        return int.from_bytes(value, "big")

    def pack(self) -> bytes:
        """The message, padded to :data:`MIN_LENGTH`; options over 255 bytes are split (RFC 3396)."""
        addresses = (ipv4_bytes(text) for text in (self.ciaddr, self.yiaddr, self.siaddr, self.giaddr))
        front = (self.op, *ETHERNET, self.hops, self.xid, self.secs, self.flags)
        if len(self.sname) > 64 or len(self.file) > 128:
            raise WireError(f"DHCP sname has {len(self.sname)} bytes of 64, file {len(self.file)} of 128")
        fixed = FIXED.pack(*front, *addresses, mac_bytes(self.chaddr), self.sname, self.file, COOKIE)
        body = b"".join(_pack_option(code, value) for code, value in self.options)
        return (fixed + body + bytes([OPTION_END])).ljust(MIN_LENGTH, b"\0")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        op, htype, hlen, hops, xid, secs, flags, *addresses, chaddr, sname, file, cookie = FIXED.unpack(data)
        if cookie != COOKIE:
            raise WireError(f"DHCP message: magic cookie is {cookie.hex()}, expected {COOKIE.hex()}")
        if (htype, hlen) != ETHERNET:
            raise WireError(f"DHCP message: htype {htype} hlen {hlen}, expected Ethernet {ETHERNET}")
        if op not in (BOOTREQUEST, BOOTREPLY):
            raise WireError(f"DHCP message: op {op}, expected 1 or 2")
        options, overload = _all_options(data[FIXED.size :], file, sname)
        ciaddr, yiaddr, siaddr, giaddr = (ipv4_text(address) for address in addresses)
        return cls(
            op=op,
            xid=xid,
            chaddr=mac_text(chaddr[:6]),
            ciaddr=ciaddr,
            yiaddr=yiaddr,
            siaddr=siaddr,
            giaddr=giaddr,
            secs=secs,
            flags=flags,
            options=options,
            sname=b"" if overload & OVERLOADS_SNAME else sname.rstrip(b"\0"),
            file=b"" if overload & OVERLOADS_FILE else file.rstrip(b"\0"),
            hops=hops,
        )


def _pack_option(code: int, value: bytes) -> bytes:
    if not OPTION_PAD < code < OPTION_END:
        raise WireError(f"DHCP option {code}: expected 1..254")
    pieces = [value[at : at + 255] for at in range(0, len(value), 255)] or [b""]
    return b"".join(bytes((code, len(piece))) + piece for piece in pieces)


def _all_options(field: bytes, file: bytes, sname: bytes) -> tuple[tuple[Option, ...], int]:
    """Joined and checked options of all three fields, and the value of option 52."""
    found = _field_options(field, "options")
    overload = _overload(found)
    if overload & OVERLOADS_FILE:
        found += _field_options(file, "file")
    if overload & OVERLOADS_SNAME:
        found += _field_options(sname, "sname")
    joined: dict[int, bytearray] = {}
    for code, value in found:
        joined.setdefault(code, bytearray()).extend(value)
    joined.pop(OPTION_OVERLOAD, None)
    for code, whole in joined.items():
        _check_length(code, len(whole))
    return tuple((code, bytes(whole)) for code, whole in joined.items()), overload


def _overload(options: list[Option]) -> int:
    value = next((value for code, value in options if code == OPTION_OVERLOAD), None)
    if value is None:
        return 0
    if len(value) != 1 or not 1 <= value[0] <= 3:
        raise WireError(f"DHCP option 52: {value.hex()!r}, expected 01, 02 or 03")
    return value[0]


def _check_length(code: int, length: int) -> None:
    wanted = OPTION_LENGTHS.get(code)
    if wanted is not None and length != wanted:
        raise WireError(f"DHCP option {code}: {length} bytes, expected {wanted}")
    if code in ADDRESS_LISTS and (length == 0 or length % 4):
        raise WireError(f"DHCP option {code}: {length} bytes, expected addresses of 4")


def _field_options(field: bytes, name: str) -> list[Option]:
    """Options of one field in order; a field that ends without option 255 is accepted."""
    options = []
    at = 0
    while at < len(field) and field[at] != OPTION_END:
        code = field[at]
        at += 1
        if code == OPTION_PAD:
            continue
        end = at + 1 + (field[at] if at < len(field) else len(field))
        if end > len(field):
            raise WireError(f"DHCP option {code}: runs past the end of the {name} field at byte {at - 1}")
        options.append((code, field[at + 1 : end]))
        at = end
    return options


def frame(message: DhcpMessage, src_mac: str, dst_mac: str, src_ip: str, dst_ip: str) -> bytes:
    """The Ethernet frame of a message, from the client's port to the server's, or back for a reply."""
    reply = message.op == BOOTREPLY
    sport, dport = (SERVER_PORT, CLIENT_PORT) if reply else (CLIENT_PORT, SERVER_PORT)
    datagram = UdpDatagram(sport, dport, message.pack()).pack(src_ip, dst_ip)
    packet = Ipv4Packet(src_ip, dst_ip, PROTOCOL_UDP, datagram).pack()
    return EthernetFrame(dst_mac, src_mac, ETHERTYPE_IPV4, packet).pack()


def from_frame(frame: bytes) -> DhcpMessage | None:
    """The message in an Ethernet frame; None where the frame is no whole datagram to port 67 or 68.

    Raises:
        WireError: it is one and some layer of it is malformed, checksums included.
    """
    ethernet = EthernetFrame.parse(frame)
    if ethernet.ethertype != ETHERTYPE_IPV4:
        return None
    packet = Ipv4Packet.parse(ethernet.payload)
    if packet.protocol != PROTOCOL_UDP or packet.is_fragment:
        return None
    if UdpDatagram.parse(packet.payload).dport not in (SERVER_PORT, CLIENT_PORT):
        return None
    return DhcpMessage.parse(UdpDatagram.parse(packet.payload, packet.src, packet.dst).payload)
