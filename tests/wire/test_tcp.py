"""TCP headers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.tcp import ACK, LETTERS, RST, SYN, TcpHeader

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=80)
SYN_ACK = bytes.fromhex("0050c001 00000001 00000002 6012 1000 0000 0000 020405b4") + b"data"


def test_a_syn_ack_is_read() -> None:
    """Ports, numbers, flags, window, and the payload after the options."""
    header = TcpHeader.parse(SYN_ACK)
    assert header == TcpHeader(80, 0xC001, 1, 2, SYN | ACK, 4096, 4)
    assert header.flag_letters == "SA"


def test_flags_have_letters_from_the_lowest_bit_up() -> None:
    """All eight of them; none is the empty text."""
    header = TcpHeader(1, 2, 3, 4, 0xFF, 5, 0)
    assert header.flag_letters == LETTERS == "FSRPAUEC"
    assert TcpHeader(1, 2, 3, 4, RST, 5, 0).flag_letters == "R"
    assert TcpHeader(1, 2, 3, 4, 0, 5, 0).flag_letters == ""


@pytest.mark.parametrize("offset", [0, 4, 8, 15])
def test_a_data_offset_outside_of_the_segment_is_refused(offset: int) -> None:
    """Shorter than the header, or longer than what is there."""
    data = bytearray(SYN_ACK)
    data[12] = offset << 4
    with pytest.raises(WireError, match=rf"data offset {offset * 4}, expected 20\.\.28"):
        TcpHeader.parse(bytes(data))


@PURE
@given(st.binary(max_size=70))
def test_any_bytes_are_a_header_or_a_wire_error(data: bytes) -> None:
    """A header that parses leaves a payload that lies inside the data."""
    try:
        header = TcpHeader.parse(data)
    except WireError:
        return
    assert 0 <= header.payload_length <= len(data) - 20


@pytest.mark.slow
def test_scapy_writes_what_is_read() -> None:
    """Fields and flag letters agree with the independent writer."""
    from scapy.layers.inet import IP, TCP

    made = TCP(bytes(IP(src="1.2.3.4", dst="1.2.3.5") / TCP(sport=5, dport=80, flags="FPEC", seq=7, window=99))[20:])
    header = TcpHeader.parse(bytes(made))
    assert (header.flag_letters, header.seq, header.window) == (str(made.flags), 7, 99)
