"""ICMP echo request and reply (RFC 792)."""

from dataclasses import dataclass
from typing import Self

from hil.errors import WireError
from hil.wire.checksum import internet_checksum
from hil.wire.layout import Layout

ECHO_REPLY = 0
ECHO_REQUEST = 8
HEADER = Layout("ICMP echo", ">BBHHH")


def is_echo(data: bytes) -> bool:
    """Whether an ICMP message is an echo request or reply by its type; other messages are none of this module's."""
    return data[:1] in (bytes([ECHO_REPLY]), bytes([ECHO_REQUEST]))


@dataclass(frozen=True, slots=True)
class IcmpEcho:
    """An echo request, or the reply to one."""

    reply: bool
    ident: int
    sequence: int
    payload: bytes

    def pack(self) -> bytes:
        kind = ECHO_REPLY if self.reply else ECHO_REQUEST
        checksum = internet_checksum(HEADER.pack(kind, 0, 0, self.ident, self.sequence) + self.payload)
        return HEADER.pack(kind, 0, checksum, self.ident, self.sequence) + self.payload

    @classmethod
    def parse(cls, data: bytes) -> Self:
        kind, code, _, ident, sequence = HEADER.unpack(data)
        if kind not in (ECHO_REPLY, ECHO_REQUEST) or code != 0:
            raise WireError(f"ICMP message: type {kind} code {code}, expected 0 or 8 with code 0")
        if internet_checksum(data) != 0:
            raise WireError(f"ICMP checksum is wrong: {data[: HEADER.size].hex()}")
        return cls(kind == ECHO_REPLY, ident, sequence, data[HEADER.size :])
