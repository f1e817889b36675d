"""hil.virtual.ipstack.dhcp_client: the client on the board's side of the cable, against the board's own server."""

import asyncio
from collections.abc import Awaitable, Callable

from hil import clock
from hil.virtual.ipstack.dhcp_client import BoardDhcpClient
from hil.virtual.ipstack.dhcp_server import DhcpPool, DhcpServer, reply_frame
from hil.wire import arp, dhcp
from hil.wire.arp import ArpPacket
from hil.wire.ethernet import ETHERTYPE_ARP, EthernetFrame
from tests.virtual.until import until

MAC, SERVER_MAC, OTHER_MAC = "02:02:11:22:33:02", "02:02:11:22:33:01", "02:00:00:53:51:01"
POOL = DhcpPool("10.0.0.1", 24, "10.0.0.7", "10.0.0.7")


class Wire:
    """A client and, while ``serves``, a server that answers it at once."""

    def __init__(self) -> None:
        self.serves = True
        self.sent: list[dhcp.DhcpMessage] = []
        self.asked: list[ArpPacket] = []
        self.held = ""
        """An address that another host answers for."""
        self.used: list[tuple[str, int]] = []
        self._server = DhcpServer(POOL, clock.now_ns())
        self._loop = asyncio.get_running_loop()
        self.client = BoardDhcpClient(
            MAC, self._send, lambda address, prefix: self.used.append((address, prefix)), check_s=0.01
        )

    def _send(self, frame: bytes) -> None:
        message = dhcp.from_frame(frame)
        if message is None:
            self._question(ArpPacket.parse(EthernetFrame.parse(frame).payload))
            return
        self.sent.append(message)
        reply = self._server.receive(message, clock.now_ns()) if self.serves else None
        if reply is not None:
            answer = reply_frame(reply, SERVER_MAC, POOL.server)
            self._loop.call_soon(lambda: self.client.receive(answer))

    def _question(self, asked: ArpPacket) -> None:
        self.asked.append(asked)
        if asked.target_ip == self.held:
            answer = ArpPacket(arp.REPLY, OTHER_MAC, self.held, MAC, arp.UNSPECIFIED_IP)
            frame = EthernetFrame(MAC, OTHER_MAC, ETHERTYPE_ARP, answer.pack()).pack()
            self._loop.call_soon(lambda: self.client.receive(frame))


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
    """DISCOVER and REQUEST as lwIP makes them, two ARP probes, then the address of the ACK, once."""

    async def scenario(wire: Wire) -> None:
        await until(lambda: wire.used)
        assert wire.used == [("10.0.0.7", 24)]
        assert [message.message_type for message in wire.sent] == [dhcp.DISCOVER, dhcp.REQUEST]
        assert [code for code, _ in wire.sent[0].options] == [53, 57, 55]
        assert wire.asked == [ArpPacket(arp.REQUEST, MAC, arp.UNSPECIFIED_IP, arp.UNSPECIFIED_MAC, "10.0.0.7")] * 2

    run(scenario)


def test_after_a_stop_nothing_is_said() -> None:
    """No timer is left that could send or use anything."""

    async def scenario(wire: Wire) -> None:
        wire.client.stop()
        before = len(wire.sent)
        await asyncio.sleep(0)
        assert (len(wire.sent), wire.used) == (before, [])

    run(scenario)


def test_an_address_that_another_host_has_is_declined() -> None:
    """The server is told, and the address is not used."""

    async def scenario(wire: Wire) -> None:
        wire.held = "10.0.0.7"
        await until(lambda: len(wire.sent) == 3)
        declined = wire.sent[-1]
        assert declined.message_type == dhcp.DECLINE
        assert declined.address_option(dhcp.OPTION_REQUESTED_ADDRESS) == "10.0.0.7"
        assert declined.address_option(dhcp.OPTION_SERVER_ID) == "10.0.0.1"
        assert (len(wire.asked), wire.used) == (1, [])

    run(scenario)
