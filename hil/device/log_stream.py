"""A board's log over HTTP, read while something else is tested."""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from hil.agent.replies import Done
from hil.board.interfaces import Instant
from hil.board.sight import TRAFFIC
from hil.clock import Clock
from hil.device.actions import Actions
from hil.timeline.events import Acted


class Channels(Protocol):
    """What reads streams: :class:`hil.capture.client.Capture`."""

    def add(self, message: Mapping[str, Any], *fds: int) -> None: ...
    def sync(self) -> None: ...


@contextmanager
def reading(
    connect: Callable[[], socket.socket], path: str, channels: Channels, actions: Actions, clock: Clock
) -> Iterator[Acted]:
    """Ask for the stream at ``path``; it is read until the end of the block.

    Args:
        connect: brings a connected socket.
        path: of the stream.
        channels: reads it, and tells what comes as events.
        actions: records the begin and the end.
        clock: for their instants.

    Yields:
        When it was asked for.
    """

    def ask() -> Instant:
        with connect() as sock:
            began_ns = clock.now_ns()
            message = {"add": "stream", "board": actions.board, "path": path, "host": _host(sock)}
            channels.add(message, sock.fileno())
            return Done(began_ns, 0)

    def hang_up() -> Instant:
        began_ns = clock.now_ns()
        channels.add({"close": "stream", "board": actions.board})
        channels.sync()
        ended_ns = clock.now_ns()
        return Done((began_ns + ended_ns) // 2, (ended_ns - began_ns) // 2 + 1)

    opened = actions.perform("open_log_stream", TRAFFIC, ask, path)
    try:
        yield opened
    finally:
        actions.perform("close_log_stream", TRAFFIC, hang_up, path)


def _host(sock: socket.socket) -> str:
    peer = sock.getpeername()
    return str(peer[0]) if isinstance(peer, tuple) else "board"
