"""One Ethernet frame as one event, decoded once and never again.

What :mod:`hil.wire` refuses becomes a :class:`~hil.timeline.events.MalformedFrame` with its words; the bytes
themselves are in the pcapng file.
"""

from collections.abc import Callable
from typing import Any

from hil.errors import WireError
from hil.timeline import events
from hil.timeline.events import Event
from hil.wire import arp, dhcp, icmp, ipv4
from hil.wire.arp import ArpPacket
from hil.wire.dhcp import DhcpMessage
from hil.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, ETHERTYPE_VLAN, EthernetFrame
from hil.wire.icmp import IcmpEcho
from hil.wire.ipv4 import Ipv4Packet
from hil.wire.tcp import TcpHeader
from hil.wire.udp import UdpDatagram

PROTOCOLS = {ipv4.PROTOCOL_ICMP: "icmp", ipv4.PROTOCOL_TCP: "tcp", ipv4.PROTOCOL_UDP: "udp"}
DHCP_PORTS = (dhcp.SERVER_PORT, dhcp.CLIENT_PORT)
LONGEST_LENGTH_FIELD = 1500
"""IEEE 802.3 3.2.6: up to this the field after the addresses is a length, from 1536 on a type."""


def decode(data: bytes, sender: str, stamp: dict[str, Any], checksums: bool = True) -> Event:
    """The event of one frame.

    Args:
        data: from the destination address on, without frame check sequence.
        sender: 'board' or 'host'.
        stamp: the four stamp fields.
        checksums: False for a frame whose transport checksum the sending kernel has left to the hardware.
    """
    try:
        frame = EthernetFrame.parse(data)
        if frame.ethertype == ETHERTYPE_ARP:
            return _arp(ArpPacket.parse(frame.payload), len(data), frame, sender, stamp)
        if frame.ethertype == ETHERTYPE_IPV4:
            return _ipv4(Ipv4Packet.parse(frame.payload), len(data), sender, stamp, checksums)
    except WireError as error:
        return events.MalformedFrame(sender, len(data), str(error), **stamp)
    return _frame(frame, len(data), sender, stamp, _summary(frame))


def _frame(frame: EthernetFrame, length: int, sender: str, stamp: dict[str, Any], summary: str) -> Event:
    return events.Frame(sender, frame.ethertype, length, frame.src, frame.dst, summary, **stamp)


def _summary(frame: EthernetFrame) -> str:
    if frame.ethertype == ETHERTYPE_IPV6:
        return "IPv6"
    if frame.ethertype == ETHERTYPE_VLAN and len(frame.payload) >= 4:
        tag, inner = int.from_bytes(frame.payload[:2], "big"), int.from_bytes(frame.payload[2:4], "big")
        return f"VLAN {tag & 0xFFF}, ethertype 0x{inner:04x}"
    if frame.ethertype <= LONGEST_LENGTH_FIELD:
        return f"IEEE 802.3, length {frame.ethertype}"
    return f"ethertype 0x{frame.ethertype:04x}"


def _arp(packet: ArpPacket, length: int, frame: EthernetFrame, sender: str, stamp: dict[str, Any]) -> Event:
    if packet.op == arp.REQUEST:
        return events.ArpRequest(packet.target_ip, packet.sender_ip, packet.sender_mac, sender, **stamp)
    if packet.op == arp.REPLY:
        return events.ArpReply(packet.sender_ip, packet.sender_mac, packet.target_ip, sender, **stamp)
    return _frame(frame, length, sender, stamp, f"ARP operation {packet.op}")


def _ipv4(packet: Ipv4Packet, length: int, sender: str, stamp: dict[str, Any], checksums: bool) -> Event:
    sport = dport = 0
    flags = ""
    if packet.protocol == ipv4.PROTOCOL_UDP and not packet.is_fragment:
        datagram = UdpDatagram.parse(packet.payload, *((packet.src, packet.dst) if checksums else ()))
        message = _dhcp(DhcpMessage.parse(datagram.payload), sender, stamp) if datagram.dport in DHCP_PORTS else None
        if message is not None:
            return message
        sport, dport = datagram.sport, datagram.dport
    elif packet.protocol == ipv4.PROTOCOL_TCP and not packet.is_fragment:
        header = TcpHeader.parse(packet.payload)
        sport, dport, flags = header.sport, header.dport, header.flag_letters
    elif packet.protocol == ipv4.PROTOCOL_ICMP and not packet.is_fragment and icmp.is_echo(packet.payload):
        echo = IcmpEcho.parse(packet.payload)
        return events.IcmpEcho(echo.reply, packet.src, packet.dst, echo.ident, echo.sequence, sender, **stamp)
    protocol = PROTOCOLS.get(packet.protocol, str(packet.protocol))
    return events.IpPacket(protocol, packet.src, sport, packet.dst, dport, length, sender, flags, **stamp)


def _dhcp(message: DhcpMessage, sender: str, stamp: dict[str, Any]) -> Event | None:
    """The event of a DHCP message; None for plain BOOTP and for types after INFORM."""
    known = _DHCP.get(message.message_type)
    if known is None:
        return None
    kind, values = known
    return kind(*values(message), sender, **stamp)


def _wanted(message: DhcpMessage) -> str:
    return message.address_option(dhcp.OPTION_REQUESTED_ADDRESS) or ""


def _server(message: DhcpMessage) -> str:
    return message.address_option(dhcp.OPTION_SERVER_ID) or ""


def _lease_s(message: DhcpMessage) -> int:
    return message.u32_option(dhcp.OPTION_LEASE_TIME) or 0


def _asked(message: DhcpMessage) -> str:
    return ",".join(map(str, message.option(dhcp.OPTION_PARAMETER_LIST) or b""))


_Values = Callable[[DhcpMessage], tuple[Any, ...]]
_DHCP: dict[int, tuple[Callable[..., Event], _Values]] = {
    dhcp.DISCOVER: (events.DhcpDiscover, lambda m: (m.xid, m.chaddr, _asked(m), _wanted(m))),
    dhcp.OFFER: (events.DhcpOffer, lambda m: (m.yiaddr, _server(m), _lease_s(m), m.xid, m.chaddr)),
    dhcp.REQUEST: (
        events.DhcpRequest,
        lambda m: (_wanted(m) or m.ciaddr, _server(m), m.xid, m.chaddr, _asked(m)),
    ),
    dhcp.ACK: (events.DhcpAck, lambda m: (m.yiaddr, _server(m), _lease_s(m), m.xid, m.chaddr)),
    dhcp.NAK: (events.DhcpNak, lambda m: (_server(m), m.xid, m.chaddr)),
    dhcp.DECLINE: (events.DhcpDecline, lambda m: (_wanted(m), m.xid, m.chaddr)),
    dhcp.RELEASE: (events.DhcpRelease, lambda m: (m.ciaddr, m.xid, m.chaddr)),
    dhcp.INFORM: (events.DhcpInform, lambda m: (m.ciaddr, m.xid, m.chaddr)),
}
"""Event by option 53, and its fields before the sender."""
