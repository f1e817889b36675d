"""Binary usbmon events."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire import usbmon
from hil.wire.usbmon import UsbmonPacket

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)
U8, U16, U32 = st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)
I32 = st.integers(-(1 << 31), (1 << 31) - 1)
FLAGS = st.sampled_from(["\0", "-", "<", ">", "D", "E"])
PACKETS = st.builds(
    UsbmonPacket,
    id=st.integers(0, (1 << 64) - 1),
    type=st.sampled_from("SCE"),
    transfer_type=st.integers(0, 3),
    endpoint=U8,
    device=U8,
    bus=U16,
    setup_flag=FLAGS,
    data_flag=FLAGS,
    ts_sec=st.integers(-(1 << 63), (1 << 63) - 1),
    ts_usec=st.integers(0, 999_999),
    status=I32,
    length=U32,
    captured=st.integers(20, 0xFFFF_FFFF),
    setup=st.binary(min_size=8, max_size=8),
    interval=I32,
    start_frame=I32,
    transfer_flags=U32,
    iso_descriptors=U32,
    payload=st.binary(max_size=20),
)
SETUP = bytes.fromhex("8006000100004000")
FRONT = struct.pack("=QBBBBHccqiiII", 0xFFFF8880, ord("S"), 2, 0x80, 5, 1, b"\0", b"<", 1000, 999, -115, 64, 0) + SETUP


@PURE
@given(PACKETS)
def test_an_event_survives_the_round_trip(packet: UsbmonPacket) -> None:
    """All fields of the long header, and the payload."""
    assert UsbmonPacket.parse(packet.pack()) == packet


@PURE
@given(st.binary(max_size=90), st.sampled_from([48, 64]))
def test_any_bytes_are_an_event_or_a_wire_error(data: bytes, header_length: int) -> None:
    """Random bytes, and random bytes with a right type."""
    for case in (data, data[:8] + b"S\x02" + data[10:]):
        try:
            UsbmonPacket.parse(case, header_length)
        except WireError:
            continue


def test_both_headers_are_read_alike() -> None:
    """The 48 bytes of read() are the front of the 64 bytes of MON_IOCX_GETX."""
    short = UsbmonPacket.parse(FRONT, usbmon.READ_HEADER_LENGTH)
    long = UsbmonPacket.parse(FRONT + bytes(16))
    assert short == long
    assert (long.id, long.type, long.transfer_type, long.bus, long.device) == (0xFFFF8880, "S", usbmon.CONTROL, 1, 5)
    assert (long.status, long.length, long.captured, long.setup) == (usbmon.EINPROGRESS, 64, 0, SETUP)
    assert (long.is_in, long.has_setup, long.data_flag) == (True, True, "<")
    assert long.t_realtime_ns == 1_000_000_999_000


def test_a_completion_has_no_setup_packet() -> None:
    """Whatever lies in those bytes."""
    done = UsbmonPacket.parse(FRONT[:8] + b"C" + FRONT[9:] + bytes(16))
    assert not done.has_setup


@pytest.mark.parametrize(
    ("data", "header_length", "message"),
    [
        (FRONT, 64, "usbmon header of MON_IOCX_GETX"),
        (FRONT[:47], 48, "usbmon header: 48 bytes needed"),
        (FRONT + b"x", 48, "1 bytes of data, but 0 captured"),
        (FRONT[:8] + b"X" + FRONT[9:], 48, "type 'X'"),
        (FRONT[:9] + b"\x04" + FRONT[10:], 48, "transfer type 4"),
        (FRONT[:24] + struct.pack("=i", 1_000_000) + FRONT[28:], 48, "1000000 microseconds"),
        (FRONT, 47, "header of 47 bytes, expected 48 or 64"),
    ],
)
def test_what_no_kernel_writes_is_refused(data: bytes, header_length: int, message: str) -> None:
    """Lengths, types and time."""
    with pytest.raises(WireError, match=message):
        UsbmonPacket.parse(data, header_length)


@pytest.mark.parametrize("flag", ["", "ab", "\u0100"])
def test_a_flag_of_another_length_is_refused(flag: str) -> None:
    """It is one byte."""
    with pytest.raises(WireError, match="expected one character"):
        UsbmonPacket(1, "S", 2, 0, 1, 1, flag, "\0", 0, 0, 0, 0, 0, SETUP).pack()
