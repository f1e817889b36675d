"""USB/IP messages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire import usbip
from hil.wire.usbip import CmdSubmit, CmdUnlink, RetSubmit, RetUnlink

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=80)
U32, I32 = st.integers(0, 0xFFFF_FFFF), st.integers(-(1 << 31), (1 << 31) - 1)
SUBMITS = st.builds(
    CmdSubmit,
    seqnum=U32,
    devid=U32,
    direction=st.sampled_from([usbip.OUT, usbip.IN]),
    endpoint=st.integers(0, 15),
    flags=U32,
    length=st.integers(0, usbip.MAX_TRANSFER),
    start_frame=I32,
    number_of_packets=st.integers(-1, usbip.MAX_ISO_PACKETS),
    interval=I32,
    setup=st.binary(min_size=8, max_size=8),
)


@PURE
@given(st.one_of(SUBMITS, st.builds(CmdUnlink, U32, U32, U32)))
def test_a_command_survives_the_round_trip(command: CmdSubmit | CmdUnlink) -> None:
    """Through 48 bytes and the parser that finds the class."""
    packed = command.pack()
    assert len(packed) == usbip.HEADER_LENGTH
    assert usbip.parse_command(packed) == command


@PURE
@given(U32, I32, st.binary(max_size=40), st.integers(0, 1000))
def test_a_reply_survives_the_round_trip(seqnum: int, status: int, data: bytes, taken: int) -> None:
    """IN with its data, OUT with the number of bytes taken, and the reply to an unlink."""
    for reply in (RetSubmit(seqnum, status, len(data), data), RetSubmit(seqnum, status, taken)):
        assert RetSubmit.parse(reply.pack()) == reply
    assert RetUnlink.parse(RetUnlink(seqnum, status).pack()) == RetUnlink(seqnum, status)


@PURE
@given(st.one_of(st.binary(max_size=60), st.binary(min_size=44, max_size=44).map(b"\0\0\0\1".__add__)))
def test_any_bytes_are_a_command_or_a_wire_error(data: bytes) -> None:
    """Random bytes, and random bytes after a right command code."""
    for parse in (usbip.parse_command, CmdSubmit.parse, CmdUnlink.parse, RetSubmit.parse, RetUnlink.parse):
        try:
            parse(data)
        except WireError:
            continue


def test_a_submit_has_the_layout_of_the_kernel_document() -> None:
    """The example of usbip_protocol.rst in spirit: GET_DESCRIPTOR(device), big-endian around a little-endian SETUP."""
    setup = bytes.fromhex("8006000100004000")
    packed = CmdSubmit(0x0D05, 0x0001000F, usbip.IN, 0, 0x200, 0x40, 0xFFFF - 0xFFFF, 0, 0, setup).pack()
    assert (
        packed.hex()
        == ("00000001 00000d05 0001000f 00000001 0000000000000200 00000040 00000000 00000000 00000000").replace(" ", "")
        + setup.hex()
    )


@pytest.mark.parametrize(
    ("direction", "length", "packets", "payload"),
    [
        (usbip.OUT, 64, 0, 64),
        (usbip.OUT, 64, -1, 64),
        (usbip.IN, 64, 0, 0),
        (usbip.OUT, 8, 2, 40),
        (usbip.IN, 8, 2, 32),
    ],
)
def test_payload_follows_an_out_submit_and_isochronous_packets(
    direction: int, length: int, packets: int, payload: int
) -> None:
    """-1 and 0 packets both mean another type of transfer."""
    command = CmdSubmit(1, 2, direction, 1, 0, length, number_of_packets=packets)
    assert command.payload_length == payload
    assert CmdUnlink(1, 2).payload_length == 0


@pytest.mark.parametrize(
    "command",
    [
        CmdSubmit(1, 2, 2, 0, 0, 0),
        CmdSubmit(1, 2, 0, 16, 0, 0),
        CmdSubmit(1, 2, 0, 0, 0, -1),
        CmdSubmit(1, 2, 0, 0, 0, usbip.MAX_TRANSFER + 1),
        CmdSubmit(1, 2, 0, 0, 0, 0, number_of_packets=1025),
    ],
)
def test_a_submit_that_only_a_lost_stream_holds_is_refused(command: CmdSubmit) -> None:
    """Or a negative or huge length would be waited for."""
    with pytest.raises(WireError, match="USBIP_CMD_SUBMIT"):
        usbip.parse_command(command.pack())


@pytest.mark.parametrize("code", [0, 3, 4, 5])
def test_what_a_host_does_not_send_is_refused(code: int) -> None:
    """Replies and unknown codes."""
    with pytest.raises(WireError, match=f"command {code}, expected 1 or 2"):
        usbip.parse_command(code.to_bytes(4, "big") + bytes(44))


def test_a_reply_whose_length_is_not_that_of_its_data_is_refused() -> None:
    """In both directions."""
    with pytest.raises(WireError, match="actual_length 2, but 3 bytes"):
        RetSubmit(1, 0, 2, b"abc").pack()
    with pytest.raises(WireError, match="actual_length 2, with 3 bytes"):
        RetSubmit.parse(RetSubmit(1, 0, 2, b"ab").pack() + b"c")


def test_a_setup_packet_of_another_length_is_refused() -> None:
    """It would shift everything after it."""
    with pytest.raises(WireError, match="SETUP packet: 7 bytes"):
        CmdSubmit(1, 2, 0, 0, 0, 0, setup=bytes(7)).pack()
