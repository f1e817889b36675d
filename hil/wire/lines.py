"""Bytes of a log cut into lines, without losing one of them."""

from itertools import accumulate

from msgspec import Struct

from hil.errors import WireError

LF = b"\n"


class Line(Struct, frozen=True, gc=False):
    """One line as it came."""

    raw: bytes
    """Its line end included."""
    offset: int
    """Of its first byte in the stream."""
    complete: bool
    """False: it was cut at the limit, or flushed before its line end came."""

    @property
    def body(self) -> bytes:
        """Without LF or CRLF."""
        return self.raw[:-1].removesuffix(b"\r") if self.complete else self.raw

    @property
    def text(self) -> str:
        """The body, decoded as UTF-8 with replacement."""
        return self.body.decode(errors="replace")


class Lines(Struct, frozen=True, gc=False):
    """Whole lines that stand one after another, each with its line end."""

    raw: bytes
    """All of them."""
    offset: int
    """Of the first one's first byte in the stream."""
    lengths: list[int]
    """Of each in bytes, its line end included."""


class LineSplitter:
    """Cuts a stream at every LF; how the stream was chunked makes no difference.

    The ``raw`` of all lines joined is the stream, up to what is still waiting for its line end.

    Args:
        limit: a line end that does not come within so many bytes is not waited for.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise WireError(f"line limit {limit}: expected at least 1 byte")
        self._limit = limit
        self._pending = b""
        self._offset = 0

    @property
    def pending(self) -> int:
        """Bytes that wait for their line end."""
        return len(self._pending)

    def feed(self, data: bytes) -> list[Line]:
        """The lines that ``data`` completes or brings to the limit."""
        lines = self.feed_whole(data)
        if lines is None:
            return self._feed_long(data)
        ends = accumulate(lines.lengths)
        return [
            Line(lines.raw[end - length : end], lines.offset + end - length, True)
            for length, end in zip(lines.lengths, ends, strict=True)
        ]

    def feed_whole(self, data: bytes) -> Lines | None:
        """The lines that ``data`` completes, in one piece, which takes a third of the time.

        None where a line has to be cut at the limit; then nothing was taken in, and :meth:`feed` gives the lines.
        """
        stream = self._pending + data
        *bodies, rest = stream.split(LF)
        lengths = [len(body) + 1 for body in bodies]
        if len(rest) >= self._limit or max(lengths, default=0) > self._limit:
            return None
        whole = stream[: len(stream) - len(rest)]
        lines = Lines(whole, self._offset, lengths)
        self._offset += len(whole)
        self._pending = rest
        return lines

    def skip(self, length: int) -> int:
        """Let so many bytes pass that were a whole line, cut elsewhere while nothing waited; returns its offset."""
        offset = self._offset
        self._offset += length
        return offset

    def _feed_long(self, data: bytes) -> list[Line]:
        """The same where a line has to be cut at the limit."""
        stream = self._pending + data
        lines = []
        start = 0
        while (end := self._end(stream, start)) is not None:
            cut, complete = end
            lines.append(Line(stream[start:cut], self._offset + start, complete))
            start = cut
        self._pending = stream[start:]
        self._offset += start
        return lines

    def _end(self, stream: bytes, start: int) -> tuple[int, bool] | None:
        """Where the line from ``start`` ends, and whether by a line end."""
        at = stream.find(LF, start, start + self._limit)
        if at >= 0:
            return at + 1, True
        if len(stream) - start >= self._limit:
            return start + self._limit, False
        return None

    def flush(self) -> list[Line]:
        """What waits for its line end, as one incomplete line; nothing where nothing waits."""
        if not self._pending:
            return []
        line = Line(self._pending, self._offset, False)
        self._offset += len(self._pending)
        self._pending = b""
        return [line]
