"""The Linux kernel's stack in a namespace of its own, dressed as lwIP.

::

    hil-dev-<board>                                      hil-lan-<board>
    ├── usb    TAP, 192.168.7.1/24  ⇄ on_frame, deliver
    └── wifi   veth, 192.0.2.7/24   ⇄───────────────────  <board>, 192.0.2.1/32, route to 192.0.2.7

The TAP exists from ``start_netif`` until the chip is halted; the veth stays, and is down while the chip is. What Linux
says unasked or lwIP does not do is switched off: IPv6, ARP for an address of the other interface, TCP timestamps,
selective acknowledgements, window scaling, reverse path filtering.

What takes the kernel's rtnl lock runs in a worker, one thing after the other, and never in the event loop: while the
host brings an interface of this very board down it holds that lock until its URBs have come back
(``drivers/net/usb/usbnet.c``, usbnet_stop), and only the event loop gives them back. A loop that waited for the lock
would wait for ever, and the host with it.
"""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TypeVar

from hil import clock
from hil.errors import WireError
from hil.virtual.ipstack.dhcp_server import DhcpPool, DhcpServer, reply_frame
from hil.virtual.ipstack.http_server import BACKLOG, HttpServer
from hil.virtual.ipstack.interface import ANY, HttpBackend
from hil.virtual.ipstack.links import Links, set_sysctl
from hil.virtual.ipstack.netns import NetNamespace
from hil.virtual.ipstack.tap import Tap
from hil.wire.dhcp import SERVER_PORT, DhcpMessage

USB, WIFI = "usb", "wifi"
MTU = 1500
HTTP_PORT = 80
TCP_MSS = 1440
"""CONFIG_LWIP_TCP_MSS, its default."""
TCP_WINDOW = 5760
"""CONFIG_LWIP_TCP_WND_DEFAULT, its default, bytes."""
MAX_INTERFACE_NAME = 15

T = TypeVar("T")

SYSCTLS = (
    ("ipv6/conf/all/disable_ipv6", 1),
    ("ipv6/conf/default/disable_ipv6", 1),
    ("ipv4/conf/all/arp_ignore", 1),
    ("ipv4/conf/all/arp_announce", 2),
    ("ipv4/conf/all/rp_filter", 0),
    ("ipv4/conf/default/rp_filter", 0),
    ("ipv4/ip_forward", 0),
    ("ipv4/tcp_timestamps", 0),
    ("ipv4/tcp_sack", 0),
    ("ipv4/tcp_window_scaling", 0),
)


@dataclass(frozen=True, slots=True)
class Lan:
    """The network that stands for Wi-Fi."""

    name: str
    """Its namespace; made where it does not exist."""
    address: str = "192.0.2.7"
    """The board's address there."""
    host: str = "192.0.2.1"
    """The address of the namespace itself."""
    prefix: int = 24


class KernelStack:
    """An :class:`~hil.virtual.ipstack.interface.IpStack` of the kernel's; needs root and a running event loop."""

    def __init__(self, board: str, lan: Lan, *, http_single_task: bool = False) -> None:
        self.on_frame: Callable[[bytes], None] = lambda frame: None
        self._mac = ""
        self._lan = lan
        self._single_task = http_single_task
        self._loop = asyncio.get_running_loop()
        self._worker = ThreadPoolExecutor(1, "hil-rtnl")
        self._life = 0
        """Counts halts: what was begun before one is thrown away when it is done."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._tap: Tap | None = None
        self._server = ""
        self._dhcp: tuple[DhcpServer, socket.socket] | None = None
        self._http: tuple[HttpServer, asyncio.Task[None]] | None = None
        with ExitStack() as undo:
            self._inside = NetNamespace.create(f"hil-dev-{board}")
            undo.callback(self._inside.close)
            self._outside = NetNamespace.join(self._lan.name)
            undo.callback(self._outside.close)
            self._links = self._inside.call(Links)
            undo.callback(self._links.close)
            self._inside.call(self._set_sysctls)
            self._connect_wifi(board[:MAX_INTERFACE_NAME])
            self._undo = undo.pop_all()

    @property
    def namespace(self) -> NetNamespace:
        """The board's own side."""
        return self._inside

    @property
    def lan(self) -> NetNamespace:
        """The side from which the board's Wi-Fi address is reached."""
        return self._outside

    # ---- IpStack

    def start_netif(self, address: str, prefix: int, mac: str, ready: Callable[[], None] = lambda: None) -> None:
        def use(tap: Tap) -> None:
            self._use_tap(tap)
            ready()

        self._server, self._mac = address, mac
        self._later(lambda: self._make_tap(address, prefix, mac), use, Tap.close)

    def set_address(self, address: str, prefix: int) -> None:
        self._server = address
        self._later(lambda: self._links.set_address(USB, address, prefix))

    def start_dhcp_server(self, pool: DhcpPool, ready: Callable[[], None]) -> None:
        def listen(listener: socket.socket) -> None:
            self._dhcp = (DhcpServer(pool, clock.now_ns()), listener)
            self._loop.add_reader(listener, self._receive_dhcp)
            ready()

        self._later(lambda: self._inside.call(_dhcp_socket), listen, socket.socket.close)

    def start_http(self, backend: HttpBackend) -> None:
        def serve(listener: socket.socket) -> None:
            server = HttpServer(listener, backend, single_task=self._single_task)
            task = self._loop.create_task(server.run())
            task.add_done_callback(_raise_error)
            self._http = (server, task)

        self._later(lambda: self._inside.call(_http_socket), serve, socket.socket.close)

    def deliver(self, frame: bytes) -> None:
        if self._tap is not None:
            self._tap.write(frame)

    def halt(self) -> None:
        self._life += 1
        if self._tap is not None:
            self._loop.remove_reader(self._tap.descriptor)
            self._later(self._tap.close)
            self._tap = None
        self._later(lambda: self._links.set_up(WIFI, False))
        if self._dhcp is not None:
            self._loop.remove_reader(self._dhcp[1])
            self._dhcp[1].close()
            self._dhcp = None
        if self._http is not None:
            server, task = self._http
            task.cancel()
            server.close()
            self._http = None

    def close(self) -> None:
        self.halt()
        self._worker.submit(self._links.remove, WIFI)
        self._worker.shutdown(wait=True)
        self._undo.close()

    async def settled(self) -> None:
        """Return when everything that was asked for so far has been done."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    # ---- in the worker

    def _later(
        self,
        work: Callable[[], T],
        use: Callable[[T], None] | None = None,
        throw_away: Callable[[T], None] | None = None,
    ) -> None:
        """Do ``work`` in the worker and ``use`` its result in the loop, or throw it away after a halt."""
        life = self._life
        done = self._loop.run_in_executor(self._worker, work)

        async def follow() -> None:
            result = await done
            if use is not None and life == self._life:
                use(result)
            elif throw_away is not None:
                await self._loop.run_in_executor(self._worker, throw_away, result)

        task = self._loop.create_task(follow())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_raise_error)

    def _make_tap(self, address: str, prefix: int, mac: str) -> Tap:
        tap = self._inside.call(lambda: Tap(USB))
        self._links.set_mac(USB, mac)
        self._links.set_mtu(USB, MTU)
        if address != ANY:
            self._links.set_address(USB, address, prefix)
        self._links.set_up(USB, True)
        self._links.set_up(WIFI, True)
        return tap

    def _use_tap(self, tap: Tap) -> None:
        self._tap = tap
        self._loop.add_reader(tap.descriptor, self._drain, tap)

    # ---- inside

    def _set_sysctls(self) -> None:
        for name, value in SYSCTLS:
            set_sysctl(name, value)
        self._links.set_up("lo", True)

    def _connect_wifi(self, peer: str) -> None:
        lan = self._lan
        self._links.add_veth(WIFI, peer, self._outside.descriptor)
        self._links.set_address(WIFI, lan.address, lan.prefix)
        self._links.set_up(WIFI, False)
        self._outside.call(lambda: _set_up_outside(peer, lan))

    def _drain(self, tap: Tap) -> None:
        while self._tap is tap and (frame := tap.read()) is not None:
            self.on_frame(frame)

    def _receive_dhcp(self) -> None:
        if self._dhcp is None:
            return
        server, listener = self._dhcp
        with suppress(BlockingIOError, WireError):
            message = DhcpMessage.parse(listener.recv(MTU))
            reply = server.receive(message, clock.now_ns())
            if reply is not None:
                self.on_frame(reply_frame(reply, self._mac, self._server))


def _set_up_outside(name: str, lan: Lan) -> None:
    set_sysctl("ipv6/conf/all/disable_ipv6", 1)
    links = Links()
    links.set_up("lo", True)
    links.set_address(name, lan.host, 32, peer=lan.address)
    links.set_up(name, True)
    links.close()


def _raise_error(task: asyncio.Task[None]) -> None:
    """Hand the error of a task that nobody awaits to the loop's exception handler."""
    if not task.cancelled():
        task.result()


def _dhcp_socket() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, USB.encode())
    listener.bind(("", SERVER_PORT))
    return listener


def _http_socket() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, TCP_MSS)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, TCP_WINDOW)
    listener.bind(("", HTTP_PORT))
    listener.listen(BACKLOG)
    return listener
