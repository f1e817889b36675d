"""Server-sent events: the event-stream format of the WHATWG HTML standard, section 9.2.6, as an incremental parser."""

from dataclasses import dataclass

from hil.errors import WireError

BOM = b"\xef\xbb\xbf"
CR, LF = 0x0D, 0x0A
DECIMAL = frozenset("0123456789")


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One dispatched event."""

    data: str
    """The ``data`` lines joined by LF."""
    event: str = "message"
    id: str = ""
    """The last id seen on the stream, which outlives the event it came with."""


@dataclass(frozen=True, slots=True)
class SseComment:
    """A line that begins with a colon; servers send it to keep a connection alive."""

    text: str


class SseParser:
    """Feed it the body as it comes. After a WireError the stream cannot be continued.

    Args:
        max_line: longest line in bytes.
        max_event: most characters of data in one event.

    Attributes:
        retry_ms: the last reconnection time the server sent, or None.
    """

    def __init__(self, max_line: int = 65536, max_event: int = 1 << 20) -> None:
        self._max_line = max_line
        self._max_event = max_event
        self._pending = bytearray()
        self._after_cr = False
        self._first = True
        self._data: list[str] = []
        self._size = 0
        self._event = ""
        self._id = ""
        self.retry_ms: int | None = None

    def feed(self, data: bytes) -> list[SseEvent | SseComment]:
        """What ``data`` completes; WireError where a line or an event is longer than its limit."""
        found: list[SseEvent | SseComment] = []
        for line in self._lines(data):
            item = self._line(line)
            if item is not None:
                found.append(item)
        return found

    def _lines(self, data: bytes) -> list[bytes]:
        """Lines ended by CR, LF or CRLF, whichever way a CRLF is split between chunks."""
        if self._after_cr and data:
            data = data[1:] if data[0] == LF else data
            self._after_cr = False
        self._after_cr = self._after_cr or data.endswith(b"\r")
        *whole, rest = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        lines = []
        for part in whole:
            lines.append(bytes(self._extended(part)))
            self._pending.clear()
        self._extended(rest)
        return lines

    def _extended(self, part: bytes) -> bytearray:
        self._pending += part
        if len(self._pending) > self._max_line:
            raise WireError(f"event stream: a line of {len(self._pending)} bytes or more, at most {self._max_line}")
        return self._pending

    def _line(self, line: bytes) -> SseEvent | SseComment | None:
        if self._first:
            self._first = False
            line = line.removeprefix(BOM)
        if not line:
            return self._dispatch()
        name, _, value = line.decode(errors="replace").partition(":")
        value = value.removeprefix(" ")
        if not name:
            return SseComment(value)
        self._field(name, value)
        return None

    def _field(self, name: str, value: str) -> None:
        if name == "data":
            self._size += len(value) + 1
            if self._size > self._max_event:
                raise WireError(f"event stream: an event of {self._size} characters or more, at most {self._max_event}")
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value and len(value) < 10 and DECIMAL.issuperset(value):
            self.retry_ms = int(value)

    def _dispatch(self) -> SseEvent | None:
        """A blank line: the event, unless it has no data."""
        event = SseEvent("\n".join(self._data), self._event or "message", self._id) if self._data else None
        self._data, self._size, self._event = [], 0, ""
        return event
