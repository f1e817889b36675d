"""A DHCP server on the board's interface, as a pure state machine: for boards that are DHCP clients.

RFC 2131 as a server with one network behind it sees it (section 4.3): every client gets an address of its own and keeps
it as long as the server lives; an address that a client declines is given to nobody again. The server has a hardware
address of its own, answers ARP for its own address and for no other, and gives the computer that it runs on an address
of the same network, so that what a client serves can be reached.
"""

import ipaddress
from dataclasses import dataclass

from hil.errors import WireError
from hil.personas.commands import Command, Note, OwnAddress, SendFrame
from hil.wire import arp, dhcp
from hil.wire.addresses import ipv4_bytes
from hil.wire.arp import ArpPacket
from hil.wire.dhcp import DhcpMessage
from hil.wire.ethernet import BROADCAST, ETHERTYPE_ARP, EthernetFrame

SERVER_MAC = "02:00:00:53:51:02"
"""Locally administered, neither the board's nor the interface's."""
UNSET = "0.0.0.0"
EVERYONE = "255.255.255.255"


@dataclass(frozen=True, slots=True)
class LeasePlan:
    """What a server gives out."""

    server: str = "192.168.7.254"
    """Its own address, and option 54."""
    prefix: int = 24
    computer: str = "192.168.7.253"
    """Of the computer that it runs on."""
    first: str = "192.168.7.100"
    """Addresses are given from here on, ascending."""
    count: int = 20
    lease_s: int = 3600
    renew_s: int = 0
    """Option 58, T1; 0: half of the lease, and the client is not told."""

    @property
    def mask(self) -> str:
        return str(ipaddress.IPv4Network(f"{self.server}/{self.prefix}", strict=False).netmask)

    @property
    def addresses(self) -> tuple[str, ...]:
        start = ipaddress.IPv4Address(self.first)
        return tuple(str(start + number) for number in range(self.count))

    @property
    def options(self) -> tuple[dhcp.Option, ...]:
        """Of an OFFER or ACK, after its type."""
        times = [(dhcp.OPTION_LEASE_TIME, self.lease_s)]
        if self.renew_s:
            rebind_s = (self.renew_s + self.lease_s) // 2
            times += [(dhcp.OPTION_RENEWAL_TIME, self.renew_s), (dhcp.OPTION_REBINDING_TIME, rebind_s)]
        return (
            (dhcp.OPTION_SERVER_ID, ipv4_bytes(self.server)),
            (dhcp.OPTION_SUBNET_MASK, ipv4_bytes(self.mask)),
            *((code, seconds.to_bytes(4, "big")) for code, seconds in times),
        )


class LeaseServer:
    """One server on one interface after another; it has no timer."""

    deadline_ns: int | None = None

    def __init__(self, plan: LeasePlan) -> None:
        self.plan = plan
        self._given: dict[str, str] = {}
        """Addresses by client, hardware address in lower case."""
        self._declined: set[str] = set()

    def attached(self, mac: str, carrier: bool, now_ns: int) -> list[Command]:
        """An interface is there, in place of the one before if there was one."""
        return [OwnAddress(self.plan.computer, self.plan.prefix)]

    def detached(self, now_ns: int) -> list[Command]:
        """The interface has left; what was given stays given."""
        return []

    def link_changed(self, up: bool, now_ns: int) -> list[Command]:
        """The interface got or lost its carrier."""
        return []

    def wake(self, now_ns: int) -> list[Command]:
        """Nothing is ever due."""
        return []

    def receive(self, frame: bytes, now_ns: int) -> list[Command]:
        """Any frame of the interface."""
        try:
            ethernet = EthernetFrame.parse(frame)
            if ethernet.ethertype == ETHERTYPE_ARP:
                return self._arp(ArpPacket.parse(ethernet.payload))
            message = dhcp.from_frame(frame)
        except WireError as error:
            return [Note(f"a malformed frame was ignored: {error}")]
        reply = self.answer(message) if message is not None and message.op == dhcp.BOOTREQUEST else None
        return [] if reply is None else [SendFrame(self._framed(reply))]

    def answer(self, message: DhcpMessage) -> DhcpMessage | None:
        """What the server says to ``message``, or None where it says nothing."""
        match message.message_type:
            case dhcp.DISCOVER:
                return self._reply(dhcp.OFFER, message, self._address_for(message.chaddr))
            case dhcp.REQUEST:
                return self._requested(message)
            case dhcp.DECLINE:
                self._declined.add(self._given.pop(message.chaddr, ""))
            case dhcp.RELEASE:
                self._given.pop(message.chaddr, None)
        return None

    def _requested(self, message: DhcpMessage) -> DhcpMessage | None:
        """RFC 2131 section 4.3.2: SELECTING names a server, INIT-REBOOT an address, the others have one."""
        chosen = message.address_option(dhcp.OPTION_SERVER_ID)
        if chosen not in (None, self.plan.server):
            self._given.pop(message.chaddr, None)
            return None
        wanted = message.address_option(dhcp.OPTION_REQUESTED_ADDRESS) or message.ciaddr
        if message.chaddr not in self._given:
            return None if chosen is None else self._reply(dhcp.NAK, message, "")
        if wanted != self._given[message.chaddr]:
            return self._reply(dhcp.NAK, message, "")
        return self._reply(dhcp.ACK, message, wanted)

    def _address_for(self, client: str) -> str:
        """The client's own, or the next that nobody has; '' where there is none."""
        if client not in self._given:
            taken = {*self._given.values(), *self._declined}
            free = next((address for address in self.plan.addresses if address not in taken), "")
            if not free:
                return ""
            self._given[client] = free
        return self._given[client]

    def _reply(self, kind: int, to: DhcpMessage, address: str) -> DhcpMessage | None:
        if not address and kind != dhcp.NAK:
            return None
        given = self.plan.options if kind != dhcp.NAK else self.plan.options[:1]
        return DhcpMessage(
            op=dhcp.BOOTREPLY,
            xid=to.xid,
            chaddr=to.chaddr,
            ciaddr=to.ciaddr if kind == dhcp.ACK else UNSET,
            yiaddr=address or UNSET,
            flags=to.flags,
            giaddr=to.giaddr,
            options=((dhcp.OPTION_MESSAGE_TYPE, bytes([kind])), *given),
        )

    def _framed(self, reply: DhcpMessage) -> bytes:
        """RFC 2131 section 4.1: to the address that a client has already, else to everyone."""
        target = (reply.chaddr, reply.ciaddr) if reply.ciaddr != UNSET else (BROADCAST, EVERYONE)
        return dhcp.frame(reply, SERVER_MAC, target[0], self.plan.server, target[1])

    def _arp(self, asked: ArpPacket) -> list[Command]:
        if asked.op != arp.REQUEST or asked.target_ip != self.plan.server or asked.sender_mac == SERVER_MAC:
            return []
        answer = ArpPacket(arp.REPLY, SERVER_MAC, self.plan.server, asked.sender_mac, asked.sender_ip)
        return [SendFrame(EthernetFrame(asked.sender_mac, SERVER_MAC, ETHERTYPE_ARP, answer.pack()).pack())]
