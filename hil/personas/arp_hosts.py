"""Hosts that do nothing but ARP, as pure state machines: one asks for an address, one has taken it, one echoes.

They have the calls of :class:`~hil.personas.host_stack.HostStack` and follow the board from one interface to the next.
"""

from abc import ABC, abstractmethod

from hil.clock import to_ns
from hil.errors import WireError
from hil.personas.commands import Command, SendFrame
from hil.wire import arp
from hil.wire.addresses import mac_bytes
from hil.wire.arp import ArpPacket
from hil.wire.ethernet import BROADCAST, ETHERTYPE_ARP, EthernetFrame

FOREIGN_MAC = "02:00:00:53:51:01"
"""Of a squatter: locally administered, neither the board's nor the interface's."""
_TO_ALL = mac_bytes(BROADCAST)


class ArpHost(ABC):
    """What both have in common: something to do each ``every_s`` as long as there is carrier.

    Args:
        every_s: 0 for nothing.
    """

    def __init__(self, every_s: float) -> None:
        self._every_ns = to_ns(every_s)
        self._mac = ""
        self._due_ns: int | None = None
        self.late_ns = 0
        """By how much it was called later than it wanted to be, at most."""

    @property
    def deadline_ns(self) -> int | None:
        """When :meth:`wake` wants to be called next; None while there is nothing to wait for."""
        return self._due_ns

    def attached(self, mac: str, carrier: bool, now_ns: int) -> list[Command]:
        """An interface is there, in place of the one before if there was one."""
        self._mac = mac
        return self.link_changed(carrier, now_ns)

    def detached(self, now_ns: int) -> list[Command]:
        """The interface has left."""
        return self.link_changed(False, now_ns)

    def link_changed(self, up: bool, now_ns: int) -> list[Command]:
        """The interface got or lost its carrier."""
        if not up or not self._every_ns:
            self._due_ns = None
        elif self._due_ns is None:
            self._due_ns = now_ns
        return []

    def receive(self, frame: bytes, now_ns: int) -> list[Command]:
        """Any frame of the interface."""
        return []

    def wake(self, now_ns: int) -> list[Command]:
        """Let the timer fire if it is due; what was missed is not made up for."""
        if self._due_ns is None or now_ns < self._due_ns:
            return []
        self.late_ns = max(self.late_ns, now_ns - self._due_ns)
        self._due_ns = now_ns + self._every_ns
        return [SendFrame(self._regular())]

    @abstractmethod
    def _regular(self) -> bytes:
        """The frame that is sent each ``every_s``."""


class Asker(ArpHost):
    """Asks for an address, as a host that wants to talk to whoever has it.

    Args:
        address: its own.
        asks_for: the other one.
        every_s: from one question to the next; 0: it asks when the test says so.
    """

    def __init__(self, address: str, asks_for: str, every_s: float) -> None:
        super().__init__(every_s)
        self._address = address
        self._asks_for = asks_for

    def question(self) -> bytes:
        """One request for the address, of its own hardware address."""
        return broadcast(ArpPacket(arp.REQUEST, self._mac, self._address, arp.UNSPECIFIED_MAC, self._asks_for))

    def _regular(self) -> bytes:
        return self.question()


class Squatter(ArpHost):
    """Has an address already: answers whoever probes for it or asks for it, and announces it.

    Args:
        address: that it has.
        every_s: from one announcement to the next; 0: it neither announces nor answers by itself.
    """

    def __init__(self, address: str, every_s: float, mac: str = FOREIGN_MAC) -> None:
        super().__init__(every_s)
        self._address = address
        self._own_mac = mac

    def receive(self, frame: bytes, now_ns: int) -> list[Command]:
        """A request for its address is answered (RFC 826), a probe too."""
        asked = _request(frame)
        if not self._every_ns or asked is None or asked.target_ip != self._address or asked.is_announcement:
            return []
        answer = ArpPacket(arp.REPLY, self._own_mac, self._address, asked.sender_mac, asked.sender_ip)
        return [SendFrame(EthernetFrame(asked.sender_mac, self._own_mac, ETHERTYPE_ARP, answer.pack()).pack())]

    def claim(self) -> bytes:
        """An announcement of its address (RFC 5227 section 1.1)."""
        return broadcast(ArpPacket(arp.REQUEST, self._own_mac, self._address, arp.UNSPECIFIED_MAC, self._address))

    def probe(self) -> bytes:
        """A probe for it, as of a host that wants the address and does not have it yet."""
        unknown = arp.UNSPECIFIED_IP
        return broadcast(ArpPacket(arp.REQUEST, self._own_mac, unknown, arp.UNSPECIFIED_MAC, self._address))

    def _regular(self) -> bytes:
        return self.claim()


class Mirror:
    """Sends every broadcast of the board back as it is, as a hub or a switch with a loop may (RFC 5227 2.1.1, note)."""

    def __init__(self, after_s: float) -> None:
        self._after_ns = to_ns(after_s)
        self._waiting: list[tuple[int, bytes]] = []

    @property
    def deadline_ns(self) -> int | None:
        """When :meth:`wake` wants to be called next; None while there is nothing to send back."""
        return self._waiting[0][0] if self._waiting else None

    def attached(self, mac: str, carrier: bool, now_ns: int) -> list[Command]:
        """An interface is there, in place of the one before if there was one."""
        return self.detached(now_ns)

    def detached(self, now_ns: int) -> list[Command]:
        """The interface has left, and what was on its way with it."""
        self._waiting.clear()
        return []

    def link_changed(self, up: bool, now_ns: int) -> list[Command]:
        """The interface got or lost its carrier."""
        return [] if up else self.detached(now_ns)

    def receive(self, frame: bytes, now_ns: int) -> list[Command]:
        """A frame of the board."""
        if frame.startswith(_TO_ALL):
            self._waiting.append((now_ns + self._after_ns, frame))
        return []

    def wake(self, now_ns: int) -> list[Command]:
        """What is due goes back."""
        due = [frame for at_ns, frame in self._waiting if at_ns <= now_ns]
        self._waiting = self._waiting[len(due) :]
        return [SendFrame(frame) for frame in due]


def broadcast(packet: ArpPacket) -> bytes:
    """The frame that carries ``packet`` to everybody."""
    return EthernetFrame(BROADCAST, packet.sender_mac, ETHERTYPE_ARP, packet.pack()).pack()


def _request(frame: bytes) -> ArpPacket | None:
    """The ARP request in a frame, or None."""
    try:
        ethernet = EthernetFrame.parse(frame)
        packet = ArpPacket.parse(ethernet.payload) if ethernet.ethertype == ETHERTYPE_ARP else None
    except WireError:
        return None
    return packet if packet is not None and packet.op == arp.REQUEST else None
