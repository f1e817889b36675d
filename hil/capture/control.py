"""The control socket: SOCK_SEQPACKET, one JSON object a message, descriptors beside it (SCM_RIGHTS).

========================================================================  =====================================
``{"add": "board", "board", "paths": {"usb", "console"}, "profile": {…}}``  a board, its topology paths, its claims
``{"add": "packet" | "route", "board"}`` + socket                          of the board's namespace
``{"add": "uevent", "board"}`` + socket                                    '' or no board: the machine's namespace
``{"add": "uevent", "udev": true}``                                        udev's events, no descriptor needed
``{"add": "usbmon", "board", "bus"}`` + descriptor                         /dev/usbmonN
``{"add": "power", "board"}``                                              the board's runtime_status
``{"add": "kmsg"}`` + descriptor                                           /dev/kmsg
``{"add": "tty", "board", "port", "node", "t_ns", "dtr"}`` + descriptor    one opening of a serial port
``{"add": "stream", "board", "path", "host"}`` + connected socket          a request for server-sent events
``{"add": "agent"}`` + socket                                              a connection that brings serial ports
``{"close": "tty", "board", "port"}``                                      let go of a serial port
``{"close": "stream", "board"}``                                           hang up on it
``{"record": {…}}``                                                        an event, as a line of the timeline
``{"sync": n}``                                                            answered ``{"synced": n}`` once written
``{"sync": n, "closed": true}``                                            the same, and no port is being closed
``{"stop": true}``                                                         write what is held back, end
========================================================================  =====================================

End of file means stop. An answer that does not fit into the socket is dropped: nothing here waits for pytest.
"""

import json
import socket
from collections.abc import Callable
from typing import Any

from hil.capture.agentlink import close_all
from hil.capture.source import Moment, Source
from hil.timeline.events import Event

LONGEST = 1 << 20
MESSAGES_A_ROUND = 256

Handler = Callable[[dict[str, Any], list[int], Moment], list[Event]]
"""Carries out one message; owns the descriptors. ValueError, LookupError or OSError: the message is to blame."""


class ControlSource(Source):
    """Reads messages and hands them to the station."""

    channel = "control"

    def __init__(self, control: socket.socket, handle: Handler, over: Callable[[], None]) -> None:
        super().__init__(control.fileno())
        self._socket = control
        self._handle = handle
        self._over = over
        control.setblocking(False)

    def read(self, now: Moment) -> list[Event]:
        found: list[Event] = []
        self.more = False
        for _ in range(MESSAGES_A_ROUND):
            try:
                data, fds, _, _ = socket.recv_fds(self._socket, LONGEST, 8)
            except BlockingIOError:
                return found
            except OSError:
                data, fds = b"", []
            if not data:
                self.ended = True
                self._over()
                return found
            found += self._message(data, fds, now)
        self.more = True
        return found

    def _message(self, data: bytes, fds: list[int], now: Moment) -> list[Event]:
        try:
            message = json.loads(data)
            if not isinstance(message, dict):
                raise ValueError("wanted a JSON object")
        except (ValueError, RecursionError) as error:
            close_all(fds)
            return [self.gap(now, f"{data[:80]!r}: {error}", 0.0)]
        try:
            return self._handle(message, fds, now)
        except (ValueError, LookupError, OSError, ImportError) as error:
            return [self.gap(now, f"{data[:200]!r}: {type(error).__name__}: {error}")]

    def answer(self, message: dict[str, Any]) -> None:
        """Send, or drop where there is no room or nobody."""
        try:
            self._socket.send(json.dumps(message).encode(), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except OSError:
            return

    def close(self) -> None:
        self._socket.close()
        self._fd = -1
