"""ARP for IPv4 over Ethernet (RFC 826); probes and announcements as RFC 5227 names them."""

from dataclasses import dataclass
from typing import Self

from hil.errors import WireError
from hil.wire.addresses import ipv4_bytes, ipv4_text, mac_bytes, mac_text
from hil.wire.layout import Layout

REQUEST = 1
REPLY = 2
UNSPECIFIED_IP = "0.0.0.0"
UNSPECIFIED_MAC = "00:00:00:00:00:00"
BODY = Layout("ARP packet", ">HHBBH6s4s6s4s")
ETHERNET_IPV4 = (1, 0x0800, 6, 4)
"""Hardware type, protocol type and their address lengths."""


@dataclass(frozen=True, slots=True)
class ArpPacket:
    """One ARP packet; bytes after its 28 are padding of the frame and are ignored."""

    op: int
    """:data:`REQUEST`, :data:`REPLY` or another operation."""
    sender_mac: str
    sender_ip: str
    target_mac: str
    target_ip: str

    @property
    def is_probe(self) -> bool:
        """RFC 5227 section 1.1: a request from 0.0.0.0 for an address that the sender wants."""
        return self.op == REQUEST and self.sender_ip == UNSPECIFIED_IP

    @property
    def is_announcement(self) -> bool:
        """RFC 5227 section 1.1: a request whose sender and target address are the same."""
        return self.op == REQUEST and self.sender_ip == self.target_ip != UNSPECIFIED_IP

    def pack(self) -> bytes:
        sender = (mac_bytes(self.sender_mac), ipv4_bytes(self.sender_ip))
        target = (mac_bytes(self.target_mac), ipv4_bytes(self.target_ip))
        return BODY.pack(*ETHERNET_IPV4, self.op, *sender, *target)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        *kind, op, sender_mac, sender_ip, target_mac, target_ip = BODY.unpack(data)
        if tuple(kind) != ETHERNET_IPV4:
            raise WireError(f"ARP packet: hardware and protocol types and lengths are {kind}, known: {ETHERNET_IPV4}")
        return cls(op, mac_text(sender_mac), ipv4_text(sender_ip), mac_text(target_mac), ipv4_text(target_ip))
