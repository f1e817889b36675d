"""One exchange of a DHCP client with its servers: a transaction id, a beginning, and the messages sent so far."""

import random

from hil.clock import to_ns
from hil.personas.client_profile import Backoff, ClientProfile
from hil.wire import dhcp
from hil.wire.addresses import ipv4_bytes, mac_bytes

FLAG_BROADCAST = 0x8000
"""RFC 2131 section 2, figure 2: the client cannot receive unicast before it has its address."""
ETHERNET = b"\x01"
"""RFC 2132 section 9.14: the client identifier is a hardware address of this type."""


class Exchange:
    """Makes the messages of one exchange, and says when the next is due.

    Args:
        profile: which options, and in which order.
        dice: source of transaction ids and jitter.
    """

    def __init__(self, profile: ClientProfile, dice: random.Random) -> None:
        self.xid = 0
        self.sent = 0
        """Messages counted since :meth:`begin` or :meth:`count_anew`."""
        self._profile = profile
        self._dice = dice
        self._began_ns = 0

    def begin(self, now_ns: int) -> None:
        """Another exchange, with another transaction id."""
        self.xid = self._dice.getrandbits(32)
        self._began_ns = now_ns
        self.sent = 0

    def count_anew(self) -> None:
        """The same exchange goes on to another kind of message."""
        self.sent = 0

    def count(self, backoff: Backoff) -> tuple[int, bool]:
        """Count one more message: nanoseconds until the next is due, and whether this was the last."""
        self.sent += 1
        delay_s = backoff.delay_s(self.sent, self._dice.random())
        return to_ns(delay_s), bool(backoff.tries) and self.sent >= backoff.tries

    def message(
        self, kind: int, mac: str, now_ns: int, *, requested: str = "", server: str = "", ciaddr: str = "0.0.0.0"
    ) -> dhcp.DhcpMessage:
        """A DISCOVER or REQUEST.

        Args:
            kind: :data:`hil.wire.dhcp.DISCOVER` or :data:`hil.wire.dhcp.REQUEST`.
            mac: the interface's address.
            now_ns: for the seconds since the exchange began.
            requested: option 50, '' for none.
            server: option 54, '' for none.
            ciaddr: the address that the client has, where it may use it already.
        """
        values = self._values(kind, mac, requested, server)
        return dhcp.DhcpMessage(
            op=dhcp.BOOTREQUEST,
            xid=self.xid,
            chaddr=mac,
            ciaddr=ciaddr,
            secs=min(0xFFFF, (now_ns - self._began_ns) // to_ns(1.0)),
            flags=FLAG_BROADCAST if self._profile.broadcast_flag else 0,
            options=tuple((code, values[code]) for code in self._profile.option_order if values.get(code)),
        )

    def _values(self, kind: int, mac: str, requested: str, server: str) -> dict[int, bytes]:
        """Every option that has a value."""
        profile = self._profile
        values = {
            dhcp.OPTION_MESSAGE_TYPE: bytes([kind]),
            dhcp.OPTION_CLIENT_ID: ETHERNET + mac_bytes(mac),
            dhcp.OPTION_PARAMETER_LIST: bytes(profile.requested),
            dhcp.OPTION_HOST_NAME: profile.host_name.encode(),
        }
        if requested:
            values[dhcp.OPTION_REQUESTED_ADDRESS] = ipv4_bytes(requested)
        if server:
            values[dhcp.OPTION_SERVER_ID] = ipv4_bytes(server)
        elif profile.asked_lease_s:
            values[dhcp.OPTION_LEASE_TIME] = profile.asked_lease_s.to_bytes(4, "big")
        if profile.max_message_size:
            values[dhcp.OPTION_MAX_SIZE] = profile.max_message_size.to_bytes(2, "big")
        return values
