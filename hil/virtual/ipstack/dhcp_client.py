"""lwIP's DHCP client, as the firmware's IP stack runs it: a persona's machine, driven by the board's event loop."""

import asyncio
import random
from collections.abc import Callable, Sequence

from hil import clock
from hil.personas.client_profile import Backoff, ClientProfile
from hil.personas.commands import ClearAddress, Command, SendFrame, SetAddress
from hil.personas.dhcp_client import DhcpClient
from hil.virtual.ipstack.address_check import WAIT_S, AddressCheck
from hil.virtual.ipstack.interface import ANY
from hil.wire import dhcp
from hil.wire.addresses import ipv4_bytes
from hil.wire.ethernet import BROADCAST

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
"""lwIP 2.2, ``src/core/ipv4/dhcp.c``."""
DECLINE_XID = 0x4445434C
DECLINED_S = 10.0
"""``dhcp_decline``: so long it waits before it asks anew (RFC 2131 section 3.1, 5)."""


class BoardDhcpClient:
    """From one start to its stop.

    Args:
        mac: of the interface.
        send: takes each Ethernet frame.
        use: takes an address and its prefix, :data:`~hil.virtual.ipstack.interface.ANY` when there is none any more.
        check_s: pause after each of the two questions for an address that was granted.
    """

    def __init__(
        self, mac: str, send: Callable[[bytes], None], use: Callable[[str, int], None], check_s: float = WAIT_S
    ) -> None:
        self._mac = mac
        self._check_s = check_s
        self._client = DhcpClient(LWIP, "", random.Random(mac))
        self._send = send
        self._use = use
        self._address = ANY
        self._granted: SetAddress | None = None
        """What is being checked."""
        self._check: AddressCheck | None = None
        self._again_ns: int | None = None
        """When it begins anew after an address was declined."""
        self._timer: asyncio.TimerHandle | None = None
        self._do(self._client.attached(mac, carrier=True, now_ns=clock.now_ns()))

    def receive(self, frame: bytes) -> None:
        """Any frame of the interface."""
        if self._check is not None and self._check.hears_another(frame):
            self._decline()
        else:
            self._do(self._client.receive(frame, clock.now_ns()))

    def stop(self) -> None:
        """Nothing is sent and nobody is told any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        now_ns = clock.now_ns()
        self._look(now_ns)
        if self._again_ns is not None and now_ns >= self._again_ns:
            self._again_ns = None
            self._do(self._client.attached(self._mac, carrier=True, now_ns=now_ns))
        else:
            self._do(self._client.wake(now_ns))

    def _do(self, commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case SendFrame(frame):
                    self._send(frame)
                case SetAddress(address) if address != self._address:
                    self._granted = command
                    self._check = AddressCheck(address, self._mac, clock.now_ns(), self._check_s)
                case ClearAddress():
                    self._check = self._granted = None
                    self._change(ANY, 0)
        self._set_timer()

    def _set_timer(self) -> None:
        self.stop()
        wanted = (self._client.deadline_ns, self._again_ns, self._check.deadline_ns if self._check else None)
        due = min((each for each in wanted if each is not None), default=None)
        if due is not None:
            self._timer = asyncio.get_running_loop().call_at(clock.to_s(due), self._wake)

    def _look(self, now_ns: int) -> None:
        """Ask who has the address that was granted, or take it."""
        check, granted = self._check, self._granted
        if check is None or granted is None:
            return
        frame = check.wake(now_ns)
        if frame is not None:
            self._send(frame)
        elif check.is_free:
            self._check = self._granted = None
            self._change(granted.address, granted.prefix)

    def _decline(self) -> None:
        """Somebody has it: tell the server, and begin anew later (RFC 2131 section 4.4.4)."""
        granted = self._granted
        assert granted is not None
        self._check = self._granted = None
        self._send(_declining(self._mac, granted))
        now_ns = clock.now_ns()
        self._client.detached(now_ns)
        self._again_ns = now_ns + clock.to_ns(DECLINED_S)
        self._set_timer()

    def _change(self, address: str, prefix: int) -> None:
        """A renewal of the same address is no news to lwIP's owner."""
        if address != self._address:
            self._address = address
            self._use(address, prefix)


def _declining(mac: str, granted: SetAddress) -> bytes:
    options = (
        (dhcp.OPTION_MESSAGE_TYPE, bytes([dhcp.DECLINE])),
        (dhcp.OPTION_REQUESTED_ADDRESS, ipv4_bytes(granted.address)),
        (dhcp.OPTION_SERVER_ID, ipv4_bytes(granted.server)),
    )
    message = dhcp.DhcpMessage(dhcp.BOOTREQUEST, DECLINE_XID, mac, options=options)
    return dhcp.frame(message, mac, BROADCAST, ANY, "255.255.255.255")
