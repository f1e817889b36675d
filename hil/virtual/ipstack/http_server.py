"""``esp_http_server``: one task that reads, answers and only then looks at the next connection.

Theory of operation. Everything happens in :meth:`HttpServer.run`, one coroutine, as in ``httpd_server`` of ESP-IDF's
``httpd_main.c``: wait until some socket is readable, serve each readable connection to the end of its request, accept.
A client that sends half a request therefore holds up everyone else until the receive timeout. With ``lru_purge`` a
new connection takes the place of the one that was idle longest. A stream (``/logs``) is sent beside the server's task,
as ``firmware/components/web`` does; an answer that ``blocks``, and any with ``single_task=True``, is the firmware that
loops inside the handler instead and serves nobody else while it does. A vanished reader is noticed when a send fails,
and not before.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from hil.virtual.ipstack.http_request import Refusal, Request, RequestParser, answer_head, chunk, refusal_answer
from hil.virtual.ipstack.interface import HttpAnswer, HttpBackend

MAX_SOCKETS = 7
"""``max_open_sockets`` of HTTPD_DEFAULT_CONFIG."""
BACKLOG = 5
TIMEOUT_S = 5.0
"""``recv_wait_timeout`` and ``send_wait_timeout``."""
STREAM_POLL_S = 0.05
"""The pause between two looks at the log ring in the firmware's stream handler."""
BLOCK = 128
"""PARSER_BLOCK_SIZE: bytes read at a time."""
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER on, 0 s: closing leaves nothing behind."""


@dataclass(eq=False, slots=True)
class Session:
    connection: socket.socket
    used: int
    """Order of last use; the lowest goes first."""
    parser: RequestParser = field(default_factory=RequestParser)
    streaming: bool = False


class HttpServer:
    """Serves one listening socket; :meth:`close` cuts every connection without a word."""

    def __init__(
        self, listener: socket.socket, backend: HttpBackend, *, single_task: bool = False, timeout_s: float = TIMEOUT_S
    ) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._backend = backend
        self._single_task = single_task
        self._timeout_s = timeout_s
        self._sessions: list[Session] = []
        self._streams: set[asyncio.Task[None]] = set()
        self._uses = 0
        self._look_again: Callable[[], None] = lambda: None

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            for session in await self._readable():
                if not await self._serve(session):
                    self._drop(session)

    def close(self) -> None:
        """Cut all connections and stop listening; the task in :meth:`run` is the caller's to cancel."""
        for task in self._streams:
            task.cancel()
        for session in self._sessions:
            _cut(session.connection)
        self._sessions.clear()
        self._listener.close()

    # ---- waiting

    async def _readable(self) -> list[Session]:
        """The connections with something to read; new ones are accepted on the way."""
        idle = [session for session in self._sessions if not session.streaming]
        pending = [session for session in idle if session.parser.rest]
        if pending:
            return pending
        accepting = len(self._sessions) < MAX_SOCKETS or bool(idle)
        ready = await self._wait([each.connection for each in idle], accepting)
        if self._listener in ready:
            self._accept()
        return [session for session in idle if session.connection in ready and session in self._sessions]

    async def _wait(self, connections: list[socket.socket], accepting: bool) -> set[socket.socket]:
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        ready: set[socket.socket] = set()

        def mark(one: socket.socket) -> None:
            ready.add(one)
            woken.set()

        watched = [*connections, self._listener] if accepting else connections
        self._look_again = woken.set
        for each in watched:
            loop.add_reader(each, mark, each)
        try:
            await woken.wait()
        finally:
            for each in watched:
                loop.remove_reader(each)
        return ready

    def _accept(self) -> None:
        idle = [session for session in self._sessions if not session.streaming]
        if len(self._sessions) >= MAX_SOCKETS:
            self._drop(min(idle, key=lambda session: session.used))
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sessions.append(Session(connection, self._use()))

    def _use(self) -> int:
        self._uses += 1
        return self._uses

    def _drop(self, session: Session) -> None:
        if session in self._sessions:
            self._sessions.remove(session)
            session.connection.close()
        self._look_again()

    # ---- one request

    async def _serve(self, session: Session) -> bool:
        """Read one request and answer it; False where the connection ends with it."""
        session.used = self._use()
        try:
            request = await self._read_request(session)
            if request is None:
                return False
            if isinstance(request, Refusal):
                self._backend.refused(request.status)
                await self._send(session, refusal_answer(request))
                return False
            return await self._respond(session, request)
        except (OSError, TimeoutError):
            return False

    async def _read_request(self, session: Session) -> Request | Refusal | None:
        """None where the client closed."""
        request = session.parser.feed(b"")
        while request is None:
            try:
                data = await self._receive(session)
            except TimeoutError:
                return Refusal(408)
            if not data:
                return None
            request = session.parser.feed(data)
        return request

    async def _respond(self, session: Session, request: Request) -> bool:
        answer = self._backend.respond(request.method, request.target)
        if answer.stream:
            await self._send(session, answer_head(answer.status, answer.content_type, None, answer.headers))
            await self._start_stream(session, alone=self._single_task or answer.blocks)
            return session in self._sessions
        head = answer_head(answer.status, answer.content_type, len(answer.body), answer.headers)
        await self._send(session, head + answer.body)
        await self._purge(session, request.body_length)
        return not _closes(answer)

    async def _purge(self, session: Session, body_length: int) -> None:
        left = session.parser.skip_body(body_length)
        while left > 0:
            data = await self._receive(session)
            if not data:
                raise ConnectionResetError("closed inside the body of a request")
            session.parser.rest += data
            left = session.parser.skip_body(left)

    async def _receive(self, session: Session) -> bytes:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._timeout_s):
            return await loop.sock_recv(session.connection, BLOCK)

    async def _send(self, session: Session, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._timeout_s):
            await loop.sock_sendall(session.connection, data)

    # ---- streams

    async def _start_stream(self, session: Session, alone: bool) -> None:
        session.streaming = True
        if alone:
            await self._stream(session)
            return
        task = asyncio.create_task(self._stream(session))
        self._streams.add(task)
        task.add_done_callback(self._streams.discard)

    async def _stream(self, session: Session) -> None:
        next_chunk = self._backend.open_stream()
        try:
            while True:
                data = next_chunk()
                if data is None:
                    await asyncio.sleep(STREAM_POLL_S)
                else:
                    await self._send(session, chunk(data))
        except (OSError, TimeoutError):
            self._drop(session)


def _closes(answer: HttpAnswer) -> bool:
    """``httpd_resp_send_err`` makes the handler fail, and a failed handler ends the connection."""
    return answer.status >= 400


def _cut(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    connection.close()
