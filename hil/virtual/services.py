"""The IP services that a firmware starts: its interface, its DHCP server or client, its HTTP server."""

from collections.abc import Callable

from hil.virtual import firmware as fw
from hil.virtual.commands import Command
from hil.virtual.ipstack.dhcp_client import BoardDhcpClient
from hil.virtual.ipstack.dhcp_server import DhcpPool
from hil.virtual.ipstack.interface import ANY, HttpBackend, IpStack


class Services:
    """Of one board.

    Args:
        backend: answers HTTP requests.
        started: the interface is up and, where there is one, the DHCP server serves from now on.
        leased: the DHCP client has this address now, or none where it is '0.0.0.0'.
    """

    def __init__(
        self,
        stack: IpStack,
        backend: HttpBackend,
        started: Callable[[], None],
        leased: Callable[[str], None] = lambda address: None,
    ) -> None:
        self._stack = stack
        self._backend = backend
        self._started = started
        self._leased = leased
        self._client: BoardDhcpClient | None = None
        self._netif = fw.StartNetif(ANY, 0)

    def start(self, command: Command, mac: str) -> None:
        """Carry out a command that is about them. ``mac``: of the interface; one that starts without an address has no
        DHCP server to wait for."""
        match command:
            case fw.StartNetif(address, prefix):
                self._netif = command
                serves = address != ANY
                self._stack.start_netif(address, prefix, mac, (lambda: None) if serves else self._started)
            case fw.StartDhcpServer():
                self._stack.start_dhcp_server(self._pool(command), self._started)
            case fw.StartHttp():
                self._stack.start_http(self._backend)
            case fw.SetAddress(address, prefix):
                self._stack.set_address(address, prefix)
            case fw.ClearAddress():
                self._stack.set_address(ANY, 0)
            case fw.StartDhcpClient():
                self._stop_client()
                self._client = BoardDhcpClient(mac, self._stack.on_frame, self._use)
            case fw.StopDhcpClient():
                self._stop_client()
                self._stack.set_address(ANY, 0)

    def deliver(self, frame: bytes) -> None:
        """A frame came in over USB, and the firmware took it."""
        self._stack.deliver(frame)
        if self._client is not None:
            self._client.receive(frame)

    def halt(self) -> None:
        """The chip lost power or was reset."""
        self._stop_client()
        self._stack.halt()

    def _stop_client(self) -> None:
        if self._client is not None:
            self._client.stop()
            self._client = None

    def _use(self, address: str, prefix: int) -> None:
        self._stack.set_address(address, prefix)
        self._leased(address)

    def _pool(self, command: fw.StartDhcpServer) -> DhcpPool:
        return DhcpPool(
            self._netif.address,
            self._netif.prefix,
            command.first,
            command.last,
            lease_s=command.lease_s,
            router=command.router,
            dns=command.dns,
        )
