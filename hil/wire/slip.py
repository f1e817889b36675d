"""SLIP framing, as the ESP loaders use it: every packet between two END bytes.

RFC 1055; what departs from it is in esptool's documentation, "Serial Protocol", "Low Level Protocol": a packet begins
with END, too, and what stands outside a packet (a boot log, noise of a UART) is not one.
"""

import re

from hil.errors import WireError

END = 0xC0
ESCAPE = 0xDB
END_ESCAPED = b"\xdb\xdc"
ESCAPE_ESCAPED = b"\xdb\xdd"
DELIMITER = bytes([END])
_BAD_ESCAPE = re.compile(rb"\xdb(?![\xdc\xdd])")


def encode(payload: bytes) -> bytes:
    """One packet, both its delimiters included."""
    escaped = payload.replace(b"\xdb", ESCAPE_ESCAPED).replace(DELIMITER, END_ESCAPED)
    return DELIMITER + escaped + DELIMITER


def decode(body: bytes) -> bytes:
    """The payload of what stands between two delimiters.

    Raises:
        WireError: an escape that stands for nothing, or a delimiter inside.
    """
    if END in body:
        raise WireError(f"SLIP packet: a delimiter at offset {body.index(END)} of {len(body)}")
    if found := _BAD_ESCAPE.search(body):
        after = body[found.end() : found.end() + 1].hex() or "the end"
        raise WireError(f"SLIP packet: escape at offset {found.start()} is followed by {after}; known: dc, dd")
    return body.replace(END_ESCAPED, DELIMITER).replace(ESCAPE_ESCAPED, b"\xdb")


class SlipReader:
    """Cuts a stream into payloads; how the stream was chunked makes no difference.

    Args:
        limit: bytes between two delimiters, escapes counted twice; a longer packet is dropped, as a receive buffer
            that has run over drops it.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise WireError(f"SLIP limit {limit}: expected at least 1 byte")
        self._limit = limit
        self._body: bytearray | None = None
        self._overrun = False
        self.dropped = 0
        """Packets that were too long or badly escaped."""

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that ``data`` completes; an empty packet is none, and neither is a dropped one."""
        payloads = []
        first, *others = data.split(DELIMITER)
        self._collect(first)
        for piece in others:
            payload = self._delimit()
            if payload is not None:
                payloads.append(payload)
            self._collect(piece)
        return payloads

    def _collect(self, piece: bytes) -> None:
        if self._body is None:
            return
        self._overrun = self._overrun or len(self._body) + len(piece) > self._limit
        if self._overrun:
            self._body.clear()
        else:
            self._body += piece

    def _delimit(self) -> bytes | None:
        """A delimiter opens a packet, ends one, or follows the delimiter that opened it."""
        if self._body is None or not (self._body or self._overrun):
            self._body = bytearray()
            return None
        body, overrun = bytes(self._body), self._overrun
        self._body, self._overrun = None, False
        try:
            if not overrun:
                return decode(body)
        except WireError:
            pass
        self.dropped += 1
        return None
