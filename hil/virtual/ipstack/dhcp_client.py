"""lwIP's DHCP client, as the firmware's IP stack runs it: a persona's machine, driven by the board's event loop."""

import asyncio
import random
from collections.abc import Callable, Sequence

from hil import clock
from hil.personas.client_profile import Backoff, ClientProfile
from hil.personas.commands import ClearAddress, Command, SendFrame, SetAddress
from hil.personas.dhcp_client import DhcpClient
from hil.virtual.ipstack.interface import ANY
from hil.wire import dhcp

LWIP = ClientProfile(
    name="lwip",
    # dhcp.c, dhcp_discover_request_options.
    requested=(1, 3, 28, 6),
    # dhcp_discover() and dhcp_select(): the size goes first, no client identifier is sent.
    option_order=(
        dhcp.OPTION_MESSAGE_TYPE,
        dhcp.OPTION_MAX_SIZE,
        dhcp.OPTION_REQUESTED_ADDRESS,
        dhcp.OPTION_SERVER_ID,
        dhcp.OPTION_PARAMETER_LIST,
    ),
    max_message_size=1500,
    # DHCP_REQUEST_BACKOFF_SEQUENCE: 2 s, doubling to 32 s, then 60 s.
    discover=Backoff((2, 4, 8, 16, 32, 60), 0.0, 0.0),
    request=Backoff((2, 4, 8, 16, 32, 60), 0.0, 0.0, tries=6),
    reboot=Backoff((1, 2), 0.0, 0.0, tries=2),
    remembers_lease=False,
)
"""lwIP 2.2, ``src/core/ipv4/dhcp.c``. It asks by ARP for an address before it takes it; this one does not."""


class BoardDhcpClient:
    """From one start to its stop.

    Args:
        mac: of the interface.
        send: takes each Ethernet frame.
        use: takes an address and its prefix, :data:`~hil.virtual.ipstack.interface.ANY` when there is none any more.
    """

    def __init__(self, mac: str, send: Callable[[bytes], None], use: Callable[[str, int], None]) -> None:
        self._client = DhcpClient(LWIP, "", random.Random(mac))
        self._send = send
        self._use = use
        self._address = ANY
        self._timer: asyncio.TimerHandle | None = None
        self._do(self._client.attached(mac, carrier=True, now_ns=clock.now_ns()))

    def receive(self, frame: bytes) -> None:
        """Any frame of the interface."""
        self._do(self._client.receive(frame, clock.now_ns()))

    def stop(self) -> None:
        """Nothing is sent and nobody is told any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        self._do(self._client.wake(clock.now_ns()))

    def _do(self, commands: Sequence[Command]) -> None:
        self.stop()
        if self._client.deadline_ns is not None:
            self._timer = asyncio.get_running_loop().call_at(clock.to_s(self._client.deadline_ns), self._wake)
        for command in commands:
            match command:
                case SendFrame(frame):
                    self._send(frame)
                case SetAddress(address, prefix):
                    self._change(address, prefix)
                case ClearAddress():
                    self._change(ANY, 0)

    def _change(self, address: str, prefix: int) -> None:
        """A renewal of the same address is no news to lwIP's owner."""
        if address != self._address:
            self._address = address
            self._use(address, prefix)
