"""The IP services that a firmware starts: its interface, its DHCP server, its HTTP server."""

from collections.abc import Callable

from hil.virtual import firmware as fw
from hil.virtual.ipstack.dhcp_server import DhcpPool
from hil.virtual.ipstack.interface import ANY, HttpBackend, IpStack

Service = fw.StartNetif | fw.StartDhcpServer | fw.StartHttp | fw.SetAddress | fw.ClearAddress


class Services:
    """Of one board.

    Args:
        backend: answers HTTP requests.
        started: the interface is up and, where there is one, the DHCP server serves from now on.
    """

    def __init__(self, stack: IpStack, backend: HttpBackend, started: Callable[[], None]) -> None:
        self._stack = stack
        self._backend = backend
        self._started = started
        self._netif = fw.StartNetif(ANY, 0)

    def start(self, command: Service, mac: str) -> None:
        """``mac``: of the interface. One that starts without an address has no DHCP server to wait for."""
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
