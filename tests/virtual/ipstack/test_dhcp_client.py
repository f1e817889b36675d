"""hil.virtual.ipstack.dhcp_client: the client on the board's side of the cable, against the board's own server."""

import asyncio
from collections.abc import Awaitable, Callable

from hil import clock
from hil.virtual.ipstack.dhcp_client import BoardDhcpClient
from hil.virtual.ipstack.dhcp_server import DhcpPool, DhcpServer, reply_frame
from hil.wire import dhcp
from tests.virtual.until import until

MAC, SERVER_MAC = "02:02:11:22:33:02", "02:02:11:22:33:01"
POOL = DhcpPool("10.0.0.1", 24, "10.0.0.7", "10.0.0.7")


class Wire:
    """A client and, while ``serves``, a server that answers it at once."""

    def __init__(self) -> None:
        self.serves = True
        self.sent: list[dhcp.DhcpMessage] = []
        self.used: list[tuple[str, int]] = []
        self._server = DhcpServer(POOL, clock.now_ns())
        self._loop = asyncio.get_running_loop()
        self.client = BoardDhcpClient(MAC, self._send, lambda address, prefix: self.used.append((address, prefix)))

    def _send(self, frame: bytes) -> None:
        message = dhcp.from_frame(frame)
        assert message is not None
        self.sent.append(message)
        reply = self._server.receive(message, clock.now_ns()) if self.serves else None
        if reply is not None:
            answer = reply_frame(reply, SERVER_MAC, POOL.server)
            self._loop.call_soon(lambda: self.client.receive(answer))


def run(scenario: Callable[[Wire], Awaitable[None]]) -> None:
    async def whole() -> None:
        wire = Wire()
        try:
            async with asyncio.timeout(5.0):
                await scenario(wire)
        finally:
            wire.client.stop()

    asyncio.run(whole())


def test_an_address_is_asked_for_and_used() -> None:
    """DISCOVER and REQUEST as lwIP makes them, then the address of the ACK, once."""

    async def scenario(wire: Wire) -> None:
        await until(lambda: wire.used)
        assert wire.used == [("10.0.0.7", 24)]
        assert [message.message_type for message in wire.sent] == [dhcp.DISCOVER, dhcp.REQUEST]
        assert [code for code, _ in wire.sent[0].options] == [53, 57, 55]

    run(scenario)


def test_after_a_stop_nothing_is_said() -> None:
    """No timer is left that could send or use anything."""

    async def scenario(wire: Wire) -> None:
        wire.client.stop()
        before = len(wire.sent)
        await asyncio.sleep(0)
        assert (len(wire.sent), wire.used) == (before, [])

    run(scenario)
