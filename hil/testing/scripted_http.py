"""The far ends of HTTP exchanges over socketpairs: each has its reply ready before it is asked."""

import json
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

_DRIP_S = 0.02
_END_S = 5.0


def reply(body: bytes, status: int = 200, content_type: str = "text/plain") -> bytes:
    """A whole reply."""
    head = f"HTTP/1.1 {status} Something\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def version(uptime_ms: object) -> bytes:
    """A whole reply of ``/version``."""
    return reply(json.dumps({"project": "x", "uptime_ms": uptime_ms}).encode())


def event_log(*entries: str, discarded: int = 0) -> bytes:
    """A whole reply of ``/events`` with lines such as ``[ 12 ms] NAME: detail``."""
    lost = [f"=== {discarded} EVENTS DISCARDED ==="] if discarded else []
    lines = [f"=== CRITICAL EVENTS ({len(entries)} recorded) ===", *lost, "", *entries, "", "=== STATUS FLAGS ==="]
    return reply("\n".join(lines).encode())


class ScriptedHttp:
    """Makes sockets that answer; closes all that it made."""

    def __init__(self) -> None:
        self._far: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(_END_S)
        for far in self._far:
            far.close()

    def says(self, data: bytes) -> socket.socket:
        """The near end of a connection on which ``data`` comes at once, and then the end."""
        near, far = self._pair()

        def say() -> None:
            far.sendall(data)
            far.shutdown(socket.SHUT_WR)

        self._start(say)
        return near

    def drips(self, data: bytes) -> socket.socket:
        """The near end of a connection on which a byte comes now and then."""
        near, far = self._pair()

        def drip() -> None:
            for at in range(len(data)):
                far.send(data[at : at + 1])
                if self._over.wait(_DRIP_S):
                    return

        self._start(drip)
        return near

    def silent(self) -> socket.socket:
        """The near end of a connection on which nothing comes."""
        return self._pair()[0]

    def _pair(self) -> tuple[socket.socket, socket.socket]:
        near, far = socket.socketpair()
        self._far.append(far)
        return near, far

    def _start(self, talk: Callable[[], None]) -> None:
        def run() -> None:
            try:
                talk()
            except OSError:
                return  # the near end has had enough

        self._threads.append(threading.Thread(target=run, daemon=True))
        self._threads[-1].start()
