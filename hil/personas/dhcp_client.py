"""A DHCP client as a pure state machine (RFC 2131 section 4.4, figure 5).

Events go in with the time, commands come out; the caller owns the socket, the clock and the waiting::

    commands = client.attached(mac, carrier=False, now_ns=…)     # an interface is there
    commands = client.link_changed(up=True, now_ns=…)
    commands = client.receive(frame, now_ns=…)
    commands = client.wake(now_ns=…)          # at or after client.deadline_ns

:data:`TRANSITIONS` is the whole machine: what is not in it is ignored in that state. Every client implementation is a
:class:`~hil.personas.client_profile.ClientProfile`, a difference from RFC 2131's own figures. In the states of
:data:`~hil.personas.states.SILENT`, and without carrier, nothing is sent.
"""

import random
from collections.abc import Callable

from hil.clock import to_ns
from hil.errors import WireError
from hil.personas.client_profile import Backoff, ClientProfile
from hil.personas.commands import ClearAddress, Command, GaveUp, Note, SendFrame, SetAddress, StateChanged
from hil.personas.exchange import Exchange
from hil.personas.lease import Lease, elsewhere, granted
from hil.personas.offers import Offers
from hil.personas.replies import ACK, IGNORE, NAK, OFFER, RESTART, Expected, doubted, foreign, judge, server_of
from hil.personas.states import (
    BOUND,
    FAILED,
    HOLDING,
    INIT,
    REBINDING,
    REBOOTING,
    RENEWING,
    REQUESTING,
    SELECTING,
    STOPPED,
)
from hil.wire import dhcp
from hil.wire.ethernet import BROADCAST, EthernetFrame

LINK_UP, LINK_UP_WITH_LEASE, LINK_DOWN = "link up", "link up with a lease", "link down"
FAILED_BEFORE = "a link that is known to have failed"
ACK_TO_HOLD, OTHER_ADDRESS, NAK_TO_WAIT = "ACK to be held", "ACK for another address", "NAK to wait after"
RESEND, GIVE_UP, FAILURE, NO_CARRIER = "resend", "give up", "give up for good", "resend without carrier"
GATHERED, T1, T2, EXPIRED = "gathered", "T1", "T2", "expired"

_KINDS = {dhcp.OFFER: OFFER, dhcp.ACK: ACK, dhcp.NAK: NAK}
_MIN_RENEW_GAP_S = 60.0
"""RFC 2131 section 4.4.5."""


class DhcpClient:
    """One client on one interface after another.

    Args:
        profile: how this implementation differs.
        mac: the interface's address, '' while there is none.
        dice: source of transaction ids and jitter; seeded, a run repeats itself.
    """

    def __init__(self, profile: ClientProfile, mac: str, dice: random.Random) -> None:
        self.profile = profile
        self.mac = mac
        self.state = STOPPED
        self.lease: Lease | None = None
        """What the last ACK granted, whether or not it is in use."""
        self.wants_link_local = False
        """Whether the host should look for an address of its own (RFC 3927)."""
        self._dice = dice
        self._present = bool(mac)
        self._carrier = False
        self._address = ""
        self._exchange = Exchange(profile, dice)
        self._naks = 0
        self._offers = Offers(profile)
        self._held: Lease | None = None
        self._unsent: bytes | None = None
        self._server = ""
        self._server_mac = BROADCAST
        self._timers: dict[str, int] = {}
        self._out: list[Command] = []

    @property
    def deadline_ns(self) -> int | None:
        """When :meth:`wake` wants to be called next; None while there is nothing to wait for."""
        return min(self._timers.values(), default=None)

    def attached(self, mac: str, carrier: bool, now_ns: int) -> list[Command]:
        """An interface is there, in place of the one before if there was one."""
        first = not self.mac
        commands = self.detached(now_ns)
        if not self.mac and self.profile.remembered:
            self.lease = elsewhere(self.profile.remembered, now_ns)
        elif mac != self.mac or not self.profile.remembers_lease:
            self.lease = None
        self.mac = mac
        self._present, self._carrier = True, carrier
        if first and carrier and self.profile.begins_failed:
            commands += self._handle(FAILED_BEFORE, now_ns)
        elif carrier or self.profile.starts_without_carrier:
            commands += self._start(now_ns)
        return commands

    def detached(self, now_ns: int) -> list[Command]:
        """The interface has left."""
        self._present = self._carrier = False
        return self._handle(LINK_DOWN, now_ns)

    def link_changed(self, up: bool, now_ns: int) -> list[Command]:
        """The interface got or lost its carrier; nothing happens where it had it, or had it not, before."""
        if up == self._carrier or not self._present:
            return []
        self._carrier = up
        return self._start(now_ns) if up else self._handle(LINK_DOWN, now_ns)

    def receive(self, frame: bytes, now_ns: int) -> list[Command]:
        """Any frame of the interface; what is no reply that the client waits for is ignored."""
        try:
            reply = dhcp.from_frame(frame)
        except WireError as error:
            return [Note(f"a malformed DHCP frame was ignored: {error}")]
        if reply is None or reply.op != dhcp.BOOTREPLY:
            return []
        kind = _KINDS.get(reply.message_type, "")
        if (self.state, kind) not in TRANSITIONS:
            return []
        if reply.xid != self._exchange.xid or reply.chaddr != self.mac:
            reason = foreign(reply, self.mac, self._exchange.xid)
            return [doubted(kind, reason, False, reply)] if reason else []
        return self._judged(kind, reply, EthernetFrame.parse(frame).src, now_ns)

    def wake(self, now_ns: int) -> list[Command]:
        """Let every timer that is due fire, the earliest first."""
        commands: list[Command] = []
        while self._timers:
            name = min(self._timers, key=lambda timer: self._timers[timer])
            if self._timers[name] > now_ns:
                break
            del self._timers[name]
            commands += self._handle(self._meaning(name, now_ns), now_ns)
        return commands

    # ---- what happened, in the words of the table --------------------------------------------

    def _start(self, now_ns: int) -> list[Command]:
        begun = self.state in (SELECTING, REBOOTING)
        held = self.lease is not None and self.lease.expires_at_ns > now_ns
        return self._handle(LINK_UP_WITH_LEASE if held and not begun else LINK_UP, now_ns)

    def _judged(self, kind: str, reply: dhcp.DhcpMessage, server_mac: str, now_ns: int) -> list[Command]:
        verdict = judge(self.profile, self._expected(), kind, reply)
        ignored = verdict.action == IGNORE
        doubts: list[Command] = [doubted(kind, reason, not ignored, reply) for reason in verdict.reasons]
        if ignored:
            return doubts
        self._server_mac = server_mac
        return doubts + self._handle(self._answer(kind, verdict.action), now_ns, reply)

    def _expected(self) -> Expected:
        if self.state == REQUESTING and self._offers.chosen is not None:
            return Expected(self.state, self._server, self._offers.chosen.yiaddr)
        if self.state == SELECTING or self.lease is None:
            return Expected(self.state, "", "")
        return Expected(self.state, self.lease.server if self.state in HOLDING else "", self.lease.address)

    def _answer(self, kind: str, action: str) -> str:
        if action == RESTART:
            return OTHER_ADDRESS
        if kind == NAK and self.state in self.profile.nak.waits_in:
            return NAK_TO_WAIT
        if kind == ACK and self.state == REBOOTING and self.profile.gather_acks_s:
            return ACK_TO_HOLD
        return kind

    def _meaning(self, timer: str, now_ns: int) -> str:
        """What it means that ``timer`` fired, to this client and now."""
        if not self._carrier and timer in (RESEND, GIVE_UP):
            return NO_CARRIER
        if timer == GIVE_UP and self.state == SELECTING and self.profile.caches_failure:
            return FAILURE
        if timer == RESEND and self.state in HOLDING and self.lease is not None and self.profile.lazy_expiry:
            if now_ns >= self.lease.expires_at_ns:
                return EXPIRED
            if self.state == RENEWING and now_ns >= self.lease.rebind_at_ns:
                return T2
        return timer

    def _handle(self, what: str, now_ns: int, reply: dhcp.DhcpMessage | None = None) -> list[Command]:
        self._out = []
        step = TRANSITIONS.get((self.state, what))
        if step is not None:
            state, action = step
            previous, self.state = self.state, state
            if state != previous:
                self._out.append(StateChanged(state=state, previous=previous))
            action(self, now_ns, reply)
        return self._out

    # ---- actions of the table ----------------------------------------------------------------

    def _discover(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._timers.clear()
        self._offers.forget()
        self._exchange.begin(now_ns)
        self._send_discover(now_ns)

    def _send_discover(self, now_ns: int, _: dhcp.DhcpMessage | None = None) -> None:
        self._broadcast(self._message(dhcp.DISCOVER, now_ns), now_ns, self.profile.discover)
        due = self.profile.link_local_at_try
        self.wants_link_local |= self._carrier and 0 < due <= self._exchange.sent

    def _reboot(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._timers.clear()
        self._held = None
        self._exchange.begin(now_ns)
        self._send_reboot(now_ns)

    def _send_reboot(self, now_ns: int, _: dhcp.DhcpMessage | None = None) -> None:
        assert self.lease is not None
        request = self._message(dhcp.REQUEST, now_ns, requested=self.lease.address)
        self._broadcast(request, now_ns, self.profile.reboot)

    def _send_unsent(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        """The message that was due before there was carrier."""
        assert self._unsent is not None
        self._out.append(SendFrame(self._unsent))
        self._unsent = None

    def _choose(self, now_ns: int, offer: dhcp.DhcpMessage | None) -> None:
        assert offer is not None
        self._timers = {GATHERED: self._offers.take(offer, now_ns)}

    def _request(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._timers.clear()
        self._exchange.count_anew()
        self._send_request(now_ns)

    def _send_request(self, now_ns: int, _: dhcp.DhcpMessage | None = None) -> None:
        offer = self._offers.chosen
        assert offer is not None
        self._server = server_of(offer)
        request = self._message(dhcp.REQUEST, now_ns, requested=offer.yiaddr, server=self._server)
        self._broadcast(request, now_ns, self.profile.request)

    def _bind(self, now_ns: int, ack: dhcp.DhcpMessage | None) -> None:
        assert ack is not None
        self._use(granted(ack, self._server, self._server_mac, now_ns))

    def _hold(self, now_ns: int, ack: dhcp.DhcpMessage | None) -> None:
        assert ack is not None
        if self._held is None:
            self._held = granted(ack, self._server, self._server_mac, now_ns)
            self._timers = {GATHERED: now_ns + to_ns(self.profile.gather_acks_s)}

    def _bind_held(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        assert self._held is not None
        self._use(self._held)

    def _renew(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._exchange.begin(now_ns)
        self._extend(now_ns)

    def _extend(self, now_ns: int, _: dhcp.DhcpMessage | None = None) -> None:
        """RFC 2131 section 4.4.5: unicast while RENEWING, broadcast while REBINDING, at half the time that is left."""
        assert self.lease is not None
        renewing = self.state == RENEWING
        unicast = renewing and self.lease.server
        request = self._message(dhcp.REQUEST, now_ns, ciaddr=self.lease.address)
        target = (self.lease.server_mac, self.lease.server) if unicast else (BROADCAST, "255.255.255.255")
        self._out.append(SendFrame(dhcp.frame(request, self.mac, target[0], self.lease.address, target[1])))
        until = self.lease.rebind_at_ns if renewing else self.lease.expires_at_ns
        self._timers[RESEND] = now_ns + max(to_ns(_MIN_RENEW_GAP_S), (until - now_ns) // 2)

    def _start_over(self, now_ns: int, reply: dhcp.DhcpMessage | None) -> None:
        """The lease has ended, or a reply has ended it."""
        self._forget("expired" if reply is None else "nak" if reply.message_type == dhcp.NAK else "other-address")
        self._discover(now_ns, None)

    def _refused_and_wait(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._forget("nak")
        self._naks += 1
        self._timers = {RESEND: now_ns + to_ns(self.profile.nak.wait.delay_s(self._naks, self._dice.random()))}

    def _unanswered(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._out.append(GaveUp("ACK", self._exchange.sent))
        self._discover(now_ns, None)

    def _pause(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._fail(now_ns, None)
        self._timers = {RESEND: now_ns + to_ns(self.profile.pause_s)}

    def _fail(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._timers.clear()
        self._out.append(GaveUp("OFFER", self._exchange.sent))
        self.wants_link_local = bool(self.profile.link_local_at_try)

    def _fall_silent(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._out.append(GaveUp("OFFER" if self._carrier else "carrier", self._exchange.sent))
        self._stop(now_ns, None)

    def _stop(self, now_ns: int, _: dhcp.DhcpMessage | None) -> None:
        self._timers.clear()
        self._unsent = None
        self.wants_link_local = False
        self._release("link-down")

    # ---- parts -------------------------------------------------------------------------------

    def _use(self, lease: Lease) -> None:
        self.lease = lease
        self._server = lease.server
        self._held = None
        self._naks = 0
        self.wants_link_local = False
        self._address = lease.address
        self._timers = {T1: lease.renew_at_ns}
        if not self.profile.lazy_expiry:
            self._timers |= {T2: lease.rebind_at_ns, EXPIRED: lease.expires_at_ns}
        self._out.append(SetAddress(lease.address, lease.prefix, lease.router, lease.server, lease.lease_s))

    def _release(self, reason: str) -> None:
        if self._address:
            self._out.append(ClearAddress(self._address, reason))
            self._address = ""

    def _forget(self, reason: str) -> None:
        self._release(reason)
        self.lease = None

    def _message(self, kind: int, now_ns: int, **fields: str) -> dhcp.DhcpMessage:
        return self._exchange.message(kind, self.mac, now_ns, **fields)

    def _broadcast(self, request: dhcp.DhcpMessage, now_ns: int, backoff: Backoff) -> None:
        frame = dhcp.frame(request, self.mac, BROADCAST, "0.0.0.0", "255.255.255.255")
        if self._carrier:
            self._out.append(SendFrame(frame))
        else:
            self._unsent = frame
        delay_ns, last = self._exchange.count(backoff)
        self._timers[GIVE_UP if last else RESEND] = now_ns + delay_ns


Action = Callable[[DhcpClient, int, "dhcp.DhcpMessage | None"], None]

TRANSITIONS: dict[tuple[str, str], tuple[str, Action]] = {
    (STOPPED, LINK_UP): (SELECTING, DhcpClient._discover),
    (STOPPED, LINK_UP_WITH_LEASE): (REBOOTING, DhcpClient._reboot),
    (STOPPED, FAILED_BEFORE): (FAILED, DhcpClient._fall_silent),
    (FAILED, LINK_UP): (SELECTING, DhcpClient._discover),
    (FAILED, LINK_UP_WITH_LEASE): (REBOOTING, DhcpClient._reboot),
    (FAILED, LINK_DOWN): (STOPPED, DhcpClient._stop),
    (INIT, RESEND): (SELECTING, DhcpClient._discover),
    (INIT, LINK_DOWN): (STOPPED, DhcpClient._stop),
    (SELECTING, LINK_UP): (SELECTING, DhcpClient._send_unsent),
    (SELECTING, NO_CARRIER): (FAILED, DhcpClient._fall_silent),
    (SELECTING, OFFER): (SELECTING, DhcpClient._choose),
    (SELECTING, GATHERED): (REQUESTING, DhcpClient._request),
    (SELECTING, RESEND): (SELECTING, DhcpClient._send_discover),
    (SELECTING, GIVE_UP): (INIT, DhcpClient._pause),
    (SELECTING, FAILURE): (FAILED, DhcpClient._fail),
    (SELECTING, LINK_DOWN): (STOPPED, DhcpClient._stop),
    (REQUESTING, ACK): (BOUND, DhcpClient._bind),
    (REQUESTING, NAK): (SELECTING, DhcpClient._start_over),
    (REQUESTING, NAK_TO_WAIT): (INIT, DhcpClient._refused_and_wait),
    (REQUESTING, OTHER_ADDRESS): (SELECTING, DhcpClient._start_over),
    (REQUESTING, RESEND): (REQUESTING, DhcpClient._send_request),
    (REQUESTING, GIVE_UP): (SELECTING, DhcpClient._unanswered),
    (REQUESTING, LINK_DOWN): (STOPPED, DhcpClient._stop),
    (REBOOTING, LINK_UP): (REBOOTING, DhcpClient._send_unsent),
    (REBOOTING, NO_CARRIER): (FAILED, DhcpClient._fall_silent),
    (REBOOTING, ACK): (BOUND, DhcpClient._bind),
    (REBOOTING, ACK_TO_HOLD): (REBOOTING, DhcpClient._hold),
    (REBOOTING, GATHERED): (BOUND, DhcpClient._bind_held),
    (REBOOTING, NAK): (SELECTING, DhcpClient._start_over),
    (REBOOTING, NAK_TO_WAIT): (INIT, DhcpClient._refused_and_wait),
    (REBOOTING, OTHER_ADDRESS): (SELECTING, DhcpClient._start_over),
    (REBOOTING, RESEND): (REBOOTING, DhcpClient._send_reboot),
    (REBOOTING, GIVE_UP): (SELECTING, DhcpClient._unanswered),
    (REBOOTING, LINK_DOWN): (STOPPED, DhcpClient._stop),
    (BOUND, T1): (RENEWING, DhcpClient._renew),
    (BOUND, T2): (REBINDING, DhcpClient._renew),
    (BOUND, EXPIRED): (SELECTING, DhcpClient._start_over),
    (BOUND, LINK_DOWN): (STOPPED, DhcpClient._stop),
    (RENEWING, ACK): (BOUND, DhcpClient._bind),
    (RENEWING, NAK): (SELECTING, DhcpClient._start_over),
    (RENEWING, NAK_TO_WAIT): (INIT, DhcpClient._refused_and_wait),
    (RENEWING, OTHER_ADDRESS): (SELECTING, DhcpClient._start_over),
    (RENEWING, RESEND): (RENEWING, DhcpClient._extend),
    (RENEWING, T2): (REBINDING, DhcpClient._extend),
    (RENEWING, EXPIRED): (SELECTING, DhcpClient._start_over),
    (RENEWING, LINK_DOWN): (STOPPED, DhcpClient._stop),
    (REBINDING, ACK): (BOUND, DhcpClient._bind),
    (REBINDING, NAK): (SELECTING, DhcpClient._start_over),
    (REBINDING, NAK_TO_WAIT): (INIT, DhcpClient._refused_and_wait),
    (REBINDING, OTHER_ADDRESS): (SELECTING, DhcpClient._start_over),
    (REBINDING, RESEND): (REBINDING, DhcpClient._extend),
    (REBINDING, EXPIRED): (SELECTING, DhcpClient._start_over),
    (REBINDING, LINK_DOWN): (STOPPED, DhcpClient._stop),
}
"""(state, what happened) → (next state, what is done about it)."""
