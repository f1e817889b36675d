"""Clients on one asyncio loop: messages in, answers and notifications out, and everything undone when a client ends."""

import asyncio
import logging
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hil.agent import protocol
from hil.agent.replies import PortHeld, PortWatched
from hil.agent.server import uevents
from hil.agent.server.connection import Connection, peer_of
from hil.agent.server.locks import BoardBusy
from hil.agent.server.machine import Machine
from hil.agent.server.operations import Answer, ConnectFailed, Operations
from hil.agent.server.sessions import Session
from hil.clock import now_ns
from hil.errors import AgentError, AgentRefused, HilError, SetupError, VirtualBoardError
from hil.wire.uevent import KernelUevent

_AT_ONCE = 64
"""Requests of one connection that may be under way."""
_WORKERS = 4 * _AT_ONCE
"""Calls into the kernel that may be under way. Boards that do not answer hold theirs for seconds, and nobody else's may
wait for that."""
_KINDS: tuple[tuple[type[Exception], str], ...] = (
    (protocol.ProtocolError, "invalid"),
    (AgentRefused, "not_allowed"),
    (BoardBusy, "busy"),
    (PortWatched, "watched"),
    (PortHeld, "held"),
    (SetupError, "setup"),
    (VirtualBoardError, "virtual"),
)
_log = logging.getLogger("hil.agent")


def kind_of(error: Exception) -> str:
    """The reply's ``kind`` for an error, one of :data:`hil.agent.protocol.KINDS`."""
    if isinstance(error, ConnectFailed):
        return error.kind
    return next((kind for cause, kind in _KINDS if isinstance(error, cause)), "failed")


class Server:
    """The agent's loop side; made inside a running loop."""

    def __init__(self, machine: Machine) -> None:
        """
        Raises:
            OSError: the kernel gives no uevent socket.
        """
        self._machine = machine
        self._operations = Operations(machine)
        self._sessions: list[Session] = []
        self._endings: set[asyncio.Task[None]] = set()
        self._last_restored: str | None = None
        self._idle = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(_WORKERS, "hil-agent"))
        self._uevents = machine.home.run(uevents.open_socket)
        self._loop.add_reader(self._uevents, self._uevents_wait)

    def recover(self) -> None:
        """Undo what killed agents have left; the next client is told."""
        self._restored(self._machine.recover())

    def accept(self, connection: socket.socket) -> None:
        """A new client on a connected SOCK_SEQPACKET socket, which the server owns from now on."""
        session = Session(peer_of(connection))
        self._sessions.append(session)
        self._idle.clear()
        self._attach(session, connection)

    async def until_idle(self) -> None:
        """Return when no client is left and everything of theirs is undone."""
        await self._idle.wait()

    async def close(self) -> None:
        """End every client and undo what they did."""
        for session in list(self._sessions):
            session.main.close()
        if self._sessions:
            await self.until_idle()
        self._loop.remove_reader(self._uevents)
        self._uevents.close()

    def _attach(self, session: Session, connection: socket.socket) -> None:
        def received(source: Connection, data: bytes) -> None:
            self._received(session, source, data)

        def closed(source: Connection) -> None:
            self._closed(session, source)

        session.connections.append(Connection(connection, received, closed))

    # ---- requests -------------------------------------------------------------------------------

    def _received(self, session: Session, connection: Connection, data: bytes) -> None:
        t0_ns = now_ns()
        try:
            request_id, request = protocol.parse_request(data)
        except protocol.ProtocolError as error:
            connection.send(protocol.refusal(error.request_id, "invalid", str(error), t0_ns, now_ns()))
            return
        if sum(source is connection for source in session.tasks.values()) >= _AT_ONCE:
            text = f"{_AT_ONCE} requests are under way on this connection; wait for a reply"
            connection.send(protocol.refusal(request_id, "failed", text, t0_ns, now_ns()))
            return
        task = self._loop.create_task(self._answer(session, connection, request_id, request))
        session.tasks[task] = connection
        task.add_done_callback(lambda done: self._done(session, connection, request_id, done))

    async def _answer(
        self, session: Session, connection: Connection, request_id: int, request: protocol.Request
    ) -> None:
        t0_ns = now_ns()
        try:
            result, descriptors = await self._carry_out(session, connection, request)
        except (HilError, OSError) as error:
            text = f"{request.op}: {error}"
            connection.send(protocol.refusal(request_id, kind_of(error), text, t0_ns, now_ns()))
        else:
            connection.send(protocol.reply(request_id, result, t0_ns, now_ns()), descriptors)

    async def _carry_out(self, session: Session, connection: Connection, request: protocol.Request) -> Answer:
        if isinstance(request, protocol.Hello):
            return self._hello(session, connection), []
        if isinstance(request, protocol.SecondConnection):
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._attach(session, ours)
            return None, [theirs.detach()]
        return await self._operations.carry_out(session, connection, request)

    def _hello(self, session: Session, connection: Connection) -> dict[str, Any]:
        allow = self._machine.allow
        told, self._last_restored = self._last_restored, None
        return {
            "version": protocol.VERSION,
            "pid": os.getpid(),
            "main": connection is session.main,
            "boards": sorted(allow.boards),
            "virtual": allow.virtual,
            "modules": list(allow.modules),
            "last_restored": told,
        }

    def _done(self, session: Session, connection: Connection, request_id: int, task: asyncio.Task[None]) -> None:
        session.tasks.pop(task, None)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("a request failed by a fault of the agent", exc_info=error)
            text = f"a fault of the agent itself, {type(error).__name__}: {error}; its log has the traceback"
            connection.send(protocol.refusal(request_id, "internal", text, now_ns(), now_ns()))

    # ---- ends -----------------------------------------------------------------------------------

    def _closed(self, session: Session, connection: Connection) -> None:
        if connection is not session.main:
            self._forget_listener(session, connection)
        elif not session.ended:
            session.ended = True
            task = self._loop.create_task(self._end(session))
            self._endings.add(task)
            task.add_done_callback(self._endings.discard)

    @staticmethod
    def _forget_listener(session: Session, connection: Connection) -> None:
        session.connections.remove(connection)
        for topic in session.unsubscribe(connection):
            session.drop_topic(topic)
            if topic[0] == "tty" and topic[1] in session.boards:
                watch = session.boards[topic[1]].watches.pop(topic[2], None)
                if watch is not None:
                    watch.close()

    async def _end(self, session: Session) -> None:
        try:
            for connection in session.connections[1:]:
                connection.close()
            await session.settle()
            self._restored(await session.undo.run())
        finally:
            self._sessions.remove(session)
            if not self._sessions:
                self._idle.set()

    def _restored(self, undone: list[str]) -> None:
        deeds = [line for line in undone if not line.startswith("lock on ")]
        if deeds:
            self._last_restored = "; ".join(deeds)
            _log.warning("BenchRestored: %s", self._last_restored)

    # ---- uevents --------------------------------------------------------------------------------

    def _uevents_wait(self) -> None:
        events = uevents.receive(self._uevents)
        if events is None:
            _log.warning("the kernel dropped uevents; looking at every board instead")
            self._look_everywhere()
            return
        for event in events:
            self.take(event)

    def take(self, event: KernelUevent) -> None:
        """React to one kernel uevent."""
        for board in (board for session in self._sessions for board in session.boards.values()):
            if event.subsystem == "net" and event.action in ("add", "move") and board.followed is not None:
                self._machine.follower.look(board.followed)
            elif event.subsystem == "tty":
                for watch in list(board.watches.values()):
                    watch.take(event)

    def _look_everywhere(self) -> None:
        for board in (board for session in self._sessions for board in session.boards.values()):
            if board.followed is not None:
                self._machine.follower.look(board.followed)
            for watch in board.watches.values():
                watch.look()


def require_seqpacket(connection: socket.socket) -> None:
    """
    Raises:
        AgentError: it is not a connected SOCK_SEQPACKET socket of the local machine.
    """
    if connection.family != socket.AF_UNIX or connection.type != socket.SOCK_SEQPACKET:
        raise AgentError(
            f"descriptor {connection.fileno()} is {connection.family.name} {connection.type.name}; "
            "wanted AF_UNIX SOCK_SEQPACKET"
        )
