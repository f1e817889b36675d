"""UDP datagrams (RFC 768)."""

from dataclasses import dataclass
from typing import Self

from hil.errors import WireError
from hil.wire.addresses import ipv4_bytes
from hil.wire.checksum import internet_checksum, pseudo_header
from hil.wire.ipv4 import PROTOCOL_UDP
from hil.wire.layout import Layout

HEADER = Layout("UDP header", ">HHHH")
MAX_LENGTH = 0xFFFF


@dataclass(frozen=True, slots=True)
class UdpDatagram:
    """One datagram; bytes after its length field's end are ignored."""

    sport: int
    dport: int
    payload: bytes

    def pack(self, src: str, dst: str) -> bytes:
        """The datagram with the checksum for these two IPv4 addresses."""
        length = HEADER.size + len(self.payload)
        if length > MAX_LENGTH:
            raise WireError(f"UDP datagram: {length} bytes, at most {MAX_LENGTH}")
        pseudo = pseudo_header(ipv4_bytes(src), ipv4_bytes(dst), PROTOCOL_UDP, length)
        bare = HEADER.pack(self.sport, self.dport, length, 0) + self.payload
        # RFC 768: a computed 0 goes out as all ones, because 0 means "no checksum".
        checksum = internet_checksum(pseudo + bare) or 0xFFFF
        return HEADER.pack(self.sport, self.dport, length, checksum) + self.payload

    @classmethod
    def parse(cls, data: bytes, src: str | None = None, dst: str | None = None) -> Self:
        """The datagram; its checksum is checked where both addresses are given and the sender made one."""
        sport, dport, length, checksum = HEADER.unpack(data)
        if not HEADER.size <= length <= len(data):
            raise WireError(f"UDP header: length {length}, expected {HEADER.size}..{len(data)}")
        if checksum and src is not None and dst is not None:
            pseudo = pseudo_header(ipv4_bytes(src), ipv4_bytes(dst), PROTOCOL_UDP, length)
            if internet_checksum(pseudo + data[:length]) != 0:
                raise WireError(f"UDP checksum 0x{checksum:04x} is wrong: {src}:{sport} to {dst}:{dport}")
        return cls(sport, dport, data[HEADER.size : length])
