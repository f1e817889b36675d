"""One HTTP/1.1 exchange with a board, within one deadline, over a socket that is connected already.

Runs on the caller's thread. The deadline counts from the call to the last byte, so a server that drips a byte a
second does not outlive it; the body is bounded; and whatever the server does ends in a reply or in one reason.
"""

import errno
import select
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h11

from hil.clock import Deadline, now_ns, to_s
from hil.errors import BoardFailure
from hil.timeline.events import HttpFailed, HttpReply

BODY_LIMIT = 4 << 20
BODY_SHOWN = 4096
CHUNK = 1 << 16
HEADER_LIMIT = 1 << 16
REFUSED, TIMEOUT, CUT, MALFORMED, TOO_LONG, UNREACHABLE = REASONS = (
    "refused",
    "timeout",
    "cut",
    "malformed",
    "too-long",
    "unreachable",
)
"""Values of ``HttpFailed.reason``."""
REASON_OF_ERRNO = {
    errno.ECONNREFUSED: REFUSED,
    errno.ECONNRESET: CUT,
    errno.EPIPE: CUT,
    errno.ETIMEDOUT: TIMEOUT,
}
"""Every other error of the socket means that the board cannot be reached."""


class HttpFailure(BoardFailure):
    """The board gave no usable reply; ``reason`` is one of :data:`REASONS`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole reply."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names; of two with one name the last."""
    content_type: str
    body: bytes

    @property
    def text(self) -> str:
        """The body, decoded with replacement."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is to be recorded of a request, and the whole reply where there was one."""

    event: HttpReply | HttpFailed
    fetched: Fetched | None


def exchange(
    sock: socket.socket, method: str, path: str, *, board: str, deadline_s: float, limit: int = BODY_LIMIT
) -> Exchange:
    """As :func:`fetch`, with the outcome as an event that the caller records; never raises for what a board does."""
    began_ns = now_ns()
    stamp: dict[str, Any] = {"board": board, "source": "http", "t_err_ns": 0}
    try:
        fetched = fetch(sock, method, path, deadline_s, limit)
    except HttpFailure as failure:
        at_ns = now_ns()
        took_s = to_s(at_ns - began_ns)
        failed = HttpFailed(path, method, failure.reason, took_s, failure.detail, t_ns=at_ns, **stamp)
        return Exchange(failed, None)
    at_ns = now_ns()
    shown = fetched.body[:BODY_SHOWN].decode("utf-8", "replace")
    about = (path, fetched.status, method, fetched.content_type, shown, to_s(at_ns - began_ns))
    return Exchange(HttpReply(*about, t_ns=at_ns, **stamp), fetched)


def fetch(sock: socket.socket, method: str, path: str, deadline_s: float, limit: int = BODY_LIMIT) -> Fetched:
    """Send a request without a body and read the whole reply; the socket is done with afterwards.

    Args:
        sock: connected, or connecting; made non-blocking. The caller closes it.
        method: GET, POST …
        path: with its query.
        deadline_s: for everything together.
        limit: bytes of the body.

    Raises:
        HttpFailure: no whole reply came within ``deadline_s`` and ``limit``.
    """
    talk = _Talk(sock, Deadline(deadline_s))
    headers = [("Host", talk.host()), ("Connection", "close"), ("Accept-Encoding", "identity")]
    if method in ("POST", "PUT", "PATCH"):
        headers.append(("Content-Length", "0"))
    talk.send(h11.Request(method=method, target=path, headers=headers))
    response = talk.response()
    body = talk.body(limit)
    found = {name.decode("ascii"): value.decode("latin-1") for name, value in response.headers}
    return Fetched(response.status_code, found, found.get("content-type", ""), body)


class _Talk:
    """A connection, its protocol and its deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._deadline = deadline
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADER_LIMIT)
        self._received = 0
        self._ended = False

    def host(self) -> str:
        """For the Host header: the peer's address, or 'board' where the socket has none (a socketpair)."""
        try:
            peer = self._sock.getpeername()
        except OSError:
            return "board"
        return str(peer[0]) if isinstance(peer, tuple) else "board"

    def send(self, request: h11.Request) -> None:
        data = (self._http.send(request) or b"") + (self._http.send(h11.EndOfMessage()) or b"")
        while data:
            self._wait(select.POLLOUT, "sending the request")
            try:
                data = data[self._sock.send(data) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise _failure(error, "sending the request") from error

    def response(self) -> h11.Response:
        """The final response; 1xx ones before it are passed over."""
        while True:
            event = self._next()
            if isinstance(event, h11.Response):
                return event

    def body(self, limit: int) -> bytes:
        parts = bytearray()
        while not isinstance(event := self._next(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                parts += event.data
            if len(parts) > limit:
                raise HttpFailure(TOO_LONG, f"the body exceeds {limit} bytes")
        return bytes(parts)

    def _next(self) -> h11.Event:
        while True:
            if self._deadline.passed:
                raise self._late("reading the reply")
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                reason = CUT if self._ended else MALFORMED
                raise HttpFailure(reason, f"after {self._received} bytes: {error}") from error
            if isinstance(event, h11.Event):
                return event
            if event is h11.PAUSED:
                raise HttpFailure(MALFORMED, f"after {self._received} bytes: more than one reply")
            self._receive()

    def _receive(self) -> None:
        self._wait(select.POLLIN, "reading the reply")
        try:
            data = self._sock.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            raise _failure(error, "reading the reply") from error
        self._ended = not data
        self._received += len(data)
        self._http.receive_data(data)

    def _wait(self, wanted: int, doing: str) -> None:
        poll = select.poll()
        poll.register(self._sock, wanted)
        if not poll.poll(self._deadline.left_s * 1000):
            raise self._late(doing)
        problem = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if problem:
            raise _failure(OSError(problem, errno.errorcode.get(problem, str(problem))), doing)

    def _late(self, doing: str) -> HttpFailure:
        return HttpFailure(TIMEOUT, f"{doing}: {self._deadline.within_s} s have passed, {self._received} bytes came")


def _failure(error: OSError, doing: str) -> HttpFailure:
    reason = REASON_OF_ERRNO.get(error.errno or 0, UNREACHABLE)
    return HttpFailure(reason, f"{doing}: {error.strerror or error}")
