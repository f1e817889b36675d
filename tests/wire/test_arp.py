"""ARP packets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.addresses import ipv4_text, mac_text
from hil.wire.arp import REPLY, REQUEST, UNSPECIFIED_IP, UNSPECIFIED_MAC, ArpPacket

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)
MACS = st.binary(min_size=6, max_size=6).map(mac_text)
IPS = st.binary(min_size=4, max_size=4).map(ipv4_text)
BOARD = ("02:02:11:22:33:02", "192.168.7.1")


@PURE
@given(st.builds(ArpPacket, st.integers(0, 0xFFFF), MACS, IPS, MACS, IPS), st.binary(max_size=18))
def test_a_packet_survives_the_round_trip_with_padding(packet: ArpPacket, padding: bytes) -> None:
    """Padding of a short frame is ignored."""
    assert ArpPacket.parse(packet.pack() + padding) == packet


@PURE
@given(st.one_of(st.binary(max_size=40), st.binary(max_size=30).map(bytes.fromhex("0001080006040001").__add__)))
def test_any_bytes_are_a_packet_or_a_wire_error(data: bytes) -> None:
    """What parses packs to the same 28 bytes."""
    try:
        packet = ArpPacket.parse(data)
    except WireError:
        return
    assert packet.pack() == data[:28]


def test_another_protocol_than_ipv4_is_refused() -> None:
    """The message holds what was found and what is known."""
    data = bytearray(ArpPacket(REQUEST, *BOARD, *BOARD).pack())
    data[3] = 1
    with pytest.raises(WireError, match=r"\[1, 2049, 6, 4\], known: \(1, 2048, 6, 4\)"):
        ArpPacket.parse(bytes(data))


@pytest.mark.parametrize(
    ("packet", "probe", "announcement"),
    [
        (ArpPacket(REQUEST, BOARD[0], UNSPECIFIED_IP, UNSPECIFIED_MAC, BOARD[1]), True, False),
        (ArpPacket(REQUEST, *BOARD, UNSPECIFIED_MAC, BOARD[1]), False, True),
        (ArpPacket(REQUEST, *BOARD, UNSPECIFIED_MAC, "192.168.7.9"), False, False),
        (ArpPacket(REPLY, *BOARD, UNSPECIFIED_MAC, BOARD[1]), False, False),
        (ArpPacket(REQUEST, BOARD[0], UNSPECIFIED_IP, UNSPECIFIED_MAC, UNSPECIFIED_IP), True, False),
    ],
)
def test_probes_and_announcements_are_told_apart(packet: ArpPacket, probe: bool, announcement: bool) -> None:
    """RFC 5227 section 1.1."""
    assert (packet.is_probe, packet.is_announcement) == (probe, announcement)


@pytest.mark.slow
def test_scapy_reads_what_is_packed() -> None:
    """The independent reader sees the same fields."""
    from scapy.layers.l2 import ARP

    seen = ARP(ArpPacket(REPLY, *BOARD, "02:02:11:22:33:01", "192.168.7.2").pack())
    assert (seen.op, seen.hwsrc, seen.psrc, seen.pdst) == (2, *BOARD, "192.168.7.2")
