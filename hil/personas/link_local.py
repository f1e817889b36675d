"""An address of 169.254/16 that a host gives itself (RFC 3927), as a pure state machine.

It is chosen from the interface's hardware address, probed for, announced and defended::

    commands = link_local.wanted(mac, now_ns=…)
    commands = link_local.receive(frame, now_ns=…)
    commands = link_local.wake(now_ns=…)          # at or after link_local.deadline_ns
    commands = link_local.unwanted(reason)

:data:`TRANSITIONS` is the whole machine.
"""

import random
from collections.abc import Callable

from hil.clock import to_ns
from hil.errors import WireError
from hil.personas.client_profile import LinkLocalTimes
from hil.personas.commands import ClearLinkLocal, Command, SendFrame, SetLinkLocal
from hil.wire import arp
from hil.wire.addresses import ipv4_text, mac_bytes
from hil.wire.arp import ArpPacket
from hil.wire.ethernet import BROADCAST, ETHERTYPE_ARP, EthernetFrame

IDLE, PROBING, CLAIMED = "IDLE", "PROBING", "CLAIMED"
WANTED, UNWANTED = "wanted", "unwanted"
PROBE_DUE, CLAIM_DUE, ANNOUNCEMENT_DUE = "probe due", "claim due", "announcement due"
CONFLICT, SECOND_CONFLICT = "conflict", "second conflict"

PREFIX = 16
_FIRST, _LAST = 0xA9FE0100, 0xA9FEFEFF
"""RFC 3927 section 2.1: 169.254.1.0 to 169.254.254.255."""


class LinkLocal:
    """The link-local address of one interface after another.

    Args:
        times: of probes and announcements.
        dice: source of jitter.
    """

    def __init__(self, times: LinkLocalTimes, dice: random.Random) -> None:
        self.times = times
        self.state = IDLE
        self.address = ""
        """The address that is probed for or claimed; it outlives the state, so that it is tried again."""
        self._dice = dice
        self._mac = ""
        self._choice = random.Random()
        self._sent = 0
        self._conflicts = 0
        self._defended_ns: int | None = None
        self._timer: tuple[str, int] | None = None
        self._out: list[Command] = []

    @property
    def deadline_ns(self) -> int | None:
        """When :meth:`wake` wants to be called next; None while there is nothing to wait for."""
        return None if self._timer is None else self._timer[1]

    def wanted(self, mac: str, now_ns: int) -> list[Command]:
        """Find an address for the interface ``mac``."""
        if mac != self._mac:
            self._mac = mac
            self._choice = random.Random(int.from_bytes(mac_bytes(mac), "big"))
            self.address = self._another()
        return self._handle(WANTED, now_ns)

    def unwanted(self, reason: str) -> list[Command]:
        """Let go of the address; ``reason`` is lease or link-down."""
        address = self.address if self.state == CLAIMED else ""
        commands = self._handle(UNWANTED, 0)
        return [*commands, ClearLinkLocal(address, reason)] if address else commands

    def receive(self, frame: bytes, now_ns: int) -> list[Command]:
        """Any frame of the interface; what is no conflict is ignored."""
        try:
            ethernet = EthernetFrame.parse(frame)
            packet = ArpPacket.parse(ethernet.payload) if ethernet.ethertype == ETHERTYPE_ARP else None
        except WireError:
            return []
        if packet is None or not self._conflicts_with(packet):
            return []
        defended = self._defended_ns
        again = defended is not None and now_ns - defended < to_ns(self.times.defend_s)
        return self._handle(SECOND_CONFLICT if self.state == CLAIMED and again else CONFLICT, now_ns)

    def wake(self, now_ns: int) -> list[Command]:
        """Let the timer fire if it is due."""
        commands: list[Command] = []
        while self._timer is not None and self._timer[1] <= now_ns:
            what, self._timer = self._timer[0], None
            commands += self._handle(what, now_ns)
        return commands

    def _handle(self, what: str, now_ns: int) -> list[Command]:
        self._out = []
        step = TRANSITIONS.get((self.state, what))
        if step is not None:
            self.state, action = step
            action(self, now_ns)
        return self._out

    # ---- actions of the table ----------------------------------------------------------------

    def _begin(self, now_ns: int) -> None:
        self._sent = self._conflicts = 0
        self._set_timer(PROBE_DUE, now_ns, self._dice.uniform(*self.times.probe_wait_s))

    def _probe(self, now_ns: int) -> None:
        self._send(arp.UNSPECIFIED_IP)
        self._sent += 1
        if self._sent < self.times.probes:
            self._set_timer(PROBE_DUE, now_ns, self._dice.uniform(*self.times.probe_gap_s))
        else:
            self._set_timer(CLAIM_DUE, now_ns, self.times.claim_wait_s)

    def _claim(self, now_ns: int) -> None:
        self._sent = 0
        self._defended_ns = None
        self._out.append(SetLinkLocal(self.address))
        self._announce(now_ns)

    def _announce(self, now_ns: int) -> None:
        self._send(self.address)
        self._sent += 1
        if self._sent < self.times.announcements:
            self._set_timer(ANNOUNCEMENT_DUE, now_ns, self.times.announcement_gap_s)

    def _try_another(self, now_ns: int) -> None:
        self._sent = 0
        self._conflicts += 1
        self.address = self._another()
        many = self._conflicts >= self.times.max_conflicts
        wait_s = self.times.conflict_pause_s if many else self._dice.uniform(*self.times.probe_wait_s)
        self._set_timer(PROBE_DUE, now_ns, wait_s)

    def _defend(self, now_ns: int) -> None:
        """RFC 3927 section 2.5 (b): one announcement."""
        self._defended_ns = now_ns
        self._send(self.address)

    def _retreat(self, now_ns: int) -> None:
        self._out.append(ClearLinkLocal(self.address, "conflict"))
        self._try_another(now_ns)

    def _stop(self, _: int) -> None:
        self._timer = None

    # ---- parts -------------------------------------------------------------------------------

    def _conflicts_with(self, packet: ArpPacket) -> bool:
        """RFC 3927 sections 2.2.1 and 2.5: another uses the address, or, while it is not claimed yet, wants it too."""
        if packet.sender_mac == self._mac:
            return False
        wants = packet.is_probe and packet.target_ip == self.address and self.state == PROBING
        return packet.sender_ip == self.address or wants

    def _another(self) -> str:
        return ipv4_text(self._choice.randint(_FIRST, _LAST).to_bytes(4, "big"))

    def _send(self, sender_ip: str) -> None:
        packet = ArpPacket(arp.REQUEST, self._mac, sender_ip, arp.UNSPECIFIED_MAC, self.address)
        self._out.append(SendFrame(EthernetFrame(BROADCAST, self._mac, ETHERTYPE_ARP, packet.pack()).pack()))

    def _set_timer(self, what: str, now_ns: int, wait_s: float) -> None:
        self._timer = (what, now_ns + to_ns(wait_s))


Action = Callable[[LinkLocal, int], None]

TRANSITIONS: dict[tuple[str, str], tuple[str, Action]] = {
    (IDLE, WANTED): (PROBING, LinkLocal._begin),
    (PROBING, PROBE_DUE): (PROBING, LinkLocal._probe),
    (PROBING, CLAIM_DUE): (CLAIMED, LinkLocal._claim),
    (PROBING, CONFLICT): (PROBING, LinkLocal._try_another),
    (PROBING, UNWANTED): (IDLE, LinkLocal._stop),
    (CLAIMED, ANNOUNCEMENT_DUE): (CLAIMED, LinkLocal._announce),
    (CLAIMED, CONFLICT): (CLAIMED, LinkLocal._defend),
    (CLAIMED, SECOND_CONFLICT): (PROBING, LinkLocal._retreat),
    (CLAIMED, UNWANTED): (IDLE, LinkLocal._stop),
}
"""(state, what happened) → (next state, what is done about it)."""
