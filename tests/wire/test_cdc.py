"""CDC notifications and line coding."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire import cdc
from hil.wire.cdc import ConnectionSpeedChange, LineCoding, NetworkConnection, SerialState

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=80)
U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)
NOTIFICATIONS = st.one_of(
    st.builds(NetworkConnection, U16, st.booleans()),
    st.builds(ConnectionSpeedChange, U16, U32, U32),
    st.builds(SerialState, U16, U16),
)


@PURE
@given(NOTIFICATIONS)
def test_a_notification_survives_the_round_trip(notification: cdc.Notification) -> None:
    """Through the parser of its class and the one that finds the class."""
    assert cdc.parse_notification(notification.pack()) == notification
    assert type(notification).parse(notification.pack()) == notification


@PURE
@given(
    st.one_of(st.binary(max_size=20), NOTIFICATIONS.map(lambda made: made.pack())),
    st.integers(0, 15),
    st.integers(0, 255),
)
def test_any_bytes_are_a_notification_or_a_wire_error(data: bytes, at: int, value: int) -> None:
    """Random bytes, and notifications with one byte changed."""
    damaged = bytearray(data)
    if at < len(damaged):
        damaged[at] = value
    try:
        notification = cdc.parse_notification(bytes(damaged))
    except WireError:
        return
    assert cdc.parse_notification(notification.pack()) == notification


def test_bytes_are_those_that_tinyusb_sends() -> None:
    """NETWORK_CONNECTION and CONNECTION_SPEED_CHANGE of interface 0 at 12 Mbit/s; SERIAL_STATE of interface 2."""
    assert NetworkConnection(0, True).pack() == bytes.fromhex("a100 0100 0000 0000")
    assert ConnectionSpeedChange(0, 12_000_000, 1).pack() == bytes.fromhex("a12a 0000 0000 0800 001bb700 01000000")
    assert SerialState(2, cdc.DCD | cdc.DSR).pack() == bytes.fromhex("a120 0000 0200 0200 0300")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("a101 0000 0000 0000", "code 0x01, known: 0x00, 0x2a, 0x20"),
        ("2100 0100 0000 0000", "0x21/0x00, expected 0xa1/0x00"),
        ("a100 0200 0000 0000", "wValue 2, expected 0 or 1"),
        ("a100 0100 0000 0100", "wLength 1, expected 0"),
        ("a100 0100 0000 0000 00", "1 bytes, expected 0"),
        ("a12a 0000 0000 0800 00000000", "4 bytes, expected 8"),
        ("a12a 0000 0000", "8 bytes needed"),
    ],
)
def test_a_wrong_notification_is_refused(data: str, message: str) -> None:
    """Code, direction, value, length, and the body itself."""
    with pytest.raises(WireError, match=message):
        cdc.parse_notification(bytes.fromhex(data))


@PURE
@given(st.builds(LineCoding, U32, st.integers(0, 2), st.integers(0, 4), st.sampled_from([5, 6, 7, 8, 16])))
def test_a_line_coding_survives_the_round_trip(coding: LineCoding) -> None:
    """Seven bytes."""
    assert LineCoding.parse(coding.pack()) == coding


def test_the_usual_line_coding_is_115200_8n1() -> None:
    """PSTN 1.2 table 17: baud rate, stop bits, parity, data bits."""
    assert LineCoding(115200).pack() == bytes.fromhex("00c20100 00 00 08")


@pytest.mark.parametrize("data", ["00c2010003 00 08", "00c2010000 05 08", "00c2010000 00 09", "00c20100", ""])
def test_a_wrong_line_coding_is_refused(data: str) -> None:
    """Values that the specification does not have, and other lengths."""
    with pytest.raises(WireError, match="line coding"):
        LineCoding.parse(bytes.fromhex(data))
