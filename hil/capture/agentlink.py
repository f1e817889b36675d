"""The capture process's own connection to the agent: serial ports that come and go, interfaces that are adopted."""

import json
import os
import socket
from collections.abc import Callable
from typing import Any

from hil.capture.source import Moment, Source
from hil.timeline.events import Acted, Event

LONGEST = 1 << 16
MESSAGES_A_ROUND = 64

Notified = Callable[[dict[str, Any], list[int], Moment], list[Event]]
"""Takes a notification and the descriptors that came with it, which it owns."""


class AgentSource(Source):
    """Notifications of the agent; serial ports go to ``notified``, everything else becomes an event."""

    channel = "agent"

    def __init__(self, connection: socket.socket, notified: Notified) -> None:
        super().__init__(connection.fileno())
        self._socket = connection
        self._notified = notified
        connection.setblocking(False)

    def read(self, now: Moment) -> list[Event]:
        found: list[Event] = []
        self.more = False
        for _ in range(MESSAGES_A_ROUND):
            try:
                data, fds, _, _ = socket.recv_fds(self._socket, LONGEST, 8)
            except BlockingIOError:
                break
            except OSError as error:
                return [*found, *self._over(error.strerror or str(error), now)]
            if not data:
                return [*found, *self._over("it has closed the connection", now)]
            found += self._message(data, fds, now)
        else:
            self.more = True
        return found

    def _over(self, reason: str, now: Moment) -> list[Event]:
        self.ended = True
        return [self.gap(now, f"no more serial ports: the agent is gone: {reason}")]

    def _message(self, data: bytes, fds: list[int], now: Moment) -> list[Event]:
        try:
            message = json.loads(data)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict) or "error" in message:
            close_all(fds)
            words = message["error"] if isinstance(message, dict) else f"no JSON object: {data[:80]!r}"
            return [self.gap(now, f"the agent says: {words}")]
        if message.get("notify") in ("tty_opened", "tty_gone"):
            return self._notified(message, fds, now)
        close_all(fds)
        return self._other(message, now)

    def _other(self, message: dict[str, Any], now: Moment) -> list[Event]:
        """``{"notify": "interface_adopted", "board", "interface", "t_ns"}`` and its like; replies are passed over."""
        name = message.pop("notify", None)
        if not isinstance(name, str):
            return []
        board, t_ns = message.pop("board", None) or "", message.pop("t_ns", None)
        moment = Moment(t_ns, 0) if type(t_ns) is int else now
        detail = " ".join(f"{key}={value}" for key, value in message.items())
        return [Acted(name, "nothing", detail, **moment.stamp(str(board), self.channel))]

    def close(self) -> None:
        self._socket.close()
        self._fd = -1


def close_all(fds: list[int]) -> None:
    """Descriptors that nobody wants."""
    for fd in fds:
        os.close(fd)
