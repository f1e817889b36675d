"""TCP headers (RFC 9293), read only: the harness looks at handshakes and resets, the kernel speaks TCP."""

from dataclasses import dataclass
from typing import Self

from hil.errors import WireError
from hil.wire.layout import Layout

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
LETTERS = "FSRPAUEC"
"""One letter a flag, lowest bit first; the order scapy and tcpdump print them in."""
HEADER = Layout("TCP header", ">HHIIBBHHH")


@dataclass(frozen=True, slots=True)
class TcpHeader:
    """Header of one segment; the checksum is not checked, because captures on the sender's side may not hold it yet."""

    sport: int
    dport: int
    seq: int
    ack: int
    flags: int
    window: int
    payload_length: int
    """Bytes after the options; needs ``data`` to end where the IPv4 packet ends."""

    @property
    def flag_letters(self) -> str:
        """``'SA'`` for SYN and ACK."""
        return "".join(letter for bit, letter in enumerate(LETTERS) if self.flags >> bit & 1)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        sport, dport, seq, ack, offset, flags, window, _, _ = HEADER.unpack(data)
        header_length = (offset >> 4) * 4
        if not HEADER.size <= header_length <= len(data):
            raise WireError(f"TCP header: data offset {header_length}, expected {HEADER.size}..{len(data)}")
        return cls(sport, dport, seq, ack, flags, window, len(data) - header_length)
