"""IPv4 packets (RFC 791). The header checksum is made by ``pack`` and checked by ``parse``."""

from dataclasses import dataclass
from typing import Self

from hil.errors import WireError
from hil.wire.addresses import ipv4_bytes, ipv4_text
from hil.wire.checksum import internet_checksum
from hil.wire.layout import Layout

PROTOCOL_ICMP = 1
PROTOCOL_TCP = 6
PROTOCOL_UDP = 17
HEADER = Layout("IPv4 header", ">BBHHHBBH4s4s")
MAX_OPTIONS = 40
MAX_LENGTH = 0xFFFF
MAX_FRAGMENT_OFFSET = 0x1FFF * 8
DONT_FRAGMENT = 0x4000
MORE_FRAGMENTS = 0x2000


@dataclass(frozen=True, slots=True)
class Ipv4Packet:
    """One packet or fragment; padding of the frame after the total length is dropped."""

    src: str
    dst: str
    protocol: int
    payload: bytes
    ttl: int = 64
    ident: int = 0
    fragment_offset: int = 0
    """In bytes, a multiple of 8."""
    more_fragments: bool = False
    dont_fragment: bool = False
    tos: int = 0
    options: bytes = b""
    """Raw, padded to a multiple of 4 bytes."""

    @property
    def is_fragment(self) -> bool:
        """The payload is not a whole transport segment."""
        return self.more_fragments or self.fragment_offset != 0

    def pack(self) -> bytes:
        length = HEADER.size + len(self.options) + len(self.payload)
        self._check_lengths(length)
        fragment = (self.fragment_offset // 8) | self.more_fragments * MORE_FRAGMENTS
        fragment |= self.dont_fragment * DONT_FRAGMENT
        version = 0x40 | (HEADER.size + len(self.options)) // 4
        addresses = (ipv4_bytes(self.src), ipv4_bytes(self.dst))
        front = (version, self.tos, length, self.ident, fragment, self.ttl, self.protocol)
        checksum = internet_checksum(HEADER.pack(*front, 0, *addresses) + self.options)
        return HEADER.pack(*front, checksum, *addresses) + self.options + self.payload

    def _check_lengths(self, length: int) -> None:
        if len(self.options) % 4 or len(self.options) > MAX_OPTIONS:
            raise WireError(f"IPv4 options: {len(self.options)} bytes, expected a multiple of 4 up to {MAX_OPTIONS}")
        if length > MAX_LENGTH:
            raise WireError(f"IPv4 packet: {length} bytes, at most {MAX_LENGTH}")
        if self.fragment_offset % 8 or not 0 <= self.fragment_offset <= MAX_FRAGMENT_OFFSET:
            raise WireError(f"IPv4 fragment offset {self.fragment_offset}: expected a multiple of 8 up to 65528")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        version, tos, length, ident, fragment, ttl, protocol, _, src, dst = HEADER.unpack(data)
        header_length = (version & 0xF) * 4
        if version >> 4 != 4:
            raise WireError(f"IPv4 header: version {version >> 4}, expected 4")
        if not HEADER.size <= header_length <= length <= len(data):
            raise WireError(f"IPv4 header: header length {header_length}, total {length}, present {len(data)}")
        if internet_checksum(data[:header_length]) != 0:
            raise WireError(f"IPv4 header checksum is wrong: {data[:header_length].hex()}")
        return cls(
            src=ipv4_text(src),
            dst=ipv4_text(dst),
            protocol=protocol,
            payload=data[header_length:length],
            ttl=ttl,
            ident=ident,
            fragment_offset=(fragment & 0x1FFF) * 8,
            more_fragments=bool(fragment & MORE_FRAGMENTS),
            dont_fragment=bool(fragment & DONT_FRAGMENT),
            tos=tos,
            options=data[HEADER.size : header_length],
        )
