"""Capture files in pcapng (draft-ietf-opsawg-pcapng): written little-endian with nanosecond stamps, read in any order.

A file is ``section_header()``, one ``interface_description()`` for each interface, numbered from 0 in file order, and
``enhanced_packet()`` blocks; every block is a whole, so a file that is cut off is good up to the cut.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hil.errors import WireError

SECTION_HEADER = 0x0A0D0D0A
INTERFACE_DESCRIPTION = 1
ENHANCED_PACKET = 6
BYTE_ORDER_MAGIC = 0x1A2B3C4D
LINKTYPE_ETHERNET = 1
LINKTYPE_USB_LINUX_MMAPPED = 220

OPTION_END, OPTION_COMMENT = 0, 1
OPTION_IF_NAME, OPTION_IF_DESCRIPTION, OPTION_IF_TSRESOL = 2, 3, 9
OPTION_EPB_FLAGS = 2
OPTION_USER_APPLICATION = 4
NANOSECONDS = 9
MICROSECONDS = 6
INBOUND, OUTBOUND = "in", "out"
DIRECTIONS = {INBOUND: 1, OUTBOUND: 2, "": 0}
"""Bits 0 and 1 of epb_flags; seen from the interface that captures."""
UNSPECIFIED_LENGTH = 0xFFFF_FFFF_FFFF_FFFF


@dataclass(frozen=True, slots=True)
class CapturedPacket:
    """One packet of a file."""

    interface: int
    """Number in its section."""
    interface_name: str
    link_type: int
    t_ns: int
    direction: str
    """:data:`INBOUND`, :data:`OUTBOUND`, or '' where the file does not tell."""
    data: bytes
    original_length: int
    """Larger than ``data`` where the packet was cut."""
    comment: str


def section_header(application: str = "hil") -> bytes:
    """Opens a file."""
    fixed = struct.pack("<IHHQ", BYTE_ORDER_MAGIC, 1, 0, UNSPECIFIED_LENGTH)
    return _block(SECTION_HEADER, fixed + _options((OPTION_USER_APPLICATION, application.encode(errors="replace"))))


def interface_description(name: str, link_type: int = LINKTYPE_ETHERNET, description: str = "") -> bytes:
    """Declares the next interface, with nanosecond time stamps."""
    if not 0 <= link_type <= 0xFFFF:
        raise WireError(f"pcapng link type {link_type}: expected 0..65535")
    options = [(OPTION_IF_NAME, name.encode(errors="replace"))]
    if description:
        options.append((OPTION_IF_DESCRIPTION, description.encode(errors="replace")))
    options.append((OPTION_IF_TSRESOL, bytes([NANOSECONDS])))
    return _block(INTERFACE_DESCRIPTION, struct.pack("<HHI", link_type, 0, 0) + _options(*options))


def enhanced_packet(
    interface: int,
    t_ns: int,
    data: bytes,
    direction: str = "",
    *,
    comment: str = "",
    original_length: int | None = None,
) -> bytes:
    """One packet on an interface declared before.

    Args:
        t_ns: nanoseconds, of whatever clock the whole file uses.
        direction: :data:`INBOUND`, :data:`OUTBOUND` or ''.
        original_length: of the packet on the wire, where ``data`` is only its beginning.
    """
    length = len(data) if original_length is None else original_length
    if not (0 <= t_ns < 1 << 64 and 0 <= interface < 1 << 32 and len(data) <= length < 1 << 32):
        raise WireError(f"pcapng packet: interface {interface} t_ns {t_ns} length {length} of {len(data)} does not fit")
    if direction not in DIRECTIONS:
        raise WireError(f"pcapng packet: direction {direction!r}, expected 'in', 'out' or ''")
    fixed = struct.pack("<IIIII", interface, t_ns >> 32, t_ns & 0xFFFF_FFFF, len(data), length)
    options = []
    if direction:
        options.append((OPTION_EPB_FLAGS, struct.pack("<I", DIRECTIONS[direction])))
    if comment:
        options.append((OPTION_COMMENT, comment.encode(errors="replace")))
    return _block(ENHANCED_PACKET, fixed + _padded(data) + _options(*options))


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _options(*options: tuple[int, bytes]) -> bytes:
    if not options:
        return b""
    for code, value in options:
        if len(value) > 0xFFFF:
            raise WireError(f"pcapng option {code}: {len(value)} bytes, at most 65535")
    made = b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    return made + struct.pack("<HH", OPTION_END, 0)


def packets(data: bytes) -> Iterator[CapturedPacket]:
    """The packets of a file in file order; blocks of other kinds are passed over.

    Raises:
        WireError: at the first block that is damaged or cut off, after the packets before it.
    """
    order = ""
    interfaces: list[_Interface] = []
    at = 0
    while at < len(data):
        if data[at : at + 4] == struct.pack("<I", SECTION_HEADER):
            order, interfaces = _byte_order(data, at), []
        if not order:
            raise WireError(f"pcapng: the file begins with {data[:4].hex()}, expected a section header 0a0d0d0a")
        kind, body, length = _read_block(data, at, order)
        if kind == INTERFACE_DESCRIPTION:
            interfaces.append(_read_interface(body, order))
        elif kind == ENHANCED_PACKET:
            yield _read_packet(body, order, interfaces)
        at += length


@dataclass(frozen=True, slots=True)
class _Interface:
    name: str
    link_type: int
    resolution: int
    """The raw byte of if_tsresol."""

    def nanoseconds(self, ticks: int) -> int:
        base = 2 if self.resolution & 0x80 else 10
        per_second: int = base ** (self.resolution & 0x7F)
        return ticks * 1_000_000_000 // per_second


def _byte_order(data: bytes, at: int) -> str:
    magic = data[at + 8 : at + 12]
    for order in "<>":
        if magic == struct.pack(f"{order}I", BYTE_ORDER_MAGIC):
            return order
    raise WireError(f"pcapng section header at byte {at}: byte order magic {magic.hex()}")


def _read_block(data: bytes, at: int, order: str) -> tuple[int, bytes, int]:
    """Kind, body and whole length of the block at ``at``."""
    kind, length = _unpack(f"{order}II", data, at)
    if length < 12 or length % 4 or at + length > len(data):
        raise WireError(f"pcapng block 0x{kind:x} at byte {at}: length {length}, but {len(data) - at} bytes are left")
    (again,) = _unpack(f"{order}I", data, at + length - 4)
    if again != length:
        raise WireError(f"pcapng block 0x{kind:x} at byte {at}: length {length} at its start, {again} at its end")
    return kind, data[at + 8 : at + length - 4], length


def _read_interface(body: bytes, order: str) -> _Interface:
    link_type, _, _ = _unpack(f"{order}HHI", body, 0)
    options = _read_options(body, 8, order)
    resolution = options.get(OPTION_IF_TSRESOL, b"")[:1] or bytes([MICROSECONDS])
    return _Interface(options.get(OPTION_IF_NAME, b"").decode(errors="replace"), link_type, resolution[0])


def _read_packet(body: bytes, order: str, interfaces: list[_Interface]) -> CapturedPacket:
    number, high, low, captured, original = _unpack(f"{order}IIIII", body, 0)
    if number >= len(interfaces):
        raise WireError(f"pcapng packet: interface {number}, but {len(interfaces)} are declared")
    if 20 + captured > len(body):
        raise WireError(f"pcapng packet: {captured} bytes captured, but {len(body) - 20} are there")
    options = _read_options(body, 20 + captured + -captured % 4, order)
    flags = int.from_bytes(options.get(OPTION_EPB_FLAGS, b""), "little" if order == "<" else "big")
    interface = interfaces[number]
    return CapturedPacket(
        interface=number,
        interface_name=interface.name,
        link_type=interface.link_type,
        t_ns=interface.nanoseconds(high << 32 | low),
        direction={1: INBOUND, 2: OUTBOUND}.get(flags & 3, ""),
        data=body[20 : 20 + captured],
        original_length=original,
        comment=options.get(OPTION_COMMENT, b"").decode(errors="replace"),
    )


def _read_options(body: bytes, at: int, order: str) -> dict[int, bytes]:
    """Options by code, the first of each; a list without end-of-options is accepted."""
    options: dict[int, bytes] = {}
    while at < len(body):
        code, length = _unpack(f"{order}HH", body, at)
        if code == OPTION_END:
            break
        if at + 4 + length > len(body):
            raise WireError(f"pcapng option {code}: {length} bytes, but {len(body) - at - 4} are left")
        options.setdefault(code, body[at + 4 : at + 4 + length])
        at += 4 + length + -length % 4
    return options


def _unpack(fields: str, data: bytes, at: int) -> tuple[int, ...]:
    if at + struct.calcsize(fields) > len(data):
        raise WireError(f"pcapng: the file ends at byte {len(data)} inside a field at {at}")
    return struct.unpack_from(fields, data, at)
