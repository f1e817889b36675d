"""UDP datagrams."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.addresses import ipv4_text
from hil.wire.udp import UdpDatagram

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=80)
IPS = st.binary(min_size=4, max_size=4).map(ipv4_text)
PORTS = st.integers(0, 0xFFFF)
SRC, DST = "192.168.7.1", "192.168.7.2"


@PURE
@given(st.builds(UdpDatagram, PORTS, PORTS, st.binary(max_size=80)), IPS, IPS)
def test_a_datagram_survives_the_round_trip(datagram: UdpDatagram, src: str, dst: str) -> None:
    """With and without the checksum being looked at."""
    data = datagram.pack(src, dst)
    assert UdpDatagram.parse(data, src, dst) == UdpDatagram.parse(data + b"pad") == datagram


@PURE
@given(st.binary(max_size=30))
def test_any_bytes_are_a_datagram_or_a_wire_error(data: bytes) -> None:
    """Random bytes raise nothing but WireError."""
    for addresses in ((None, None), (SRC, DST)):
        try:
            UdpDatagram.parse(data, *addresses)
        except WireError:
            continue


@pytest.mark.parametrize("at", [0, 3, 6, 9])
def test_one_flipped_bit_is_noticed(at: int) -> None:
    """The checksum covers header and payload; without addresses it is not looked at."""
    data = bytearray(UdpDatagram(1000, 2000, b"data").pack(SRC, DST))
    data[at] ^= 0x40
    with pytest.raises(WireError, match="UDP checksum"):
        UdpDatagram.parse(bytes(data), SRC, DST)
    UdpDatagram.parse(bytes(data))


def test_a_datagram_without_checksum_is_accepted() -> None:
    """RFC 768: zero says that the sender made none."""
    data = bytearray(UdpDatagram(1, 2, b"data").pack(SRC, DST))
    data[6:8] = b"\0\0"
    assert UdpDatagram.parse(bytes(data), SRC, DST).payload == b"data"


def test_a_checksum_of_zero_goes_out_as_all_ones() -> None:
    """RFC 768; the payload is chosen so that the sum comes to zero."""
    bare = UdpDatagram(0, 0, bytes(2)).pack("0.0.0.0", "0.0.0.0")
    sum_so_far = int.from_bytes(bare[6:8], "big")
    data = UdpDatagram(0, 0, sum_so_far.to_bytes(2, "big")).pack("0.0.0.0", "0.0.0.0")
    assert data[6:8] == b"\xff\xff"


@pytest.mark.parametrize("length", [0, 7, 13, 0xFFFF])
def test_a_length_that_cannot_be_is_refused(length: int) -> None:
    """Shorter than the header, or longer than what is there."""
    data = bytearray(UdpDatagram(1, 2, b"data").pack(SRC, DST))
    data[4:6] = length.to_bytes(2, "big")
    with pytest.raises(WireError, match=rf"length {length}, expected 8\.\.12"):
        UdpDatagram.parse(bytes(data))


def test_a_datagram_over_65535_bytes_is_refused() -> None:
    """The length has 16 bits."""
    with pytest.raises(WireError, match="at most 65535"):
        UdpDatagram(1, 2, bytes(65528)).pack(SRC, DST)


@pytest.mark.slow
def test_scapy_makes_the_same_bytes() -> None:
    """Checksum included."""
    from scapy.layers.inet import IP, UDP

    made = bytes(IP(src=SRC, dst=DST) / UDP(sport=67, dport=68) / b"odd")
    assert made[20:] == UdpDatagram(67, 68, b"odd").pack(SRC, DST)
