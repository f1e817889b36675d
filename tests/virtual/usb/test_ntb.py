"""Transfer blocks as TinyUSB builds and judges them."""

import pytest

from hil.errors import WireError
from hil.virtual.usb.ntb import BLOCK_SIZE, TransmitBlocks, parse_received
from hil.wire.ncm import Ntb16, NtbLimits, pack_ntb16

LIMITS = NtbLimits(BLOCK_SIZE)
FRAME = bytes(range(60))


def filled(*frames: bytes) -> bytes:
    """One block with those frames."""
    blocks = TransmitBlocks()
    for frame in frames:
        assert blocks.make_room(len(frame))
        blocks.add(frame)
    block = blocks.take()
    assert block is not None
    return block


def test_a_block_has_a_table_of_fixed_size_and_padded_datagrams() -> None:
    """The first datagram lies at 12 + 44, whatever the number of datagrams, the second at the next multiple of 4."""
    block = filled(b"x" * 61, b"y" * 60)
    assert block[:12] == b"NCMH" + bytes.fromhex("0c000000b4000c00")
    assert block[12:28] == b"NCM0" + bytes.fromhex("2c000000" + "38003d00" + "78003c00")
    assert Ntb16.parse(block).datagrams == (b"x" * 61, b"y" * 60)


def test_three_buffers_hold_what_is_not_sent() -> None:
    """Two frames of 1500 fill a buffer; the seventh finds none until the host has taken a block."""
    blocks = TransmitBlocks()
    for _ in range(6):
        assert blocks.make_room(1500)
        blocks.add(bytes(1500))
    assert not blocks.make_room(1500)
    assert (blocks.free, blocks.queued) == (0, 6)
    taken = blocks.take()
    assert taken is not None
    assert Ntb16.parse(taken).sequence == 0
    assert blocks.take() is None
    assert not blocks.make_room(1500)
    blocks.in_flight = False
    assert blocks.make_room(1500)


def test_a_block_holds_eight_datagrams() -> None:
    """The ninth begins the next block (CFG_TUD_NCM_IN_MAX_DATAGRAMS_PER_NTB)."""
    blocks = TransmitBlocks()
    for _ in range(9):
        assert blocks.make_room(60)
        blocks.add(FRAME)
    sizes = []
    while (block := blocks.take()) is not None:
        sizes.append(len(Ntb16.parse(block).datagrams))
        blocks.in_flight = False
    assert sizes == [8, 1]


def test_a_frame_that_fits_no_block_is_refused() -> None:
    """Longer than the block less header and table."""
    blocks = TransmitBlocks()
    assert not blocks.make_room(3145)
    assert blocks.make_room(3144)


def test_blocks_of_linux_are_understood() -> None:
    """A block packed for the device's limits gives its frames back."""
    frames = [b"a" * 60, b"b" * 1514]
    assert parse_received(pack_ntb16(frames, 7, LIMITS)) == frames


def changed(offset: int, value: bytes) -> bytes:
    """A good block of one frame with some bytes replaced."""
    block = bytearray(pack_ntb16([FRAME], 1, LIMITS))
    block[offset : offset + len(value)] = value
    return bytes(block)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "12 bytes needed"),
        (b"NCMH" + bytes(4), "12 bytes needed"),
        (changed(0, b"XXXX"), "signature b'XXXX'"),
        (changed(4, b"\x0d\0"), "wHeaderLength 13"),
        (pack_ntb16([FRAME], 1, LIMITS)[:27], "in 27 bytes"),
        (changed(8, b"\xff\xff"), "wBlockLength 65535"),
        (changed(10, b"\x04\0"), "wNdpIndex 4"),
        (changed(10, b"\xf0\0"), "wNdpIndex 240"),
        (changed(12, b"NCMX"), "signature b'NCMX'"),
        (changed(16, b"\x08\0"), "wLength 8"),
        (changed(16, b"\xf0\xff"), "at offset"),
        (changed(18, b"\x0c\0"), "wNextNdpIndex 12"),
        (changed(24, b"\x01\0\0\0"), "last of its 2 entries is not zero"),
        (changed(22, b"\xff\0"), "datagram 30[+]255 outside"),
        (changed(20, b"\xff\xff"), "datagram 65535[+]60 outside"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_malformed_block_is_refused_with_what_is_wrong(data: bytes, complaint: str) -> None:
    """The checks of recv_validate_datagram, each by name."""
    with pytest.raises(WireError, match=complaint):
        parse_received(data)
