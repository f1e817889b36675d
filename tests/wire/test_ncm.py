"""NCM transfer blocks."""

import struct
import zlib

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.ncm import MAX_BLOCK, Ntb16, NtbLimits, NtbParameters, fitting, pack_ntb16

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=50)
DATAGRAMS = st.lists(st.binary(min_size=1, max_size=80), max_size=6)
LIMITS = st.builds(
    NtbLimits,
    max_size=st.integers(128, 2048),
    max_datagrams=st.integers(0, 6),
    divisor=st.sampled_from([1, 2, 4, 8, 32]),
    remainder=st.integers(0, 31),
    alignment=st.sampled_from([4, 8, 16, 64]),
)
WIDE = NtbLimits(MAX_BLOCK)
FRAMES = (b"a" * 60, b"b" * 61)
BLOCK = pack_ntb16(FRAMES, 7, WIDE)


def table(index: int, *entries: tuple[int, int], following: int = 0, signature: bytes = b"NCM0") -> tuple[int, bytes]:
    """An offset and the bytes of a pointer table with a closing zero entry."""
    body = b"".join(struct.pack("<HH", *entry) for entry in (*(entries or [(0, 0)]), (0, 0)))
    return index, struct.pack("<4sHH", signature, 8 + len(body), following) + body


def block(length: int, index: int, *parts: tuple[int, bytes], declared: int | None = None) -> bytes:
    """A block of ``length`` bytes with parts at their offsets."""
    data = bytearray(length)
    data[:12] = struct.pack("<4sHHHH", b"NCMH", 12, 7, length if declared is None else declared, index)
    for at, part in parts:
        data[at : at + len(part)] = part
    return bytes(data)


@PURE
@given(DATAGRAMS, st.integers(0, 0xFFFF), st.booleans())
def test_datagrams_survive_the_round_trip(datagrams: list[bytes], sequence: int, crc: bool) -> None:
    """With and without CRC-32; no datagram at all is a block, too."""
    assert Ntb16.parse(pack_ntb16(datagrams, sequence, WIDE, crc)) == Ntb16(sequence, tuple(datagrams))


@PURE
@given(DATAGRAMS, LIMITS)
def test_what_fits_keeps_the_limits(datagrams: list[bytes], limits: NtbLimits) -> None:
    """Size, count, alignment of the table and of each datagram; one more would break a limit."""
    count = fitting(datagrams, limits)
    packed = pack_ntb16(datagrams[:count], 1, limits)
    (index,) = struct.unpack_from("<H", packed, 10)
    assert len(packed) <= limits.max_size
    assert index % limits.alignment == 0
    for entry in range(count):
        (start,) = struct.unpack_from("<H", packed, index + 8 + 4 * entry)
        assert (start + 14) % limits.divisor == limits.remainder % limits.divisor
    if count < len(datagrams):
        with pytest.raises(WireError, match="limits: NtbLimits"):
            pack_ntb16(datagrams[: count + 1], 1, limits)


@PURE
@given(st.binary(max_size=80))
def test_any_bytes_are_a_block_or_a_wire_error(data: bytes) -> None:
    """Random bytes after a right signature."""
    for front in (b"", b"NCMH\x0c\0"):
        try:
            Ntb16.parse(front + data)
        except WireError:
            continue


@PURE
@given(st.integers(0, len(BLOCK) - 1), st.integers(0, 255), st.integers(0, len(BLOCK)))
def test_a_damaged_block_is_a_block_or_a_wire_error(at: int, value: int, cut: int) -> None:
    """One byte changed, and any prefix."""
    damaged = bytearray(BLOCK)
    damaged[at] = value
    for data in (bytes(damaged), BLOCK[:cut]):
        try:
            Ntb16.parse(data)
        except WireError:
            continue


@PURE
@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF)), max_size=12))
def test_any_chain_of_tables_comes_to_an_end(links: list[tuple[int, int, int]]) -> None:
    """Tables that point anywhere, at themselves included."""
    parts = [
        table(at % 240 // 4 * 4, (start % 256, size % 256), following=to % 256)
        for at, to, start in links
        for size in (to,)
    ]
    try:
        found = Ntb16.parse(block(256, 12, *[(at, part) for at, part in parts if at >= 12])).datagrams
    except WireError:
        return
    assert sum(map(len, found)) <= 256


def test_a_table_that_points_at_itself_is_refused() -> None:
    """The shortest loop."""
    with pytest.raises(WireError, match="overlap or form a loop"):
        Ntb16.parse(block(64, 12, table(12, following=12)))


def test_two_tables_that_point_at_each_other_are_refused() -> None:
    """A longer loop."""
    with pytest.raises(WireError, match="overlap or form a loop"):
        Ntb16.parse(block(44, 12, table(12, (0, 0), following=28), table(28, (0, 0), following=12)))


def test_datagrams_of_a_chain_of_tables_come_in_its_order() -> None:
    """A table may stand after its datagrams, and before the one that leads to it."""
    tables = (table(60, (20, 2), following=36), table(36, (24, 3), (28, 1)))
    made = block(100, 60, *tables, (20, b"AB"), (24, b"CDE"), (28, b"F"))
    assert Ntb16.parse(made).datagrams == (b"AB", b"CDE", b"F")


def test_a_block_of_length_zero_ends_with_its_transfer() -> None:
    """NCM 1.0 section 3.2.1."""
    data = bytearray(BLOCK)
    data[8:10] = b"\0\0"
    assert Ntb16.parse(bytes(data)).datagrams == FRAMES


def test_bytes_after_the_block_are_ignored() -> None:
    """Hosts append one to force a short packet."""
    assert Ntb16.parse(BLOCK + b"\0").datagrams == FRAMES


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"NCMX" + BLOCK[4:], "signature b'NCMX'"),
        (b"ncmh" + BLOCK[4:], "signature b'ncmh'"),
        (BLOCK[:-1], "wBlockLength"),
        (block(64, 12, table(12), declared=11), "wBlockLength 11"),
        (block(64, 12, table(12, signature=b"NCM2")), "signature b'NCM2'"),
        (block(64, 14, table(14)), "NDP16 at 14"),
        (block(64, 8), "NDP16 at 8"),
        (block(64, 56), "NDP16 at 56"),
        (block(64, 60), "NDP16: 8 bytes needed"),
        (block(64, 12, (12, struct.pack("<4sHH", b"NCM0", 12, 0))), "wLength 12"),
        (block(64, 12, (12, struct.pack("<4sHH", b"NCM0", 18, 0))), "wLength 18"),
        (block(64, 12, (12, struct.pack("<4sHH", b"NCM0", 56, 0))), "wLength 56"),
        (block(64, 12, table(12, (60, 5))), r"datagram 60\+5 outside"),
        (block(64, 12, table(12, (11, 5))), r"datagram 11\+5 outside"),
        (block(64, 12, table(12, (12, 40), (12, 40))), "datagrams overlap"),
        (block(64, 12, (12, struct.pack("<4sHHHHHH", b"NCM0", 16, 0, 40, 1, 41, 1))), "no zero entry"),
    ],
)
def test_a_block_that_breaks_the_format_is_refused(data: bytes, message: str) -> None:
    """Every signature, length and index is checked."""
    with pytest.raises(WireError, match=message):
        Ntb16.parse(data)


def test_an_index_of_zero_is_a_block_without_datagrams() -> None:
    """There is no table to read."""
    assert Ntb16.parse(block(12, 0)) == Ntb16(7, ())


def test_the_crc_is_the_one_of_ethernet_low_byte_first() -> None:
    """Its four bytes count as part of the datagram in the table."""
    packed = pack_ntb16([b"datagram"], 0, WIDE, crc=True)
    assert packed[12:16] == b"NCM1"
    assert packed.endswith(b"datagram" + struct.pack("<I", zlib.crc32(b"datagram")))


@pytest.mark.parametrize("at", [-1, -5])
def test_a_wrong_crc_is_refused(at: int) -> None:
    """In the CRC itself, and in the datagram."""
    data = bytearray(pack_ntb16([b"datagram"], 0, WIDE, crc=True))
    data[at] ^= 1
    with pytest.raises(WireError, match="CRC-32 is wrong"):
        Ntb16.parse(bytes(data))


def test_a_datagram_too_short_for_its_crc_is_refused() -> None:
    """Three bytes cannot end in four."""
    with pytest.raises(WireError, match="3 bytes"):
        Ntb16.parse(block(64, 12, table(12, (40, 3), signature=b"NCM1")))


@pytest.mark.parametrize("datagrams", [[b""], [b"a", b""]])
def test_an_empty_datagram_cannot_be_packed(datagrams: list[bytes]) -> None:
    """A length of zero would end the table."""
    with pytest.raises(WireError, match="NTB16"):
        pack_ntb16(datagrams, 0, WIDE)


@pytest.mark.parametrize("limits", [NtbLimits(0), NtbLimits(65536), NtbLimits(divisor=0), NtbLimits(alignment=2)])
def test_limits_that_no_device_may_have_are_refused(limits: NtbLimits) -> None:
    """Instead of a division by zero or an endless block."""
    with pytest.raises(WireError, match="NtbLimits"):
        pack_ntb16([b"a"], 0, limits)


def test_parameters_are_the_28_bytes_of_tinyusb() -> None:
    """Field order of NCM 1.0 table 6-3."""
    parameters = NtbParameters(in_max_size=3200, out_max_size=6400, out_max_datagrams=6)
    packed = parameters.pack()
    assert packed == struct.pack("<HHIHHHHIHHHH", 28, 1, 3200, 4, 0, 4, 0, 6400, 4, 0, 4, 6)
    assert parameters.out_limits == NtbLimits(6400, 6, 4, 0, 4)
    assert parameters.in_limits == NtbLimits(3200, 0, 4, 0, 4)


@PURE
@given(st.binary(min_size=26, max_size=30))
def test_any_parameters_are_read_or_a_wire_error(data: bytes) -> None:
    """What parses packs to the same bytes, but for the reserved field."""
    for bytes_ in (data, b"\x1c\0" + data[:26]):
        try:
            parameters = NtbParameters.parse(bytes_)
        except WireError:
            continue
        assert parameters.pack() == bytes_[:14] + b"\0\0" + bytes_[16:]


@PURE
@given(DATAGRAMS)
def test_a_block_packs_itself(datagrams: list[bytes]) -> None:
    """Ntb16.pack is pack_ntb16 with the widest limits."""
    assume(datagrams)
    assert Ntb16(3, tuple(datagrams)).pack() == pack_ntb16(datagrams, 3, WIDE)
