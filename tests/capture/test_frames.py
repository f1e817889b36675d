"""One frame is one event."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.capture.frames import decode
from hil.timeline import events
from hil.timeline.events import Event
from hil.wire import arp, dhcp
from hil.wire.arp import ArpPacket
from hil.wire.dhcp import DhcpMessage
from hil.wire.ethernet import BROADCAST, EthernetFrame
from hil.wire.icmp import IcmpEcho
from hil.wire.ipv4 import Ipv4Packet
from hil.wire.udp import UdpDatagram

STAMP: dict[str, Any] = {"t_ns": 1, "t_err_ns": 0, "board": "s3-a", "source": "packet"}
BOARD, HOST = "02:02:11:22:33:02", "02:02:11:22:33:01"
IP_BOARD, IP_HOST = "192.168.7.1", "192.168.7.2"
XID = 0x1234


def ethernet(ethertype: int, payload: bytes) -> bytes:
    return EthernetFrame(BROADCAST, BOARD, ethertype, payload).pack()


def ip(protocol: int, payload: bytes, **more: Any) -> bytes:
    return ethernet(0x0800, Ipv4Packet(IP_BOARD, IP_HOST, protocol, payload, **more).pack())


def dhcp_frame(kind: int, op: int, *options: tuple[int, bytes], **fields: Any) -> bytes:
    message = DhcpMessage(op, XID, HOST, options=((53, bytes([kind])), *options), **fields)
    return dhcp.frame(message, HOST, BROADCAST, "0.0.0.0", "255.255.255.255")


ADDRESS = bytes((192, 168, 7, 2))
SERVER = (54, bytes((192, 168, 7, 1)))
LEASE = (51, (60).to_bytes(4, "big"))
ASKED = (55, bytes((1, 121, 3)))
WANTED = (50, ADDRESS)
DHCP_CASES = [
    (dhcp_frame(dhcp.DISCOVER, 1, ASKED), events.DhcpDiscover(XID, HOST, "1,121,3", "", "board", **STAMP)),
    (
        dhcp_frame(dhcp.OFFER, 2, SERVER, LEASE, yiaddr=IP_HOST),
        events.DhcpOffer(IP_HOST, IP_BOARD, 60, XID, HOST, "board", **STAMP),
    ),
    (
        dhcp_frame(dhcp.REQUEST, 1, WANTED, SERVER, ASKED),
        events.DhcpRequest(IP_HOST, IP_BOARD, XID, HOST, "1,121,3", "board", **STAMP),
    ),
    (
        dhcp_frame(dhcp.REQUEST, 1, ciaddr=IP_HOST),
        events.DhcpRequest(IP_HOST, "", XID, HOST, "", "board", **STAMP),
    ),
    (
        dhcp_frame(dhcp.ACK, 2, LEASE, yiaddr=IP_HOST),
        events.DhcpAck(IP_HOST, "", 60, XID, HOST, "board", **STAMP),
    ),
    (dhcp_frame(dhcp.NAK, 2, SERVER), events.DhcpNak(IP_BOARD, XID, HOST, "board", **STAMP)),
    (dhcp_frame(dhcp.DECLINE, 1, WANTED), events.DhcpDecline(IP_HOST, XID, HOST, "board", **STAMP)),
    (dhcp_frame(dhcp.RELEASE, 1, ciaddr=IP_HOST), events.DhcpRelease(IP_HOST, XID, HOST, "board", **STAMP)),
    (dhcp_frame(dhcp.INFORM, 1, ciaddr=IP_HOST), events.DhcpInform(IP_HOST, XID, HOST, "board", **STAMP)),
]


@pytest.mark.parametrize(("frame", "event"), DHCP_CASES, ids=[type(e).__name__ for _, e in DHCP_CASES])
def test_dhcp_message_is_told_by_option_53(frame: bytes, event: Event) -> None:
    """Each of the eight message types has its event, whatever the ports are."""
    assert decode(frame, "board", STAMP) == event


def test_arp_request_and_reply_are_told() -> None:
    """A probe keeps its sender address 0.0.0.0."""
    probe = ArpPacket(arp.REQUEST, BOARD, "0.0.0.0", "00:00:00:00:00:00", IP_BOARD).pack()
    reply = ArpPacket(arp.REPLY, BOARD, IP_BOARD, HOST, IP_HOST).pack()
    assert decode(ethernet(0x0806, probe), "board", STAMP) == events.ArpRequest(
        IP_BOARD, "0.0.0.0", BOARD, "board", **STAMP
    )
    assert decode(ethernet(0x0806, reply), "host", STAMP) == events.ArpReply(IP_BOARD, BOARD, IP_HOST, "host", **STAMP)


def test_echo_is_told() -> None:
    """An echo reply names both ends and its sequence number."""
    frame = ip(1, IcmpEcho(True, 7, 3, b"ping").pack())
    assert decode(frame, "board", STAMP) == events.IcmpEcho(True, IP_BOARD, IP_HOST, 7, 3, "board", **STAMP)


def test_udp_without_a_class_of_its_own_is_an_ip_packet() -> None:
    """mDNS is an IpPacket with its ports and the length of its frame."""
    frame = ip(17, UdpDatagram(5353, 5353, b"dns").pack(IP_BOARD, IP_HOST))
    expected = events.IpPacket("udp", IP_BOARD, 5353, IP_HOST, 5353, len(frame), "board", "", **STAMP)
    assert decode(frame, "board", STAMP) == expected


def test_fragment_has_no_ports() -> None:
    """What lies in a later fragment is not taken for a header."""
    told = decode(ip(17, b"\0" * 16, fragment_offset=1480), "board", STAMP)
    assert isinstance(told, events.IpPacket)
    assert (told.sport, told.dport) == (0, 0)


def test_checksum_left_to_the_hardware_is_not_blamed() -> None:
    """A frame whose sender has not made the checksum yet is decoded all the same; any other is malformed."""
    frame = bytearray(dhcp_frame(dhcp.DISCOVER, 1))
    frame[40] ^= 0xFF
    assert isinstance(decode(bytes(frame), "host", STAMP, checksums=False), events.DhcpDiscover)
    assert isinstance(decode(bytes(frame), "host", STAMP), events.MalformedFrame)


def test_vlan_and_ipv6_are_summed_up() -> None:
    """What is not decoded is still a frame with a summary."""
    vlan = decode(ethernet(0x8100, bytes((0x60, 5, 8, 0))), "board", STAMP)
    ipv6 = decode(ethernet(0x86DD, bytes(40)), "board", STAMP)
    assert isinstance(vlan, events.Frame)
    assert isinstance(ipv6, events.Frame)
    assert (vlan.summary, ipv6.summary) == ("VLAN 5, ethertype 0x0800", "IPv6")


def test_cut_frame_is_malformed() -> None:
    """A frame shorter than its header is told as malformed with its length."""
    told = decode(b"\xff" * 13, "board", STAMP)
    assert isinstance(told, events.MalformedFrame)
    assert told.length == 13


@given(st.binary(max_size=80), st.sampled_from((0x0800, 0x0806, 0x8100, 0)), st.booleans())
def test_any_bytes_are_one_event(payload: bytes, ethertype: int, checksums: bool) -> None:
    """No frame raises."""
    assert isinstance(decode(payload, "board", STAMP), Event)
    assert isinstance(decode(ethernet(ethertype, payload), "board", STAMP, checksums), Event)


@given(st.integers(0, 400), st.integers(0, 255), st.integers(0, 500))
def test_any_damage_to_a_lease_is_one_event(at: int, value: int, end: int) -> None:
    """No change of one byte and no cut of a real DHCP frame raises."""
    frame = bytearray(DHCP_CASES[1][0])
    frame[at % len(frame)] = value
    assert isinstance(decode(bytes(frame[:end]), "board", STAMP, checksums=False), Event)
