"""The control socket of the virtual board's process: JSON lines, one answer a request."""

import json
import socket
import threading
from dataclasses import dataclass, field
from typing import Any

from hil.clock import Deadline
from hil.errors import VirtualBoardError

REPLY_S = 30.0
"""Under emulation an attach takes about half a second; the limit is for a process that hangs."""


@dataclass(frozen=True)
class Answer:
    """When a request took effect, and what came back."""

    t_ns: int
    t_err_ns: int
    values: dict[str, Any] = field(default_factory=dict)


class VirtualControl:
    """Asks the virtual board's process for things; may be called from several threads."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._buffer = b""
        self._lock = threading.Lock()
        self._asked = 1000
        """The agent used small numbers before it handed the socket over."""

    def do(self, what: str, **arguments: Any) -> Answer:
        """Ask for ``what`` and wait for its answer.

        Raises:
            VirtualBoardError: it was refused, the process ended, or nothing came within the deadline.
        """
        with self._lock:
            self._asked += 1
            request = json.dumps({"id": self._asked, "do": what, **arguments}).encode() + b"\n"
            deadline = Deadline(REPLY_S)
            try:
                self._socket.settimeout(deadline.left_s)
                self._socket.sendall(request)
                return self._answer(what, self._asked, deadline)
            except TimeoutError as error:
                raise VirtualBoardError(f"the virtual board did not answer {what!r} within {REPLY_S:g} s") from error
            except OSError as error:
                raise VirtualBoardError(
                    f"the virtual board's process is gone ({error.strerror}) at {what!r}"
                ) from error

    def close(self) -> None:
        """End the virtual board: its process cleans up when the control socket closes."""
        self._socket.close()

    def _answer(self, what: str, number: int, deadline: Deadline) -> Answer:
        while True:
            values = self._line(what, deadline)
            if values.get("notify") == "died":
                raise VirtualBoardError(f"the virtual board died at {what!r}: {values.get('error')}")
            if values.get("id") != number:
                continue
            if not values.get("ok"):
                raise VirtualBoardError(f"the virtual board refused {what!r}: {values.get('error')}")
            return Answer(t_ns=int(values["t_ns"]), t_err_ns=int(values.get("t_err_ns", 0)), values=values)

    def _line(self, what: str, deadline: Deadline) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            self._socket.settimeout(max(0.001, deadline.left_s))
            data = self._socket.recv(65536)
            if not data:
                raise VirtualBoardError(f"the virtual board's process ended at {what!r}")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        values: dict[str, Any] = json.loads(line)
        return values
