"""Ethernet II frames, without preamble and without frame check sequence."""

from dataclasses import dataclass
from typing import Self

from hil.wire.addresses import mac_bytes, mac_text
from hil.wire.layout import Layout

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806
ETHERTYPE_VLAN = 0x8100
ETHERTYPE_IPV6 = 0x86DD
BROADCAST = "ff:ff:ff:ff:ff:ff"
HEADER = Layout("Ethernet header", ">6s6sH")


@dataclass(frozen=True, slots=True)
class EthernetFrame:
    """One frame; ``payload`` may end in padding, which the next layer's own length tells."""

    dst: str
    src: str
    ethertype: int
    """Below 0x0600 it is the length field of an IEEE 802.3 frame."""
    payload: bytes

    def pack(self) -> bytes:
        """The frame, not padded to the 60 bytes of a wire: NCM carries short frames."""
        return HEADER.pack(mac_bytes(self.dst), mac_bytes(self.src), self.ethertype) + self.payload

    @classmethod
    def parse(cls, data: bytes) -> Self:
        dst, src, ethertype = HEADER.unpack(data)
        return cls(mac_text(dst), mac_text(src), ethertype, data[HEADER.size :])
