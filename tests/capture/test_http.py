"""Whatever a server does ends in a reply or in one reason, within the deadline."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.capture import http
from hil.capture.http import Fetched, HttpFailure, exchange, fetch
from hil.timeline.events import HttpFailed, HttpReply

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
Answered = Callable[[bytes], socket.socket]


@pytest.fixture
def server() -> Iterator[Answered]:
    """Gives a connected socket whose peer has sent these bytes and closed."""
    opened: list[socket.socket] = []

    def answer(data: bytes, close: bool = True) -> socket.socket:
        ours, theirs = socket.socketpair()
        opened.extend((ours, theirs))
        theirs.sendall(data)
        if close:
            theirs.shutdown(socket.SHUT_WR)
        return ours

    yield answer
    for each in opened:
        each.close()


def refusal(sock: socket.socket, deadline_s: float = 1.0, limit: int = http.BODY_LIMIT) -> HttpFailure:
    with pytest.raises(HttpFailure) as caught:
        fetch(sock, "GET", "/status", deadline_s, limit)
    return caught.value


def test_reply_of_known_length_is_fetched(server: Answered) -> None:
    """Status, headers and body come back, and the end of the connection is not waited for."""
    sock = server(HEAD + b"Content-Length: 5\r\n\r\nhello")
    expected_headers = {"content-type": "text/plain; charset=utf-8", "content-length": "5"}
    assert fetch(sock, "GET", "/status", 1.0) == Fetched(200, expected_headers, "text/plain; charset=utf-8", b"hello")


@pytest.mark.parametrize(
    "rest",
    [
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        b"Connection: close\r\n\r\nhello",
    ],
    ids=["chunked", "until close"],
)
def test_every_framing_gives_the_body(server: Answered, rest: bytes) -> None:
    """Chunks are joined; without a length the body ends with the connection."""
    assert fetch(server(HEAD + rest), "GET", "/events", 1.0).body == b"hello"


def test_interim_response_is_passed_over(server: Answered) -> None:
    """100 Continue is not the reply."""
    data = b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD.replace(b"200 OK", b"404 Not Found") + b"Content-Length: 0\r\n\r\n"
    assert fetch(server(data), "GET", "/nothing", 1.0).status == 404


def test_request_asks_for_the_connection_to_be_closed() -> None:
    """The request names host and path, and a POST says that it has no body."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(HEAD + b"Content-Length: 0\r\n\r\n")
        fetch(ours, "POST", "/reset", 1.0)
        request = theirs.recv(4096)
    assert request.startswith(b"POST /reset HTTP/1.1\r\n")
    assert b"Connection: close\r\n" in request
    assert b"Content-Length: 0\r\n" in request


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cut"),
        (HEAD[:20], "cut"),
        (HEAD + b"Content-Length: 10\r\n\r\nhal", "cut"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", "cut"),
        (b"\x00\x01\x02\x03 nonsense\r\n\r\n", "malformed"),
        ("HTTP/1.1 200 OK\r\nÄ: 1\r\n\r\n".encode(), "malformed"),
        (HEAD + b"Content-Length: minus one\r\n\r\n", "malformed"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", "malformed"),
        (HEAD + b"X: " + b"y" * http.HEADER_LIMIT, "malformed"),
    ],
)
def test_broken_reply_has_its_reason(server: Answered, data: bytes, reason: str) -> None:
    """What ends too early was cut; what is no HTTP is malformed."""
    assert refusal(server(data)).reason == reason


def test_body_over_the_limit_is_too_long(server: Answered) -> None:
    """A body without end is not collected."""
    assert refusal(server(HEAD + b"Connection: close\r\n\r\n" + b"x" * 2000), limit=1000).reason == "too-long"


def test_silent_server_is_a_timeout(server: Answered) -> None:
    """Without an answer the deadline decides."""
    failure = refusal(server(b"", close=False), deadline_s=0.05)  # type: ignore[call-arg]
    assert (failure.reason, failure.detail) == ("timeout", "reading the reply: 0.05 s have passed, 0 bytes came")


@pytest.mark.slow
def test_dripping_server_does_not_outlive_the_deadline() -> None:
    """A byte every 20 ms keeps no request alive beyond its one deadline."""
    ours, theirs = socket.socketpair()
    stop = threading.Event()

    def drip() -> None:
        for byte in HEAD + b"Content-Length: 4000\r\n\r\n" + b"x" * 4000:
            if stop.wait(0.02):
                return
            theirs.send(bytes([byte]))

    thread = threading.Thread(target=drip)
    with ours, theirs:
        thread.start()
        began = time.monotonic()
        failure = refusal(ours, deadline_s=0.3)
        assert time.monotonic() - began < 1.0
        stop.set()
        thread.join()
    assert failure.reason == "timeout"


def test_answer_that_is_always_ready_does_not_outlive_the_deadline(server: Answered) -> None:
    """Once the deadline has passed, what a flooding server has ready is not read either."""
    assert refusal(server(HEAD + b"Content-Length: 0\r\n\r\n"), deadline_s=0.0).reason == "timeout"


def test_refused_connection_is_told() -> None:
    """A connect that is still under way when the request begins, and is refused, has its own reason."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with socket.socket() as sock:
            sock.setblocking(False)
            sock.connect_ex(taken.getsockname())
            assert refusal(sock).reason == "refused"


def test_reset_connection_was_cut() -> None:
    """RST in place of an answer is a cut."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as sock:
        peer, _ = listener.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()
        assert refusal(sock).reason == "cut"


def test_exchange_gives_the_event_to_record(server: Answered) -> None:
    """The event shows what was answered, how long it took, and at most 4 KiB of the body."""
    body = b"\xff" + b"x" * 5000
    outcome = exchange(
        server(HEAD + b"Content-Length: 5001\r\n\r\n" + body), "GET", "/events", board="b", deadline_s=1.0
    )
    assert isinstance(outcome.event, HttpReply)
    assert (outcome.event.status, outcome.event.board, outcome.event.source) == (200, "b", "http")
    assert outcome.event.body == "\ufffd" + "x" * 4095
    assert outcome.fetched is not None
    assert outcome.fetched.body == body


def test_exchange_turns_failure_into_an_event(server: Answered) -> None:
    """A board that gives no usable answer raises nothing here."""
    outcome = exchange(server(b""), "GET", "/status", board="b", deadline_s=1.0)
    assert isinstance(outcome.event, HttpFailed)
    assert (outcome.event.reason, outcome.fetched) == ("cut", None)


@settings(deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_any_answer_is_a_reply_or_one_of_the_reasons(data: bytes, after_head: bool) -> None:
    """No bytes of a server raise anything else."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall((HEAD if after_head else b"") + data)
        theirs.shutdown(socket.SHUT_WR)
        outcome = exchange(ours, "GET", "/", board="b", deadline_s=1.0)
    assert isinstance(outcome.event, HttpReply) or outcome.event.reason in http.REASONS


def test_a_body_after_the_head_of_an_answer_to_head_is_left_alone(server: Answered) -> None:
    """esp_http_server sends its 405 with a body whatever the method; RFC 9110 section 9.3.2 says that there is none."""
    sock = server(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello")
    fetched = fetch(sock, "HEAD", "/status", 1.0)
    assert (fetched.status, fetched.body) == (405, b"")
