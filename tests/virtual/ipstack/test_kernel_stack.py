"""The kernel's stack in a namespace: TAP, veth, DHCP and HTTP through them."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.errors import VirtualBoardError
from hil.virtual.ipstack.dhcp_server import DhcpPool
from hil.virtual.ipstack.interface import HttpAnswer
from hil.virtual.ipstack.kernel_stack import KernelStack, Lan
from hil.virtual.ipstack.netns import NAMES, NetNamespace
from hil.wire.arp import REPLY, REQUEST, ArpPacket
from hil.wire.dhcp import BOOTREQUEST, DISCOVER, OFFER, DhcpMessage, frame, from_frame
from hil.wire.ethernet import BROADCAST, ETHERTYPE_ARP, EthernetFrame

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0 or not Path("/dev/net/tun").exists(), reason="needs root and /dev/net/tun"),
]

BOARD_MAC = "02:02:11:22:33:02"
HOST_MAC = "02:02:11:22:33:01"
POOL = DhcpPool("192.168.7.1", 24, "192.168.7.2", "192.168.7.10")
NAME = f"test-{os.getpid()}"
LAN = Lan(name=f"hil-lan-{NAME}")
WITHIN_S = 5.0


class Answer:
    status, content_type, body, stream = 200, "text/plain", b"ok", False
    headers: tuple[tuple[str, str], ...] = ()


class Handlers:
    def respond(self, method: str, path: str) -> HttpAnswer:
        return Answer()

    def refused(self, status: int) -> None:
        raise AssertionError(status)

    def open_stream(self) -> Callable[[], bytes | None]:
        return lambda: None


async def run(scenario: Callable[[KernelStack, "asyncio.Queue[bytes]"], object]) -> None:
    stack = KernelStack(NAME, LAN)
    frames: asyncio.Queue[bytes] = asyncio.Queue()
    stack.on_frame = frames.put_nowait
    try:
        async with asyncio.timeout(WITHIN_S):
            await scenario(stack, frames)  # type: ignore[misc]
    finally:
        stack.close()


def arp(target: str, sender: str = "192.168.7.2") -> bytes:
    request = ArpPacket(REQUEST, HOST_MAC, sender, "00:00:00:00:00:00", target)
    return EthernetFrame(BROADCAST, HOST_MAC, ETHERTYPE_ARP, request.pack()).pack()


def get(lan: NetNamespace, address: str) -> bytes:
    """One GET from inside the namespace."""
    client = lan.call(socket.socket)
    with client:
        client.settimeout(WITHIN_S)
        client.connect((address, 80))
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        return client.recv(4096)


def test_arp_is_answered_for_the_usb_address_and_for_no_other() -> None:
    """The address of the Wi-Fi side is not told on USB, and nothing is said unasked."""

    async def scenario(stack: KernelStack, frames: "asyncio.Queue[bytes]") -> None:
        stack.start_netif("192.168.7.1", 24, BOARD_MAC)
        await stack.settled()
        stack.deliver(arp("192.0.2.7"))
        stack.deliver(arp("192.168.7.1", sender="0.0.0.0"))
        reply = ArpPacket.parse(EthernetFrame.parse(await frames.get()).payload)
        assert (reply.op, reply.sender_mac, reply.sender_ip) == (REPLY, BOARD_MAC, "192.168.7.1")
        assert frames.empty()

    asyncio.run(run(scenario))


def test_an_address_comes_and_goes_on_a_running_interface() -> None:
    """Without one the interface is silent, whatever it is asked; nothing is announced that nobody asked for."""

    async def scenario(stack: KernelStack, frames: "asyncio.Queue[bytes]") -> None:
        up = asyncio.Event()
        stack.start_netif("0.0.0.0", 0, BOARD_MAC, up.set)
        await up.wait()
        stack.deliver(arp("192.168.7.1"))
        stack.set_address("192.168.7.1", 24)
        await stack.settled()
        stack.deliver(arp("192.168.7.1"))
        reply = ArpPacket.parse(EthernetFrame.parse(await frames.get()).payload)
        assert (reply.op, reply.sender_mac, reply.sender_ip) == (REPLY, BOARD_MAC, "192.168.7.1")
        stack.set_address("0.0.0.0", 0)
        await stack.settled()
        stack.deliver(arp("192.168.7.1"))
        stack.set_address("192.168.7.5", 24)
        await stack.settled()
        stack.deliver(arp("192.168.7.5"))
        reply = ArpPacket.parse(EthernetFrame.parse(await frames.get()).payload)
        assert reply.sender_ip == "192.168.7.5"
        assert frames.empty()

    asyncio.run(run(scenario))


def test_a_discover_becomes_an_offer() -> None:
    """A broadcast DISCOVER on the TAP is answered by a frame of the board's own making."""

    async def scenario(stack: KernelStack, frames: "asyncio.Queue[bytes]") -> None:
        stack.start_netif("192.168.7.1", 24, BOARD_MAC)
        stack.start_dhcp_server(POOL, lambda: None)
        await stack.settled()
        discover = DhcpMessage(op=BOOTREQUEST, xid=7, chaddr=HOST_MAC, options=((53, bytes([DISCOVER])),))
        stack.deliver(frame(discover, HOST_MAC, BROADCAST, "0.0.0.0", "255.255.255.255"))
        offer = from_frame(await frames.get())
        assert offer is not None
        assert (offer.message_type, offer.yiaddr) == (OFFER, "192.168.7.2")

    asyncio.run(run(scenario))


def test_http_is_served_on_the_fallback_address() -> None:
    """From the namespace that stands for the LAN, 192.0.2.7 answers."""

    async def scenario(stack: KernelStack, frames: "asyncio.Queue[bytes]") -> None:
        stack.start_netif("192.168.7.1", 24, BOARD_MAC)
        stack.start_http(Handlers())
        await stack.settled()
        answer = await asyncio.to_thread(get, stack.lan, "192.0.2.7")
        assert answer == b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"

    asyncio.run(run(scenario))


def test_the_event_loop_never_waits_for_the_kernels_lock() -> None:
    """While the worker waits, as for rtnl, everything can be asked for; what was begun before a halt is thrown away."""

    async def scenario(stack: KernelStack, frames: "asyncio.Queue[bytes]") -> None:
        lock = threading.Event()
        stack._worker.submit(lock.wait, WITHIN_S)
        stack.start_netif("192.168.7.1", 24, BOARD_MAC)
        stack.start_dhcp_server(POOL, lambda: frames.put_nowait(b"ready"))
        stack.start_http(Handlers())
        stack.deliver(arp("192.168.7.1"))
        stack.halt()
        assert not lock.is_set()
        lock.set()
        await stack.settled()
        stack.deliver(arp("192.168.7.1"))
        assert frames.empty()

    asyncio.run(run(scenario))


def test_a_halted_chip_is_unreachable_and_comes_back() -> None:
    """After halt the fallback does not answer, after the next start it does."""

    async def scenario(stack: KernelStack, frames: "asyncio.Queue[bytes]") -> None:
        stack.start_netif("192.168.7.1", 24, BOARD_MAC)
        stack.start_http(Handlers())
        await stack.settled()
        assert await asyncio.to_thread(get, stack.lan, "192.0.2.7")
        stack.halt()
        stack.deliver(arp("192.168.7.1"))
        assert frames.empty()
        stack.start_netif("192.168.7.1", 24, BOARD_MAC)
        stack.start_http(Handlers())
        await stack.settled()
        assert await asyncio.to_thread(get, stack.lan, "192.0.2.7")

    asyncio.run(run(scenario))


def test_a_board_of_the_same_name_is_refused() -> None:
    """Two boards never share a namespace; the error names it."""

    async def scenario(stack: KernelStack, frames: "asyncio.Queue[bytes]") -> None:
        with pytest.raises(VirtualBoardError, match=f"hil-dev-{NAME}: a network namespace of this name exists"):
            KernelStack(NAME, LAN)

    asyncio.run(run(scenario))


def test_nothing_is_left_after_close() -> None:
    """Both names are gone."""

    async def scenario(stack: KernelStack, frames: "asyncio.Queue[bytes]") -> None:
        assert {path.name for path in NAMES.iterdir()} >= {LAN.name, f"hil-dev-{NAME}"}

    asyncio.run(run(scenario))
    assert not any(path.name.endswith(NAME) for path in NAMES.iterdir())


def test_a_killed_owner_leaves_a_name_that_the_next_owner_removes() -> None:
    """After SIGKILL the link dangles; it is gone once any namespace is made."""
    code = f"import time; from hil.virtual.ipstack.netns import NetNamespace as N; N.create('k-{NAME}'); print('made')"
    command = [sys.executable, "-c", f"{code}; import sys; sys.stdout.flush(); time.sleep(60)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"made\n"
        owner.kill()
    path = NAMES / f"k-{NAME}"
    assert path.is_symlink()
    assert not path.exists()
    NetNamespace.create(f"other-{NAME}").close()
    assert not path.is_symlink()
