"""A stream of server-sent events, read where everything live is read."""

import socket
from collections.abc import Iterator

import pytest

from hil.capture.source import Moment
from hil.capture.stream import StreamSource
from hil.timeline.events import Event, StreamClosed, StreamComment, StreamLine, StreamOpened, own_fields

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
OPENED = StreamOpened("/logs", 200, "text/event-stream")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n" % len(data) + data + b"\r\n"


class Stream:
    """A source, and the board's end of its connection."""

    def __init__(self) -> None:
        near, self.board = socket.socketpair()
        self.source = StreamSource(near, "s3-a", "/logs", "192.168.7.1")

    def after(self, data: bytes) -> list[Event]:
        """What is told once the board has sent ``data``; stamps are taken off."""
        if data:
            self.board.sendall(data)
        told = self.source.read(Moment(7, 3))
        assert all((e.t_ns, e.t_err_ns, e.board, e.source) == (7, 3, "s3-a", "http") for e in told)
        return [type(e)(*(getattr(e, name) for name in own_fields(type(e)))) for e in told]


@pytest.fixture
def stream() -> Iterator[Stream]:
    """A stream that has just been asked for."""
    made = Stream()
    yield made
    made.source.close()
    made.board.close()


def test_the_request_asks_for_events(stream: Stream) -> None:
    """One GET with its Host; nothing is asked twice."""
    asked = stream.board.recv(4096).decode()
    assert asked.startswith("GET /logs HTTP/1.1\r\n")
    assert "Host: 192.168.7.1\r\n" in asked
    assert asked.endswith("\r\n\r\n")


def test_greeting_lines_and_keepalives_are_told_as_they_come(stream: Stream) -> None:
    """A comment is a comment, an event a line, however the bytes are cut."""
    assert stream.after(HEAD + chunk(b": ESP32 log stream connected\n\n")) == [
        OPENED,
        StreamComment("/logs", "ESP32 log stream connected"),
    ]
    whole = chunk(b"data: I (12) main: hello\n\n") + chunk(b": keepalive\n\n")
    assert stream.after(whole[:20]) == []
    assert stream.after(whole[20:]) == [StreamLine("/logs", "I (12) main: hello"), StreamComment("/logs", "keepalive")]


def test_an_event_that_ends_in_three_newlines_is_one_line(stream: Stream) -> None:
    """Known firmware stores lines with their LF; the surplus blank line dispatches nothing."""
    assert stream.after(HEAD + chunk(b"data: one\n\n\n")) == [OPENED, StreamLine("/logs", "one")]


def test_the_last_chunk_ends_the_stream(stream: Stream) -> None:
    """The board ended it in order."""
    assert stream.after(HEAD + b"0\r\n\r\n") == [OPENED, StreamClosed("/logs", "ended", f"after {len(HEAD) + 5} bytes")]
    assert stream.source.ended


def test_another_status_is_told_with_the_end(stream: Stream) -> None:
    """A refusal is an opened stream with its status, and then its end."""
    refusal = b"HTTP/1.1 503 Busy\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n"
    assert stream.after(refusal)[0] == StreamOpened("/logs", 503, "text/html")
    assert stream.source.ended


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (HEAD + b"5\r\nda", "cut"),
        (b"", "cut"),
        (b"SSH-2.0-x\r\n\r\n", "malformed"),
        (HEAD + chunk(b"data: " + b"x" * 70000), "malformed"),
    ],
    ids=["inside a chunk", "before the head", "no HTTP", "a line without end"],
)
def test_what_cannot_go_on_is_closed_with_its_reason(stream: Stream, data: bytes, reason: str) -> None:
    """No byte raises, and there is one end."""
    told = stream.after(data) if data else []
    stream.board.close()
    while not stream.source.ended:
        told += stream.after(b"")
    assert [type(event) for event in told].count(StreamClosed) == 1
    assert isinstance(told[-1], StreamClosed)
    assert told[-1].reason == reason


def test_a_connection_that_is_dead_already_is_cut(stream: Stream) -> None:
    """The request could not be sent; reading tells it."""
    near, far = socket.socketpair()
    far.close()
    source = StreamSource(near, "s3-a", "/logs", "x")
    (told,) = source.read(Moment(7, 3))
    assert isinstance(told, StreamClosed)
    assert told.reason == "cut"
    source.close()


def test_a_released_stream_says_so_once(stream: Stream) -> None:
    """Who hangs up is told, and what came after that is not waited for."""
    (told,) = stream.source.released(Moment(7, 3))
    assert isinstance(told, StreamClosed)
    assert told.reason == "released"
    assert stream.source.released(Moment(8, 3)) == []
