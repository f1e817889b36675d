"""One task serves everything, as esp_http_server does."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from hil.virtual.ipstack.http_server import BACKLOG, MAX_SOCKETS, HttpServer

WITHIN_S = 5.0


@dataclass
class Answer:
    status: int = 200
    content_type: str = "text/plain"
    body: bytes = b"ok"
    headers: tuple[tuple[str, str], ...] = ()
    stream: bool = False
    blocks: bool = False


class Handlers:
    """Answers every path with itself; /logs streams what is put into ``chunks``."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.served: list[str] = []
        self.refusals: list[int] = []
        self.blocks = False

    def respond(self, method: str, path: str) -> Answer:
        self.served.append(f"{method} {path}")
        if path == "/none":
            return Answer(404, "text/html", b"Nothing matches the given URI")
        return Answer(stream=path == "/logs", body=path.encode(), blocks=self.blocks)

    def refused(self, status: int) -> None:
        self.refusals.append(status)

    def open_stream(self) -> Callable[[], bytes | None]:
        return lambda: self.chunks.pop(0) if self.chunks else None


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def get(self, path: str) -> bytes:
        """The body of the answer to one request on this connection."""
        self.writer.write(f"GET {path} HTTP/1.1\r\n\r\n".encode())
        head = await self.head()
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        return await self.reader.readexactly(length)

    async def head(self) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WITHIN_S)

    async def ended(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(), WITHIN_S) == b""
        except ConnectionResetError:
            return True


class Bench:
    """A server on a loopback port and the clients that talk to it."""

    def __init__(self, single_task: bool, timeout_s: float) -> None:
        self.handlers = Handlers()
        listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._port = listener.getsockname()[1]
        self._server = HttpServer(listener, self.handlers, single_task=single_task, timeout_s=timeout_s)
        self._task = asyncio.create_task(self._server.run())
        self._clients: list[Client] = []

    async def client(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self._port))
        self._clients.append(client)
        return client

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._server.close()
        for client in self._clients:
            client.writer.close()
            await asyncio.gather(client.writer.wait_closed(), return_exceptions=True)


@asynccontextmanager
async def bench(single_task: bool = False, timeout_s: float = WITHIN_S) -> AsyncIterator[Bench]:
    made = Bench(single_task, timeout_s)
    try:
        yield made
    finally:
        await made.close()


def test_a_connection_serves_one_request_after_the_other() -> None:
    """Connections are kept open after a success."""

    async def scenario() -> None:
        async with bench() as made:
            client = await made.client()
            assert [await client.get("/a"), await client.get("/b")] == [b"/a", b"/b"]

    asyncio.run(scenario())


def test_two_requests_in_one_segment_are_both_answered() -> None:
    """A pipelined request waits in the session and is served next."""

    async def scenario() -> None:
        async with bench() as made:
            client = await made.client()
            client.writer.write(b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz")
            assert await client.get("/b") == b"/a"
            assert await client.head()
            assert made.handlers.served == ["POST /a", "GET /b"]

    asyncio.run(scenario())


def test_an_error_answer_ends_its_connection() -> None:
    """After 404 the server closes, as a failed handler makes it do."""

    async def scenario() -> None:
        async with bench() as made:
            client = await made.client()
            assert await client.get("/none") == b"Nothing matches the given URI"
            assert await client.ended()

    asyncio.run(scenario())


def test_a_request_that_is_none_is_told_to_the_firmware() -> None:
    """The server answers it by itself; no handler sees it."""

    async def scenario() -> None:
        async with bench() as made:
            client = await made.client()
            client.writer.write(b"\x16\x03\x01 nonsense\r\n\r\n")
            assert (await client.head()).startswith(b"HTTP/1.1 400 ")
            assert (made.handlers.refusals, made.handlers.served) == ([400], [])

    asyncio.run(scenario())


def test_half_a_request_holds_up_everybody_until_the_timeout() -> None:
    """The one task waits for the slow client, answers 408, and serves the other only then."""

    async def scenario() -> None:
        async with bench(timeout_s=0.05) as made:
            slow, quick = await made.client(), await made.client()
            assert await quick.get("/a") == b"/a"
            slow.writer.write(b"GET /slow HT")
            answer = asyncio.create_task(quick.get("/b"))
            assert (await slow.head()).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
            assert await answer == b"/b"

    asyncio.run(scenario())


def test_the_longest_idle_connection_makes_room_for_a_new_one() -> None:
    """With seven connections open, an eighth is served and the least recently used one is closed."""

    async def scenario() -> None:
        async with bench() as made:
            clients = [await made.client() for _ in range(MAX_SOCKETS)]
            for client in clients:
                await client.get("/a")
            await clients[0].get("/again")
            eighth = await made.client()
            assert await eighth.get("/b") == b"/b"
            assert await clients[1].ended()
            assert await clients[0].get("/c") == b"/c"

    asyncio.run(scenario())


def test_an_open_log_stream_blocks_nobody() -> None:
    """While one client reads /logs another one is answered, and the stream goes on."""

    async def scenario() -> None:
        async with bench() as made:
            reader, other = await made.client(), await made.client()
            made.handlers.chunks = [b"data: one\n\n"]
            reader.writer.write(b"GET /logs HTTP/1.1\r\n\r\n")
            assert b"Transfer-Encoding: chunked" in await reader.head()
            assert await other.get("/status") == b"/status"
            assert await reader.reader.readuntil(b"\n\n\r\n") == b"b\r\ndata: one\n\n\r\n"

    asyncio.run(scenario())


@pytest.mark.parametrize("single_task", [True, False], ids=["the build", "the handler"])
def test_a_stream_sent_by_its_handler_holds_up_everybody(single_task: bool) -> None:
    """The request of the other client is accepted and not answered until the stream's client is gone."""

    async def scenario() -> None:
        async with bench(single_task=single_task) as made:
            made.handlers.blocks = not single_task
            reader, other = await made.client(), await made.client()
            assert await other.get("/before") == b"/before"
            reader.writer.write(b"GET /logs HTTP/1.1\r\n\r\n")
            await reader.head()
            waiting = asyncio.create_task(other.get("/status"))
            made.handlers.chunks = [b"data: one\n\n"]
            await reader.reader.readuntil(b"\n\n\r\n")
            assert (waiting.done(), made.handlers.served) == (False, ["GET /before", "GET /logs"])
            reader.writer.transport.abort()
            made.handlers.chunks = [b"x"] * 3
            assert await waiting == b"/status"

    asyncio.run(scenario())
