"""An IP stack without a kernel: a test plays the peers."""

from collections.abc import Callable

from hil.virtual.ipstack.dhcp_server import DhcpPool
from hil.virtual.ipstack.interface import HttpBackend


class FakeStack:
    """Keeps what it is told; :attr:`on_frame` is called with what the test wants the stack to send."""

    def __init__(self) -> None:
        self.on_frame: Callable[[bytes], None] = lambda frame: None
        self.address = ""
        """With its prefix, such as 192.168.7.1/24; '' while no interface is up."""
        self.mac = ""
        """Of that interface, or of the last one."""
        self.pool: DhcpPool | None = None
        self.http: HttpBackend | None = None
        self.delivered: list[bytes] = []
        self.halts = 0
        self.closed = False

    def start_netif(self, address: str, prefix: int, mac: str, ready: Callable[[], None] = lambda: None) -> None:
        self.address = f"{address}/{prefix}"
        self.mac = mac
        ready()

    def set_address(self, address: str, prefix: int) -> None:
        self.address = f"{address}/{prefix}"

    def start_dhcp_server(self, pool: DhcpPool, ready: Callable[[], None]) -> None:
        self.pool = pool
        ready()

    def start_http(self, backend: HttpBackend) -> None:
        self.http = backend

    def deliver(self, frame: bytes) -> None:
        if self.address:
            self.delivered.append(frame)

    def halt(self) -> None:
        self.address = ""
        self.pool = None
        self.http = None
        self.halts += 1

    def close(self) -> None:
        self.closed = True
