"""The board as a DHCP client and with a static address."""

import re
from dataclasses import replace

from hil import clock
from hil.testing.usbip_host import UsbipHost
from hil.virtual.ipstack.dhcp_server import DhcpPool, DhcpServer, reply_frame
from hil.wire import dhcp
from hil.wire.arp import REPLY, REQUEST, ArpPacket
from hil.wire.ethernet import ETHERTYPE_ARP, EthernetFrame
from hil.wire.ncm import NtbLimits, pack_ntb16
from tests.virtual.board_bench import FRAMES, QUICK, USB, Bench, received, run
from tests.virtual.until import until

CLIENT = replace(QUICK, role="dhcp-client", silence_ignored=1)


def test_a_dhcp_client_gets_its_address_from_the_host() -> None:
    """The board asks over the bus, uses what it is given, and says so; the lease goes with the link."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        pool = DhcpPool("10.0.0.1", 24, "10.0.0.7", "10.0.0.7")
        server = DhcpServer(pool, clock.now_ns())
        for _ in range(2):
            (question,) = await received(host)
            message = dhcp.from_frame(question)
            reply = server.receive(message, clock.now_ns()) if message else None
            assert reply is not None
            answer = reply_frame(reply, USB.host_mac, pool.server)
            await host.submit_out(FRAMES, pack_ntb16([answer], 0, NtbLimits(max_size=3200))).done()
        await until(lambda: bench.stack.address == "10.0.0.7/24")
        told = bench.board.respond("GET", "/events").body.decode()
        names = re.findall(r"DHCP_\w+(?:: .*)?", told.partition("=== STATUS")[0])
        assert names == [
            *("DHCP_CLIENT_STARTED", "DHCP_DISCOVER_TX", "DHCP_OFFER_RX", "DHCP_REQUEST_TX", "DHCP_ACK_RX"),
            "DHCP_ASSIGNED: 10.0.0.7",
        ]
        await host.control(0x00, 9, 0, 0)
        await until(lambda: bench.stack.address == f"{NONE}/0")

    run(scenario, config=CLIENT)


STATIC = replace(
    QUICK,
    role="static",
    silence_ignored=1,
    acd_probe_wait_ms=1,
    acd_probe_min_ms=1,
    acd_probe_max_ms=2,
    acd_announce_wait_ms=20,
    acd_announce_interval_ms=2,
    acd_rate_limit_ms=1,
)

BOARD, RIVAL = USB.board_mac, "02:00:00:00:00:99"
NONE, OURS = "0.0.0.0", "192.168.7.1"


async def heard(host: UsbipHost, frames: int) -> list[tuple[str, str]]:
    """Sender and target address of that many ARP frames of the board."""
    packets: list[ArpPacket] = []
    while len(packets) < frames:
        packets += [ArpPacket.parse(EthernetFrame.parse(each).payload) for each in await received(host)]
    assert {(each.op, each.sender_mac) for each in packets} == {(REQUEST, BOARD)}
    return [(each.sender_ip, each.target_ip) for each in packets]


async def claim(host: UsbipHost) -> None:
    """Another station says that the address is its own."""
    answer = ArpPacket(REPLY, RIVAL, OURS, BOARD, NONE)
    frame = EthernetFrame(BOARD, RIVAL, ETHERTYPE_ARP, answer.pack()).pack()
    await host.submit_out(FRAMES, pack_ntb16([frame], 0, NtbLimits(max_size=3200))).done()


def test_a_static_address_is_probed_then_set_then_announced() -> None:
    """Three probes, then the address in the stack, then two announcements, all of them frames on the bus."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        assert await heard(host, 3) == [(NONE, OURS)] * 3
        assert bench.stack.address == f"{NONE}/0"
        assert await heard(host, 2) == [(OURS, OURS)] * 2
        assert bench.stack.address == f"{OURS}/24"

    run(scenario, config=STATIC)


def test_an_occupied_address_is_not_set() -> None:
    """Each probe is answered by somebody else: the stack never gets the address, and no announcement leaves."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        for _ in range(5):
            assert set(await heard(host, 1)) == {(NONE, OURS)}
            await claim(host)
        assert bench.stack.address == f"{NONE}/0"

    run(scenario, config=replace(STATIC, acd_probe_min_ms=500, acd_probe_max_ms=500))


def test_a_second_conflict_takes_the_address_away() -> None:
    """The first is answered by an announcement, the second empties the stack, and probing begins anew."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        await heard(host, 5)
        await claim(host)
        assert await heard(host, 1) == [(OURS, OURS)]
        await claim(host)
        assert (await heard(host, 1))[0] == (NONE, OURS)
        assert bench.stack.address == f"{NONE}/0"

    run(scenario, config=replace(STATIC, acd_announce_wait_ms=200))


def test_a_mistake_uses_the_address_before_the_first_probe() -> None:
    """The stack has the address as soon as the link is up; probes and announcements come all the same."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        assert bench.stack.address == f"{OURS}/24"
        assert await heard(host, 5) == [(NONE, OURS)] * 3 + [(OURS, OURS)] * 2

    run(scenario, config=replace(STATIC, acd_address_first=1))
