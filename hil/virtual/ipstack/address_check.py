"""The ARP check that a DHCP client of ESP-IDF makes of an address before it takes it, as a pure machine.

CONFIG_LWIP_DHCP_DOES_ARP_CHECK, on by default: two questions, half a second apart (``port/acd_dhcp_check.c``). Nobody
has been heard when the second one is as old: the address is free.
"""

from hil.clock import to_ns
from hil.errors import WireError
from hil.wire import arp
from hil.wire.arp import ArpPacket
from hil.wire.ethernet import BROADCAST, ETHERTYPE_ARP, EthernetFrame

QUESTIONS = 2
WAIT_S = 0.5


class AddressCheck:
    """Of one address, from the ACK on.

    Args:
        address: that was granted.
        mac: of the client.
        now_ns: when the first question is due.
        wait_s: after each.
    """

    def __init__(self, address: str, mac: str, now_ns: int, wait_s: float = WAIT_S) -> None:
        self._address = address
        self._wait_ns = to_ns(wait_s)
        self._mac = mac
        self._asked = 0
        self.deadline_ns = now_ns
        """When :meth:`wake` wants to be called next."""

    @property
    def is_free(self) -> bool:
        """Nobody has answered in time."""
        return self._asked > QUESTIONS

    def wake(self, now_ns: int) -> bytes | None:
        """The frame that is due, if one is."""
        if now_ns < self.deadline_ns:
            return None
        self._asked += 1
        self.deadline_ns = now_ns + self._wait_ns
        if self._asked > QUESTIONS:
            return None
        packet = ArpPacket(arp.REQUEST, self._mac, arp.UNSPECIFIED_IP, arp.UNSPECIFIED_MAC, self._address)
        return EthernetFrame(BROADCAST, self._mac, ETHERTYPE_ARP, packet.pack()).pack()

    def hears_another(self, frame: bytes) -> bool:
        """Whether the frame is of somebody who has the address."""
        try:
            ethernet = EthernetFrame.parse(frame)
            packet = ArpPacket.parse(ethernet.payload) if ethernet.ethertype == ETHERTYPE_ARP else None
        except WireError:
            return False
        return packet is not None and packet.sender_ip == self._address and packet.sender_mac != self._mac
