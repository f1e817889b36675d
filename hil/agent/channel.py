"""The client's end of a connection: requests from any thread, notifications kept until somebody asks for them.

There is no reading thread. Of the threads that wait, one reads for all and hands each message to whom it belongs;
when its own reply has come, the next one takes over. :meth:`Channel.fileno` becomes readable when a notification may
be had, whether it still lies in the socket or was read by a thread that waited for a reply.
"""

import array
import contextlib
import math
import os
import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hil.agent import protocol
from hil.clock import Deadline
from hil.errors import AgentError

_DESCRIPTORS_LIMIT = 16
_ANCILLARY = socket.CMSG_SPACE(_DESCRIPTORS_LIMIT * array.array("i").itemsize)


@dataclass
class Message:
    """What came: the object, and the descriptors beside it, which belong to whoever takes the message."""

    values: dict[str, Any]
    descriptors: list[int] = field(default_factory=list)

    def close(self) -> None:
        """Close the descriptors."""
        while self.descriptors:
            os.close(self.descriptors.pop())


class Channel:
    """A connected SOCK_SEQPACKET socket with the agent at its other end."""

    def __init__(self, connection: socket.socket) -> None:
        """Takes ``connection`` over."""
        connection.setblocking(False)
        self._socket = connection
        self._changed = threading.Condition()
        self._reading = False
        self._next_id = 0
        self._awaited: set[int] = set()
        self._replies: dict[int, Message] = {}
        self._notifications: deque[Message] = deque()
        self._ended = ""
        self._signal = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll = select.epoll()
        self._epoll.register(connection, select.EPOLLIN)
        self._epoll.register(self._signal, select.EPOLLIN)

    def fileno(self) -> int:
        """A descriptor that is readable when :meth:`notifications` may have something."""
        return self._epoll.fileno()

    def call(self, request: protocol.Request, within_s: float) -> Message:
        """Send a request and return its reply, which may be a refusal.

        Raises:
            AgentError: the agent went away, or did not answer within ``within_s``.
        """
        deadline = Deadline(within_s)
        request_id = self._send(request)
        try:
            while True:
                with self._changed:
                    if request_id in self._replies:
                        return self._replies.pop(request_id)
                if deadline.passed:
                    raise AgentError(f"{request.op}: the agent did not answer within {within_s} s")
                self._step(request.op, deadline, lambda: request_id in self._replies)
        finally:
            with self._changed:
                self._awaited.discard(request_id)
                late = self._replies.pop(request_id, None)
            if late is not None:
                late.close()

    def notifications(self, timeout_s: float) -> list[Message]:
        """Every notification that has come; where none has, wait ``timeout_s`` for one.

        Raises:
            AgentError: the agent went away and no notification is left.
        """
        deadline = Deadline(timeout_s)
        while True:
            with self._changed:
                while not self._reading and self._read_one():  # a thread that polls would not see what is taken from it
                    self._changed.notify_all()
                if self._notifications:
                    return self._take_all()
            if deadline.passed:
                self._require_open("notifications")
                return []
            self._step("notifications", deadline, lambda: bool(self._notifications))

    def close(self) -> None:
        """Close the connection and every descriptor that nobody took; the agent undoes what this client did."""
        with self._changed:
            if self._socket.fileno() < 0:
                return
            self._ended = "it was closed by this process"
            self._epoll.close()
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that polls; closing alone does not
            self._socket.close()
            os.close(self._signal)
            for message in (*self._replies.values(), *self._notifications):
                message.close()
            self._replies.clear()
            self._notifications.clear()
            self._changed.notify_all()

    def _send(self, request: protocol.Request) -> int:
        with self._changed:
            self._require_open(request.op)
            self._next_id += 1
            request_id = self._next_id
            self._awaited.add(request_id)
            try:
                self._socket.send(protocol.pack_request(request_id, request))
            except OSError as error:
                self._awaited.discard(request_id)
                raise AgentError(f"{request.op}: the agent cannot be asked: {error.strerror}") from error
            return request_id

    def _step(self, what: str, deadline: Deadline, come: Callable[[], bool]) -> None:
        """Wait for one change: read it, or let the thread that reads do so. What has ``come`` by now is not waited for:
        whoever read it told of it before, and nothing else may follow.

        Raises:
            AgentError: the connection has ended.
        """
        with self._changed:
            if come():
                return
            self._require_open(what)
            if self._reading:
                self._changed.wait(deadline.left_s)
                return
            self._reading = True
        try:
            waiting = select.poll()
            waiting.register(self._socket, select.POLLIN)
            waiting.poll(math.ceil(deadline.left_s * 1000))
        finally:
            with self._changed:
                self._reading = False
                self._read_one()
                self._changed.notify_all()

    def _read_one(self) -> bool:
        """Take one message off the socket, if there is one; the lock is held."""
        if self._socket.fileno() < 0:
            return False
        try:
            data, ancillary, _, _ = self._socket.recvmsg(protocol.MESSAGE_LIMIT, _ANCILLARY, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return False
        except OSError as error:
            self._ended = f"reading failed: {error.strerror}"
            return False
        message = Message({}, _descriptors(ancillary))
        if not data:
            self._ended = "it closed the connection"
            return False
        message.values = protocol.parse(data)
        self._sort(message)
        return True

    def _sort(self, message: Message) -> None:
        reply_id = message.values.get("id")
        if "notify" in message.values:
            self._notifications.append(message)
            os.eventfd_write(self._signal, 1)
        elif reply_id in self._awaited:
            self._replies[reply_id] = message
        else:
            message.close()  # its caller has given up

    def _take_all(self) -> list[Message]:
        taken = list(self._notifications)
        self._notifications.clear()
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._signal)
        return taken

    def _require_open(self, what: str) -> None:
        if self._ended:
            raise AgentError(f"{what}: the agent is gone: {self._ended}")


def _descriptors(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    found = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return list(found)
