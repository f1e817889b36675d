"""Capture files."""

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire import pcapng
from hil.wire.pcapng import CapturedPacket, enhanced_packet, interface_description, packets, section_header

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)
FRAME = bytes.fromhex("ffffffffffff020211223302080600010800060400") + bytes(21)
T_NS = 1_700_000_000_123_456_789
FILE = (
    section_header()
    + interface_description("usb0")
    + interface_description("usbmon1", pcapng.LINKTYPE_USB_LINUX_MMAPPED, "bus 1")
    + enhanced_packet(0, T_NS, FRAME, pcapng.INBOUND)
    + enhanced_packet(1, T_NS + 1, b"urb", pcapng.OUTBOUND, comment="stall")
    + enhanced_packet(0, T_NS + 2, b"", original_length=9)
)
PACKETS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, (1 << 64) - 1),
        st.binary(max_size=20),
        st.sampled_from(["", "in", "out"]),
        st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0x2FF), max_size=6),
    ),
    max_size=4,
)


def big_endian(resolution: bytes) -> bytes:
    """A file of another machine: one interface with this if_tsresol, one packet at 1000 ticks."""

    def block(kind: int, body: bytes) -> bytes:
        return struct.pack(">II", kind, len(body) + 12) + body + struct.pack(">I", len(body) + 12)

    option = struct.pack(">HH", 9, 1) + resolution + bytes(3) + bytes(4) if resolution else b""
    header = block(0x0A0D0D0A, struct.pack(">IHHQ", 0x1A2B3C4D, 1, 0, (1 << 64) - 1))
    packet = block(6, struct.pack(">IIIII", 0, 0, 1000, 2, 2) + b"ab\0\0" + struct.pack(">HHI", 2, 4, 1))
    return header + block(1, struct.pack(">HHI", 1, 0, 0) + option) + block(0xBAD, b"\0\0\0\0") + packet


def test_what_is_written_is_read_back() -> None:
    """Interfaces, time to the nanosecond, direction, comment and the length on the wire."""
    assert list(packets(FILE)) == [
        CapturedPacket(0, "usb0", 1, T_NS, "in", FRAME, len(FRAME), ""),
        CapturedPacket(1, "usbmon1", 220, T_NS + 1, "out", b"urb", 3, "stall"),
        CapturedPacket(0, "usb0", 1, T_NS + 2, "", b"", 9, ""),
    ]


@PURE
@given(PACKETS)
def test_any_packets_survive_the_round_trip(wanted: list[tuple[int, int, bytes, str, str]]) -> None:
    """Every length, every time a file can hold."""
    data = section_header() + interface_description("a") + interface_description("b")
    for interface, t_ns, body, direction, comment in wanted:
        data += enhanced_packet(interface, t_ns, body, direction, comment=comment)
    found = [(made.interface, made.t_ns, made.data, made.direction, made.comment) for made in packets(data)]
    assert found == wanted


@PURE
@given(st.integers(0, len(FILE) - 1), st.integers(0, 255), st.integers(0, len(FILE)))
def test_a_damaged_file_is_packets_or_a_wire_error(at: int, value: int, cut: int) -> None:
    """One byte changed, and any prefix."""
    damaged = bytearray(FILE)
    damaged[at] = value
    for data in (bytes(damaged), FILE[:cut]):
        try:
            list(packets(data))
        except WireError:
            continue


@PURE
@given(st.binary(max_size=60))
def test_any_bytes_are_packets_or_a_wire_error(noise: bytes) -> None:
    """Random bytes, alone and after a header."""
    for data in (noise, section_header() + noise, FILE + noise):
        try:
            list(packets(data))
        except WireError:
            continue


def test_packets_before_the_cut_are_read() -> None:
    """A capture that was killed is good up to the last whole block."""
    found = packets(FILE[:-1])
    assert [next(found).data, next(found).data] == [FRAME, b"urb"]
    with pytest.raises(WireError, match="pcapng block 0x6 at byte"):
        next(found)


@pytest.mark.parametrize(
    ("resolution", "t_ns"), [(b"", 1_000_000), (b"\x06", 1_000_000), (b"\x03", 1_000_000_000), (b"\x8a", 976_562_500)]
)
def test_a_file_of_another_machine_is_read(resolution: bytes, t_ns: int) -> None:
    """Big-endian, with time in powers of ten and of two, microseconds where it says nothing, unknown blocks skipped."""
    assert list(packets(big_endian(resolution))) == [CapturedPacket(0, "", 1, t_ns, "in", b"ab", 2, "")]


def test_a_block_whose_two_lengths_differ_is_refused() -> None:
    """A reader that goes backwards would come out elsewhere."""
    data = bytearray(section_header())
    data[-4] += 4
    with pytest.raises(WireError, match="length 40 at its start, 44 at its end"):
        list(packets(bytes(data)))


def test_a_second_section_counts_its_interfaces_anew() -> None:
    """Two files joined are a file."""
    assert [made.interface for made in packets(FILE + FILE)] == [0, 1, 0, 0, 1, 0]
    with pytest.raises(WireError, match="interface 0, but 0 are declared"):
        list(packets(FILE + section_header() + enhanced_packet(0, 0, b"")))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, -1, b""), "t_ns -1"),
        ((0, 1 << 64, b""), "does not fit"),
        ((-1, 0, b""), "interface -1"),
        ((0, 0, b"", "left"), "direction 'left', expected 'in', 'out' or ''"),
    ],
)
def test_a_packet_that_no_block_holds_is_refused(arguments: tuple[object, ...], message: str) -> None:
    """WireError from the writers, too."""
    with pytest.raises(WireError, match=message):
        enhanced_packet(*arguments)  # type: ignore[arg-type]


def test_other_values_that_do_not_fit_are_refused() -> None:
    """Link type, option length, a length on the wire below what was captured."""
    with pytest.raises(WireError, match="link type 65536"):
        interface_description("a", 65536)
    with pytest.raises(WireError, match="option 2: 65536 bytes"):
        interface_description("a" * 65536)
    with pytest.raises(WireError, match="length 2 of 3"):
        enhanced_packet(0, 0, b"abc", original_length=2)


@pytest.mark.slow
def test_scapy_reads_what_is_written() -> None:
    """Frames, time, interface name and direction, by the independent reader."""
    from scapy.utils import RawPcapNgReader

    with RawPcapNgReader(io.BytesIO(FILE)) as reader:
        seen = list(reader)
    assert [data for data, _ in seen] == [FRAME, b"urb", b""]
    _, about = seen[0]
    assert (about.linktype, about.ifname, about.direction, about.tsresol) == (1, b"usb0", 1, 10**9)
    assert (about.tshigh << 32) + about.tslow == T_NS
    assert seen[1][1].comments == [b"stall"]
