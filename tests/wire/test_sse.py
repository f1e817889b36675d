"""Server-sent events."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.sse import SseComment, SseEvent, SseParser

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=100)
STREAM = st.text("dat:event id\r\n\n\n\n\ufeff", max_size=60).map(str.encode)


def read(*chunks: bytes) -> list[SseEvent | SseComment]:
    """Everything that a stream in these chunks brings."""
    parser = SseParser()
    return [item for chunk in chunks for item in parser.feed(chunk)]


def test_a_stream_of_the_board_is_read() -> None:
    """A greeting, a line whose own end makes three, and a keep-alive."""
    stream = b": ESP32 log stream connected\n\ndata: I (663) net: up\n\n\n: keepalive\n\n"
    assert read(stream) == [
        SseComment("ESP32 log stream connected"),
        SseEvent("I (663) net: up"),
        SseComment("keepalive"),
    ]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [SseEvent("YHOO\n+2\n10")]),
        (
            b": test\n\ndata: a\nid: 1\n\ndata:b\nid\n\ndata:  c\n\n",
            [SseComment("test"), SseEvent("a", id="1"), SseEvent("b"), SseEvent(" c")],
        ),
        (b"data\n\ndata\ndata\n\ndata:", [SseEvent(""), SseEvent("\n")]),
        (b"data:test\n\ndata: test\n\n", [SseEvent("test"), SseEvent("test")]),
    ],
)
def test_the_examples_of_the_standard_come_out(stream: bytes, events: list[SseEvent | SseComment]) -> None:
    """The four streams of section 9.2.6."""
    assert read(stream) == events


def test_event_id_and_retry_are_kept_as_the_standard_says() -> None:
    """The type goes with its event, the id stays, NUL in an id and letters in a retry are ignored."""
    parser = SseParser()
    assert parser.feed(b"event: add\nid: 7\nretry: 1500\ndata: x\n\n") == [SseEvent("x", "add", "7")]
    assert parser.retry_ms == 1500
    assert parser.feed(b"id: 8\0\nretry: soon\nevent: lost\n\ndata: y\nunknown: z\n\n") == [
        SseEvent("y", "message", "7")
    ]
    assert parser.retry_ms == 1500


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_every_line_end_of_the_standard_ends_a_line(end: bytes) -> None:
    """LF, CR and CRLF, also where reads fall between the two."""
    stream = b"\xef\xbb\xbfdata: a" + end + b"data: b" + end + end
    wanted = [SseEvent("a\nb")]
    assert read(stream) == read(*(bytes([byte]) for byte in stream)) == wanted


@PURE
@given(STREAM, st.lists(st.integers(0, 60), max_size=5))
def test_chunks_make_no_difference(stream: bytes, cuts: list[int]) -> None:
    """One read or many, empty ones included: the same events."""
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert read(*(stream[start:end] for start, end in pairwise(edges))) == read(stream)


@PURE
@given(st.binary(max_size=60))
def test_any_bytes_are_a_stream(data: bytes) -> None:
    """Bytes that are no UTF-8 are replaced."""
    read(data)


@pytest.mark.parametrize("chunk", [b"x" * 17, b"data: " + b"x" * 11 + b"\n"])
def test_a_line_over_the_limit_is_refused(chunk: bytes) -> None:
    """Before its end came, and in a chunk that holds its end."""
    with pytest.raises(WireError, match="a line of 17 bytes or more, at most 16"):
        SseParser(max_line=16).feed(chunk)


def test_an_event_over_the_limit_is_refused() -> None:
    """Many lines of one event count together; events that were dispatched do not."""
    parser = SseParser(max_event=10)
    assert len(parser.feed(b"data: abcd\n\n" * 5)) == 5
    with pytest.raises(WireError, match="an event of 15 characters or more, at most 10"):
        parser.feed(b"data: abcd\n" * 3)


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    """The event arrives all the same."""
    assert read(b"data: a\xff\n\n") == [SseEvent("a\ufffd")]
