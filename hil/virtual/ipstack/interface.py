"""What the board needs of an IP stack, and what the stack needs of the board."""

from collections.abc import Callable
from typing import Protocol

from hil.virtual.ipstack.dhcp_server import DhcpPool

ANY = "0.0.0.0"
"""No address."""


class HttpAnswer(Protocol):
    """What a handler of the firmware answers."""

    @property
    def status(self) -> int: ...

    @property
    def content_type(self) -> str: ...

    @property
    def body(self) -> bytes: ...

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Further header fields, in order."""

    @property
    def stream(self) -> bool:
        """True: no body, but chunks without end, from :meth:`HttpBackend.open_stream`."""

    @property
    def blocks(self) -> bool:
        """True: the handler sends the stream itself, and nobody else is served until it has ended."""


class HttpBackend(Protocol):
    """The firmware's HTTP handlers."""

    def respond(self, method: str, path: str) -> HttpAnswer:
        """``path`` with the query of the request, where it has one."""

    def refused(self, status: int) -> None:
        """A request that the server could make nothing of, and answered with that status by itself."""

    def open_stream(self) -> Callable[[], bytes | None]:
        """A function that gives the next bytes of the log stream, or None while there are none."""


class IpStack(Protocol):
    """lwIP and the servers on top of it; everything is called in the board's event loop."""

    on_frame: Callable[[bytes], None]
    """Called with every Ethernet frame that the stack sends over USB."""

    def start_netif(self, address: str, prefix: int, mac: str, ready: Callable[[], None] = lambda: None) -> None:
        """The USB interface comes up with its addresses, or with :data:`ANY` without one, and Wi-Fi with its own.

        ``ready`` is called once it is up, and not at all where the chip is halted before that.
        """

    def set_address(self, address: str, prefix: int) -> None:
        """Another address for the USB interface; :data:`ANY`: none."""

    def start_dhcp_server(self, pool: DhcpPool, ready: Callable[[], None]) -> None:
        """``ready`` is called once it listens, and not at all where the chip is halted before that."""

    def start_http(self, backend: HttpBackend) -> None: ...

    def deliver(self, frame: bytes) -> None:
        """A frame came in over USB; thrown away while no interface is up."""

    def halt(self) -> None:
        """The chip lost power or was reset: nothing is said on any interface, every connection is simply gone."""

    def close(self) -> None:
        """Give back everything the kernel holds for this stack."""
