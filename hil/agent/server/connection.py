"""One SOCK_SEQPACKET connection on the loop: whole messages in, whole messages with descriptors out."""

import array
import asyncio
import os
import socket
import struct
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hil.agent import protocol

_WAITING_LIMIT = 512
"""Messages that wait for a client that does not read; one more and the connection ends."""
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True)
class Peer:
    """Who is at the other end (SO_PEERCRED): the process that connected, or made the socketpair."""

    pid: int
    uid: int


def peer_of(connection: socket.socket) -> Peer:
    pid, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return Peer(pid, uid)


class Connection:
    """Reads messages as they come, sends them in order, keeps none of the descriptors it is given to send."""

    def __init__(
        self,
        connection: socket.socket,
        received: Callable[["Connection", bytes], None],
        closed: Callable[["Connection"], None],
    ) -> None:
        """
        Args:
            connection: connected, owned from now on.
            received: called with each message; one longer than the limit comes cut to the limit plus one byte.
            closed: called once, when the peer is gone or has been dropped.
        """
        connection.setblocking(False)
        self._socket = connection
        self._received = received
        self._closed = closed
        self._waiting: deque[tuple[bytes, list[int]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(connection, self._readable)

    @property
    def open(self) -> bool:
        return self._socket.fileno() >= 0

    def send(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Send a message; the descriptors are closed once sent, or at once where the connection has ended."""
        if not self.open or len(self._waiting) >= _WAITING_LIMIT:
            _close_all(descriptors)
            self.close()
            return
        self._waiting.append((protocol.pack(message), list(descriptors)))
        self._writable()

    def close(self) -> None:
        """End the connection; ``closed`` is called where it has not been."""
        if not self.open:
            return
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        for _, descriptors in self._waiting:
            _close_all(descriptors)
        self._waiting.clear()
        self._closed(self)

    def _readable(self) -> None:
        try:
            # No room for ancillary data: the kernel drops descriptors that a client sends.
            data = self._socket.recv(protocol.MESSAGE_LIMIT + 1)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._received(self, data)
        else:
            self.close()

    def _writable(self) -> None:
        while self._waiting:
            data, descriptors = self._waiting[0]
            try:
                self._socket.sendmsg([data], _rights(descriptors))
            except BlockingIOError:
                self._loop.add_writer(self._socket, self._writable)
                return
            except OSError:
                self.close()
                return
            self._waiting.popleft()
            _close_all(descriptors)
        self._loop.remove_writer(self._socket)


def _rights(descriptors: list[int]) -> list[tuple[int, int, "array.array[int]"]]:
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []


def _close_all(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
