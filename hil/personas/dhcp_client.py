"""A DHCP client as a pure state machine (RFC 2131 section 4.4, figure 5).

Events go in with the time, commands come out; the caller owns the socket, the clock and the waiting::

    commands = client.link_changed(up=True, now_ns=…)
    commands = client.receive(frame, now_ns=…)
    commands = client.wake(now_ns=…)          # at or after client.deadline_ns

:data:`TRANSITIONS` is the whole machine: what is not in it is ignored in that state. Every client implementation is a
:class:`~hil.personas.client_profile.ClientProfile`, a difference from RFC 2131's own figures.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from hil.clock import to_ns
from hil.errors import WireError
from hil.personas.client_profile import Backoff, ClientProfile
from hil.personas.commands import ClearAddress, Command, Note, SendFrame, SetAddress, StateChanged
from hil.wire import dhcp
from hil.wire.addresses import ipv4_bytes
from hil.wire.ethernet import BROADCAST, EthernetFrame

STOPPED, INIT, SELECTING, REQUESTING = "STOPPED", "INIT", "SELECTING", "REQUESTING"
INIT_REBOOT, REBOOTING = "INIT-REBOOT", "REBOOTING"
BOUND, RENEWING, REBINDING = "BOUND", "RENEWING", "REBINDING"

LINK_UP, LINK_UP_WITH_LEASE, LINK_DOWN = "link up", "link up with a lease", "link down"
OFFER, ACK, NAK = "OFFER", "ACK", "NAK"
RESEND, GIVE_UP, GATHERED, T1, T2, EXPIRED = "resend", "give up", "gathered", "T1", "T2", "expired"


FLAG_BROADCAST = 0x8000
"""RFC 2131 section 2, figure 2: the client cannot receive unicast before it has its address."""


@dataclass(frozen=True)
class Lease:
    """What an ACK granted."""

    address: str
    server: str
    server_mac: str
    prefix: int
    router: str
    lease_s: int
    renew_at_ns: int
    rebind_at_ns: int
    expires_at_ns: int


class DhcpClient:
    """One client on one interface.

    Args:
        profile: how this implementation differs.
        mac: the interface's address.
        dice: source of transaction ids and jitter; seeded, a run repeats itself.
    """

    def __init__(self, profile: ClientProfile, mac: str, dice: random.Random) -> None:
        self.profile = profile
        self.mac = mac
        self.state = STOPPED
        self.lease: Lease | None = None
        self._dice = dice
        self._xid = 0
        self._began_ns = 0
        self._sent = 0
        self._offer: dhcp.DhcpMessage | None = None
        self._server_mac = BROADCAST
        self._timers: dict[str, int] = {}
        self._out: list[Command] = []

    @property
    def deadline_ns(self) -> int | None:
        """When :meth:`wake` wants to be called next; None while there is nothing to wait for."""
        return min(self._timers.values(), default=None)

    def link_changed(self, up: bool, now_ns: int) -> list[Command]:
        """The interface got or lost its carrier."""
        if not up:
            return self._handle(LINK_DOWN, now_ns)
        held = self.lease is not None and self.lease.expires_at_ns > now_ns
        return self._handle(LINK_UP_WITH_LEASE if held else LINK_UP, now_ns)

    def receive(self, frame: bytes, now_ns: int) -> list[Command]:
        """Any frame of the interface; what is not a reply to this client is ignored."""
        try:
            message = dhcp.from_frame(frame)
            if message is None or not self._mine(message):
                return []
            server = message.address_option(dhcp.OPTION_SERVER_ID)
            self._server_mac = EthernetFrame.parse(frame).src
            _lease(message, self._server_mac, now_ns)  # every option that an action reads is well formed
        except WireError as error:
            return [Note(f"a malformed DHCP frame was ignored: {error}")]
        kind = {dhcp.OFFER: OFFER, dhcp.ACK: ACK, dhcp.NAK: NAK}.get(message.message_type)
        if kind is None:
            return []
        if kind != NAK and message.yiaddr == "0.0.0.0":
            return [Note(f"a DHCP{kind} without an address was ignored")]
        if kind == NAK and self.profile.nak_needs_server and not server:
            return [Note("a NAK without server identifier was ignored")]
        return self._handle(kind, now_ns, message)

    def wake(self, now_ns: int) -> list[Command]:
        """Let every timer that is due fire, the earliest first."""
        commands: list[Command] = []
        while self._timers:
            name = min(self._timers, key=lambda timer: self._timers[timer])
            if self._timers[name] > now_ns:
                break
            del self._timers[name]
            commands += self._handle(name, now_ns)
        return commands

    def _handle(self, what: str, now_ns: int, message: dhcp.DhcpMessage | None = None) -> list[Command]:
        self._out = []
        step = TRANSITIONS.get((self.state, what))
        if step is not None:
            state, action = step
            previous, self.state = self.state, state
            if state != previous:
                self._out.append(StateChanged(state=state, previous=previous))
            action(self, now_ns, message)
        return self._out

    # ---- actions of the table ----------------------------------------------------------------

    def _discover(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._timers.clear()
        self._offer = None
        self._new_exchange(now_ns)
        self._send_discover(now_ns)

    def _send_discover(self, now_ns: int, _: dhcp.DhcpMessage | None = None) -> None:
        self._send(self._message(dhcp.DISCOVER, now_ns), now_ns, self.profile.discover)

    def _reboot(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._timers.clear()
        self._new_exchange(now_ns)
        self._send_reboot(now_ns)

    def _send_reboot(self, now_ns: int, _: dhcp.DhcpMessage | None = None) -> None:
        assert self.lease is not None
        request = self._message(dhcp.REQUEST, now_ns, (dhcp.OPTION_REQUESTED_ADDRESS, ipv4_bytes(self.lease.address)))
        self._send(request, now_ns, self.profile.reboot)

    def _choose(self, now_ns: int, offer: dhcp.DhcpMessage | None) -> None:
        if self._offer is None:
            self._offer = offer
            self._timers = {GATHERED: now_ns + to_ns(self.profile.gather_s)}

    def _request(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._timers.clear()
        self._sent = 0
        self._send_request(now_ns)

    def _send_request(self, now_ns: int, _: dhcp.DhcpMessage | None = None) -> None:
        assert self._offer is not None
        options = [(dhcp.OPTION_REQUESTED_ADDRESS, ipv4_bytes(self._offer.yiaddr))]
        server = self._offer.address_option(dhcp.OPTION_SERVER_ID)
        if server:
            options.append((dhcp.OPTION_SERVER_ID, ipv4_bytes(server)))
        self._send(self._message(dhcp.REQUEST, now_ns, *options), now_ns, self.profile.request)

    def _bind(self, now_ns: int, ack: dhcp.DhcpMessage | None) -> None:
        assert ack is not None
        lease = _lease(ack, self._server_mac, now_ns)
        self.lease = lease
        self._timers = {T1: lease.renew_at_ns, T2: lease.rebind_at_ns, EXPIRED: lease.expires_at_ns}
        self._out.append(SetAddress(lease.address, lease.prefix, lease.router, lease.server, lease.lease_s))

    def _renew(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._new_exchange(now_ns)
        self._extend(now_ns)

    def _extend(self, now_ns: int, _: dhcp.DhcpMessage | None = None) -> None:
        """RFC 2131 section 4.4.5: unicast while RENEWING, broadcast while REBINDING, at half the time that is left."""
        assert self.lease is not None
        renewing = self.state == RENEWING
        request = self._message(dhcp.REQUEST, now_ns, ciaddr=self.lease.address)
        target = (self.lease.server_mac, self.lease.server) if renewing else (BROADCAST, "255.255.255.255")
        frame = dhcp.frame(request, self.mac, target[0], self.lease.address, target[1])
        self._out.append(SendFrame(frame))
        until = self.lease.rebind_at_ns if renewing else self.lease.expires_at_ns
        self._timers[RESEND] = now_ns + max(to_ns(60.0), (until - now_ns) // 2)

    def _start_over(self, now_ns: int, message: dhcp.DhcpMessage | None) -> None:
        self._drop("nak" if message is not None else "expired")
        self._discover(now_ns, None)

    def _pause(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._timers.clear()
        self._out.append(
            Note(f"no answer to {self._sent} messages; the next DISCOVER follows in {self.profile.pause_s:g} s")
        )
        self._timers[RESEND] = now_ns + to_ns(self.profile.pause_s)

    def _stop(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._timers.clear()
        if self.lease is not None and self.lease.expires_at_ns > now_ns:
            self._out.append(ClearAddress(self.lease.address, "link-down"))

    def _mine(self, message: dhcp.DhcpMessage) -> bool:
        return message.op == dhcp.BOOTREPLY and message.xid == self._xid and message.chaddr == self.mac

    # ---- parts -------------------------------------------------------------------------------

    def _drop(self, reason: str) -> None:
        if self.lease is not None:
            self._out.append(ClearAddress(self.lease.address, reason))
            self.lease = None

    def _new_exchange(self, now_ns: int) -> None:
        self._xid = self._dice.getrandbits(32)
        self._began_ns = now_ns
        self._sent = 0

    def _message(
        self, kind: int, now_ns: int, *options: tuple[int, bytes], ciaddr: str = "0.0.0.0"
    ) -> dhcp.DhcpMessage:
        return dhcp.DhcpMessage(
            op=dhcp.BOOTREQUEST,
            xid=self._xid,
            chaddr=self.mac,
            ciaddr=ciaddr,
            secs=min(0xFFFF, (now_ns - self._began_ns) // to_ns(1.0)),
            flags=FLAG_BROADCAST if self.profile.broadcast_flag else 0,
            options=(
                (dhcp.OPTION_MESSAGE_TYPE, bytes([kind])),
                (dhcp.OPTION_CLIENT_ID, b"\x01" + bytes.fromhex(self.mac.replace(":", ""))),
                *options,
                (dhcp.OPTION_PARAMETER_LIST, bytes(self.profile.requested)),
            ),
        )

    def _send(self, message: dhcp.DhcpMessage, now_ns: int, backoff: Backoff) -> None:
        self._out.append(SendFrame(dhcp.frame(message, self.mac, BROADCAST, "0.0.0.0", "255.255.255.255")))
        self._sent += 1
        last = bool(backoff.tries) and self._sent >= backoff.tries
        delay_ns = to_ns(backoff.delay_s(self._sent, self._dice.random()))
        self._timers[GIVE_UP if last else RESEND] = now_ns + delay_ns


def _lease(ack: dhcp.DhcpMessage, server_mac: str, now_ns: int) -> Lease:
    """RFC 2131 section 4.4.5: T1 is half, T2 seven eighths of the lease unless the server says otherwise."""
    lease_s = ack.u32_option(dhcp.OPTION_LEASE_TIME) or 3600
    t1_s = ack.u32_option(dhcp.OPTION_RENEWAL_TIME) or lease_s / 2
    t2_s = ack.u32_option(dhcp.OPTION_REBINDING_TIME) or lease_s * 7 / 8
    return Lease(
        address=ack.yiaddr,
        server=ack.address_option(dhcp.OPTION_SERVER_ID) or "",
        server_mac=server_mac,
        prefix=_prefix(ack.address_option(dhcp.OPTION_SUBNET_MASK)),
        router=ack.address_option(dhcp.OPTION_ROUTER) or "",
        lease_s=lease_s,
        renew_at_ns=now_ns + to_ns(t1_s),
        rebind_at_ns=now_ns + to_ns(t2_s),
        expires_at_ns=now_ns + to_ns(lease_s),
    )


def _prefix(mask: str | None) -> int:
    return sum(bin(int(part)).count("1") for part in mask.split(".")) if mask else 24


Action = Callable[[DhcpClient, int, "dhcp.DhcpMessage | None"], None]

TRANSITIONS: dict[tuple[str, str], tuple[str, Action]] = {
    (STOPPED, LINK_UP): (SELECTING, DhcpClient._discover),
    (STOPPED, LINK_UP_WITH_LEASE): (REBOOTING, DhcpClient._reboot),
    (INIT, RESEND): (SELECTING, DhcpClient._discover),
    (INIT, LINK_DOWN): (STOPPED, DhcpClient._stop),
    (SELECTING, OFFER): (SELECTING, DhcpClient._choose),
    (SELECTING, GATHERED): (REQUESTING, DhcpClient._request),
    (SELECTING, RESEND): (SELECTING, DhcpClient._send_discover),
    (SELECTING, GIVE_UP): (INIT, DhcpClient._pause),
    (SELECTING, LINK_DOWN): (STOPPED, DhcpClient._stop),
    (REQUESTING, ACK): (BOUND, DhcpClient._bind),
    (REQUESTING, NAK): (SELECTING, DhcpClient._start_over),
    (REQUESTING, RESEND): (REQUESTING, DhcpClient._send_request),
    (REQUESTING, GIVE_UP): (SELECTING, DhcpClient._discover),
    (REQUESTING, LINK_DOWN): (STOPPED, DhcpClient._stop),
    (REBOOTING, ACK): (BOUND, DhcpClient._bind),
    (REBOOTING, NAK): (SELECTING, DhcpClient._start_over),
    (REBOOTING, RESEND): (REBOOTING, DhcpClient._send_reboot),
    (REBOOTING, GIVE_UP): (SELECTING, DhcpClient._discover),
    (REBOOTING, LINK_DOWN): (STOPPED, DhcpClient._stop),
    (BOUND, T1): (RENEWING, DhcpClient._renew),
    (BOUND, T2): (REBINDING, DhcpClient._renew),
    (BOUND, EXPIRED): (SELECTING, DhcpClient._start_over),
    (BOUND, LINK_DOWN): (STOPPED, DhcpClient._stop),
    (RENEWING, ACK): (BOUND, DhcpClient._bind),
    (RENEWING, NAK): (SELECTING, DhcpClient._start_over),
    (RENEWING, RESEND): (RENEWING, DhcpClient._extend),
    (RENEWING, T2): (REBINDING, DhcpClient._extend),
    (RENEWING, EXPIRED): (SELECTING, DhcpClient._start_over),
    (RENEWING, LINK_DOWN): (STOPPED, DhcpClient._stop),
    (REBINDING, ACK): (BOUND, DhcpClient._bind),
    (REBINDING, NAK): (SELECTING, DhcpClient._start_over),
    (REBINDING, RESEND): (REBINDING, DhcpClient._extend),
    (REBINDING, EXPIRED): (SELECTING, DhcpClient._start_over),
    (REBINDING, LINK_DOWN): (STOPPED, DhcpClient._stop),
}
"""(state, what happened) → (next state, what is done about it)."""
