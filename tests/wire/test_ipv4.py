"""IPv4 packets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.addresses import ipv4_text
from hil.wire.ipv4 import Ipv4Packet

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=80)
IPS = st.binary(min_size=4, max_size=4).map(ipv4_text)
PACKETS = st.builds(
    Ipv4Packet,
    src=IPS,
    dst=IPS,
    protocol=st.integers(0, 255),
    payload=st.binary(max_size=80),
    ttl=st.integers(0, 255),
    ident=st.integers(0, 0xFFFF),
    fragment_offset=st.integers(0, 0x1FFF).map((8).__mul__),
    more_fragments=st.booleans(),
    dont_fragment=st.booleans(),
    tos=st.integers(0, 255),
    options=st.integers(0, 10).flatmap(lambda words: st.binary(min_size=4 * words, max_size=4 * words)),
)
PACKET = Ipv4Packet("192.168.7.1", "192.168.7.2", 17, b"payload")


@PURE
@given(PACKETS, st.binary(max_size=20))
def test_a_packet_survives_the_round_trip_with_padding(packet: Ipv4Packet, padding: bytes) -> None:
    """What the frame adds after the total length is dropped."""
    assert Ipv4Packet.parse(packet.pack() + padding) == packet


@PURE
@given(st.one_of(st.binary(max_size=60), PACKETS.map(Ipv4Packet.pack)), st.integers(0, 60), st.integers(0, 255))
def test_any_bytes_are_a_packet_or_a_wire_error(data: bytes, at: int, value: int) -> None:
    """Random bytes and packets with one byte changed raise nothing but WireError."""
    damaged = bytearray(data)
    if at < len(damaged):
        damaged[at] = value
    try:
        Ipv4Packet.parse(bytes(damaged))
    except WireError:
        return


def test_one_flipped_bit_in_the_header_is_noticed() -> None:
    """The checksum covers every bit of the header."""
    for bit in range(160):
        data = bytearray(PACKET.pack())
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError, match="IPv4 header"):
            Ipv4Packet.parse(bytes(data))


@pytest.mark.parametrize("cut", [0, 1, 19, 20, 26])
def test_a_packet_cut_short_is_refused(cut: int) -> None:
    """No prefix of a packet is a packet."""
    with pytest.raises(WireError, match="IPv4 header"):
        Ipv4Packet.parse(PACKET.pack()[:cut])


@pytest.mark.parametrize(
    ("field", "value"),
    [("options", b"abc"), ("options", bytes(44)), ("fragment_offset", 4), ("fragment_offset", 65536), ("ttl", 256)],
)
def test_a_field_that_no_header_holds_is_refused(field: str, value: object) -> None:
    """pack raises WireError for it."""
    with pytest.raises(WireError, match="IPv4"):
        Ipv4Packet(**{"src": "1.2.3.4", "dst": "1.2.3.4", "protocol": 17, "payload": b"", field: value}).pack()


def test_a_packet_over_65535_bytes_is_refused() -> None:
    """The total length has 16 bits."""
    with pytest.raises(WireError, match="65536 bytes, at most 65535"):
        Ipv4Packet("1.2.3.4", "1.2.3.4", 17, bytes(65516)).pack()


@pytest.mark.parametrize(("offset", "more", "fragment"), [(0, False, False), (0, True, True), (8, False, True)])
def test_first_and_later_fragments_are_fragments(offset: int, more: bool, fragment: bool) -> None:
    """A packet is whole only with offset 0 and nothing to follow."""
    packet = Ipv4Packet("1.2.3.4", "1.2.3.4", 17, b"", fragment_offset=offset, more_fragments=more)
    assert packet.is_fragment is fragment


@pytest.mark.slow
def test_scapy_makes_the_same_bytes() -> None:
    """Header and checksum are those of the independent writer."""
    from scapy.layers.inet import IP

    made = IP(src=PACKET.src, dst=PACKET.dst, proto=17, id=PACKET.ident, ttl=64) / PACKET.payload
    assert bytes(made) == PACKET.pack()
