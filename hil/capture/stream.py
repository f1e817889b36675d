"""Server-sent events of a board as they come: a request on a connected socket, then every line with its time.

A stream has no end of its own, so it is read where everything live is read; a board that cannot get rid of its lines
would stand still for the sake of a slow test.
"""

import socket
from contextlib import suppress
from typing import Any

import h11

from hil.capture.http import CUT, HEADER_LIMIT, MALFORMED
from hil.capture.source import Moment, Source
from hil.errors import WireError
from hil.timeline.events import Event, StreamClosed, StreamComment, StreamLine, StreamOpened
from hil.wire.sse import SseComment, SseParser

CHUNK = 1 << 16
RELEASED, ENDED = "released", "ended"
"""Values of ``StreamClosed.reason``, beside ``cut`` and ``malformed`` of :mod:`hil.capture.http`."""


class StreamSource(Source):
    """One request for a stream.

    Args:
        sock: connected to the board; closed with the source.
        board: its name.
        path: what is asked for.
        host: for the Host header.
    """

    channel = "http"

    def __init__(self, sock: socket.socket, board: str, path: str, host: str) -> None:
        super().__init__(sock.fileno(), board)
        self.path = path
        self._socket = sock
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADER_LIMIT)
        self._parser = SseParser()
        self._received = 0
        sock.setblocking(False)
        headers = [("Host", host), ("Accept", "text/event-stream"), ("Cache-Control", "no-cache")]
        request = self._http.send(h11.Request(method="GET", target=path, headers=headers)) or b""
        with suppress(OSError):  # reading tells it; a request is no longer than a new socket's buffer
            sock.sendall(request + (self._http.send(h11.EndOfMessage()) or b""))

    def read(self, now: Moment) -> list[Event]:
        try:
            data = self._socket.recv(CHUNK)
        except BlockingIOError:
            return []
        except OSError as error:
            return self._closed(CUT, error.strerror or str(error), now)
        self.more = len(data) == CHUNK
        self._received += len(data)
        try:
            self._http.receive_data(data)
            return self._understood(ended=not data, now=now)
        except h11.RemoteProtocolError as error:
            return self._closed(MALFORMED if data else CUT, f"after {self._received} bytes: {error}", now)

    def _understood(self, ended: bool, now: Moment) -> list[Event]:
        found: list[Event] = []
        while not self.ended:
            event = self._http.next_event()
            match event:
                case h11.Response():
                    content_type = dict(event.headers).get(b"content-type", b"").decode("latin-1")
                    found.append(StreamOpened(self.path, event.status_code, content_type, **self._stamp(now)))
                case h11.Data():
                    found += self._told(bytes(event.data), now)
                case h11.EndOfMessage() | h11.ConnectionClosed() | h11.PAUSED:
                    found += self._closed(ENDED, f"after {self._received} bytes", now)
                case h11.NEED_DATA:
                    break
        if ended and not self.ended:
            found += self._closed(CUT, f"after {self._received} bytes", now)
        return found

    def _told(self, data: bytes, now: Moment) -> list[Event]:
        try:
            said = self._parser.feed(data)
        except WireError as error:
            return self._closed(MALFORMED, str(error), now)
        return [self._event(each, now) for each in said]

    def _event(self, said: object, now: Moment) -> Event:
        if isinstance(said, SseComment):
            return StreamComment(self.path, said.text, **self._stamp(now))
        return StreamLine(self.path, getattr(said, "data", ""), **self._stamp(now))

    def released(self, now: Moment) -> list[Event]:
        """The test has had enough; the caller closes the source."""
        return self._closed(RELEASED, f"after {self._received} bytes", now)

    def _closed(self, reason: str, detail: str, now: Moment) -> list[Event]:
        if self.ended:
            return []
        self.ended = True
        return [StreamClosed(self.path, reason, detail, **self._stamp(now))]

    def _stamp(self, now: Moment) -> dict[str, Any]:
        return now.stamp(self.board, self.channel)

    def close(self) -> None:
        self._socket.close()
        self._fd = -1
