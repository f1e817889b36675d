"""USB NCM 1.0: datagrams in 16-bit NCM transfer blocks, little-endian.

A block is an NTH16 header, then NDP16 pointer tables and datagrams in any order; each table is found by the index in
the header or in the table before it. Tables signed ``NCM1`` hold datagrams that end in their CRC-32.
"""

import zlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from hil.errors import WireError
from hil.wire.layout import Layout, exactly

NTH = Layout("NTH16", "<4sHHHH")
NDP = Layout("NDP16", "<4sHH")
ENTRY = Layout("NDP16 entry", "<HH")
PARAMETERS = Layout("NTB parameter structure", "<HHIHHHHIHHHH")
NTH_SIGNATURE = b"NCMH"
NDP_PLAIN = b"NCM0"
NDP_CRC = b"NCM1"
CRC_LENGTH = 4
NDP_MIN_LENGTH = 16
ETHERNET_HEADER = 14
MAX_BLOCK = 0xFFFF
"""What the 16-bit fields can express."""
FORMAT_NTB16 = 1


@dataclass(frozen=True, slots=True)
class NtbLimits:
    """What the receiver of a block asks for, in one direction (NCM 1.0 section 3.3)."""

    max_size: int = 2048
    """Of the block, in bytes."""
    max_datagrams: int = 0
    """In one block; 0 is no limit."""
    divisor: int = 4
    remainder: int = 0
    """Offset of the byte after a datagram's Ethernet header, modulo ``divisor`` (section 3.3.4)."""
    alignment: int = 4
    """Offsets of pointer tables are multiples of this, a power of two from 4 on (section 3.3.3)."""


@dataclass(frozen=True, slots=True)
class NtbParameters:
    """Answer to GET_NTB_PARAMETERS (NCM 1.0 table 6-3); ``in`` is from the device to the host."""

    in_max_size: int
    out_max_size: int
    in_divisor: int = 4
    in_remainder: int = 0
    in_alignment: int = 4
    out_divisor: int = 4
    out_remainder: int = 0
    out_alignment: int = 4
    out_max_datagrams: int = 0
    formats: int = FORMAT_NTB16

    @property
    def in_limits(self) -> NtbLimits:
        """What the device will keep when it sends."""
        return NtbLimits(self.in_max_size, 0, self.in_divisor, self.in_remainder, self.in_alignment)

    @property
    def out_limits(self) -> NtbLimits:
        """What the host has to keep when it sends."""
        alignment = (self.out_divisor, self.out_remainder, self.out_alignment)
        return NtbLimits(self.out_max_size, self.out_max_datagrams, *alignment)

    def pack(self) -> bytes:
        """28 bytes."""
        inward = (self.in_max_size, self.in_divisor, self.in_remainder, self.in_alignment)
        outward = (self.out_max_size, self.out_divisor, self.out_remainder, self.out_alignment, self.out_max_datagrams)
        return PARAMETERS.pack(PARAMETERS.size, self.formats, *inward, 0, *outward)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        values = PARAMETERS.unpack(exactly(PARAMETERS.name, data, PARAMETERS.size))
        length, formats, in_max, in_divisor, in_remainder, in_alignment, _, out_max, *outward = values
        if length != PARAMETERS.size:
            raise WireError(f"NTB parameter structure: wLength {length}, expected {PARAMETERS.size}")
        divisor, remainder, alignment, datagrams = outward
        return cls(
            in_max_size=in_max,
            out_max_size=out_max,
            in_divisor=in_divisor,
            in_remainder=in_remainder,
            in_alignment=in_alignment,
            out_divisor=divisor,
            out_remainder=remainder,
            out_alignment=alignment,
            out_max_datagrams=datagrams,
            formats=formats,
        )


@dataclass(frozen=True, slots=True)
class Ntb16:
    """One transfer block."""

    sequence: int
    datagrams: tuple[bytes, ...]

    def pack(self, limits: NtbLimits = NtbLimits(MAX_BLOCK)) -> bytes:
        return pack_ntb16(self.datagrams, self.sequence, limits)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The datagrams of all tables in the order of the chain; bytes after wBlockLength are ignored.

        Raises:
            WireError: a signature, length, index or CRC is wrong, tables form a loop, or datagrams overlap.
        """
        signature, header_length, sequence, block_length, index = NTH.unpack(data)
        if signature != NTH_SIGNATURE or header_length != NTH.size:
            raise WireError(f"NTH16: signature {signature!r} wHeaderLength {header_length}, expected b'NCMH' and 12")
        # Section 3.2.1: a block of length 0 ends where its transfer ends.
        length = block_length or len(data)
        if not NTH.size <= length <= len(data):
            raise WireError(f"NTH16: wBlockLength {block_length}, but the transfer has {len(data)} bytes")
        return cls(sequence, tuple(_chain(data[:length], index)))


def _chain(block: bytes, index: int) -> list[bytes]:
    """Datagrams of the tables from ``index`` on; ends because tables may not overlap and their room is finite."""
    datagrams: list[bytes] = []
    tables = NTH.size
    held = 0
    while index:
        signature, length, following = NDP.unpack(block, index)
        tables += length
        if length < NDP_MIN_LENGTH or length % 4 or index % 4 or index < NTH.size or index + length > len(block):
            raise WireError(f"NDP16 at {index}: wLength {length} in a block of {len(block)}")
        if tables > len(block):
            raise WireError(f"NDP16 at {index}: tables overlap or form a loop")
        if signature not in (NDP_PLAIN, NDP_CRC):
            raise WireError(f"NDP16 at {index}: signature {signature!r}, expected b'NCM0' or b'NCM1'")
        found = _entries(block, index, length)
        held += sum(size for _, size in found)
        if held > len(block):
            raise WireError(f"NDP16 at {index}: datagrams overlap: {held} bytes of them in a block of {len(block)}")
        datagrams += [_datagram(block, start, size, signature == NDP_CRC) for start, size in found]
        index = following
    return datagrams


def _entries(block: bytes, index: int, length: int) -> list[tuple[int, int]]:
    """Index and length of each datagram of one table, which must end in a zero entry (section 3.3.1)."""
    found: list[tuple[int, int]] = []
    for at in range(index + NDP.size, index + length, ENTRY.size):
        start, size = ENTRY.unpack(block, at)
        if start == 0 or size == 0:
            return found
        if start < NTH.size or start + size > len(block):
            raise WireError(f"NDP16 entry at {at}: datagram {start}+{size} outside a block of {len(block)}")
        found.append((start, size))
    raise WireError(f"NDP16 at {index}: no zero entry at the end of its {length} bytes")


def _datagram(block: bytes, start: int, size: int, with_crc: bool) -> bytes:
    datagram = block[start : start + size]
    if not with_crc:
        return datagram
    body, crc = datagram[:-CRC_LENGTH], datagram[-CRC_LENGTH:]
    if size < CRC_LENGTH or zlib.crc32(body).to_bytes(CRC_LENGTH, "little") != crc:
        raise WireError(f"NCM1 datagram at {start}: CRC-32 is wrong or missing, {size} bytes")
    return body


def pack_ntb16(datagrams: Sequence[bytes], sequence: int, limits: NtbLimits, crc: bool = False) -> bytes:
    """One block with a single table right after the header, then the datagrams.

    Raises:
        WireError: the block would break ``limits``; :func:`fitting` tells how many datagrams do not.
    """
    _check_limits(limits)
    bodies = [datagram + _crc(datagram) if crc else datagram for datagram in datagrams]
    starts, length = _place([len(body) for body in bodies], limits)
    if not all(datagrams) or (limits.max_datagrams and len(bodies) > limits.max_datagrams) or length > limits.max_size:
        found = f"{len(bodies)} datagrams of {[len(body) for body in bodies]} bytes make {length}"
        raise WireError(f"NTB16: {found}, limits: {limits}")
    index = _align(NTH.size, limits.alignment, 0)
    table_length = _table_length(len(bodies))
    table = NDP.pack(NDP_CRC if crc else NDP_PLAIN, table_length, 0)
    table += b"".join(ENTRY.pack(start, len(body)) for start, body in zip(starts, bodies, strict=True))
    block = bytearray(NTH.pack(NTH_SIGNATURE, NTH.size, sequence, length, index).ljust(index, b"\0"))
    block += table.ljust(table_length, b"\0")
    for start, body in zip(starts, bodies, strict=True):
        block += bytes(start - len(block)) + body
    return bytes(block)


def fitting(datagrams: Sequence[bytes], limits: NtbLimits) -> int:
    """How many of the first datagrams fit into one block."""
    _check_limits(limits)
    # A block holds fewer datagrams than bytes, so no more of them need to be looked at.
    sizes = [len(datagram) for datagram in datagrams[: limits.max_datagrams or limits.max_size]]
    return bisect_right(range(1, len(sizes) + 1), limits.max_size, key=lambda count: _place(sizes[:count], limits)[1])


def _place(sizes: Sequence[int], limits: NtbLimits) -> tuple[list[int], int]:
    """Offsets of the datagrams, and the length of the block."""
    at = _align(NTH.size, limits.alignment, 0) + _table_length(len(sizes))
    starts = []
    for size in sizes:
        at = _align(at, limits.divisor, limits.remainder - ETHERNET_HEADER)
        starts.append(at)
        at += size
    return starts, at


def _table_length(count: int) -> int:
    """A table holds at least one entry, and the zero entry that ends it (section 3.3.1)."""
    return NDP.size + ENTRY.size * (max(count, 1) + 1)


def _align(at: int, divisor: int, remainder: int) -> int:
    return at + (remainder - at) % divisor


def _crc(datagram: bytes) -> bytes:
    return zlib.crc32(datagram).to_bytes(CRC_LENGTH, "little")


def _check_limits(limits: NtbLimits) -> None:
    if not 0 < limits.max_size <= MAX_BLOCK or limits.divisor < 1 or limits.alignment < 4 or limits.alignment % 4:
        raise WireError(f"{limits}: expected max_size 1..{MAX_BLOCK}, divisor from 1, alignment a multiple of 4")
