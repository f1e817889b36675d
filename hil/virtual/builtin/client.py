"""Faults of the DHCP client."""

from collections.abc import Mapping
from dataclasses import replace

from hil.errors import WireError
from hil.virtual.faults import Fault
from hil.virtual.firmware import FirmwareConfig
from hil.wire import dhcp
from hil.wire.arp import ArpPacket
from hil.wire.ethernet import ETHERTYPE_ARP, EthernetFrame


class DhcpClientMute(Fault):
    """The client is said to be started, and nothing is sent; a board in another role is not touched.

    Source: rolivape/ESP32S3_firmware at 77a36dc (``usb_netif_aq.c``) never sets its interface up, and
    ``esp_netif_dhcpc_start`` returns ESP_OK all the same (``esp_netif_lwip.c``).

    Finding: the link is up, the board claims DHCP_CLIENT_STARTED, and no DISCOVER is on the wire.
    """

    name = "dhcp-client-mute"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, dhcp_client_mute=1)


class LeaseUnchecked(Fault):
    """Whoever answers for the address that was granted is not heard, and the address is taken.

    Source: ESP-IDF with CONFIG_LWIP_DHCP_DOES_ARP_CHECK=n; RFC 2131 section 4.4.4 wants a DHCPDECLINE.

    Finding: after the ACK a host claims the address, and the board speaks from it.
    """

    name = "lease-unchecked"

    def __init__(self, options: Mapping[str, str]) -> None:
        super().__init__(options)
        self._granted = ""

    def frame_from_host(self, frame: bytes) -> list[bytes]:
        try:
            message = dhcp.from_frame(frame)
            if message is not None and message.message_type == dhcp.ACK:
                self._granted = message.yiaddr
            return [] if self._granted and _speaker(frame) == self._granted else [frame]
        except WireError:
            return [frame]


def _speaker(frame: bytes) -> str:
    """Who says by ARP where he is; '' of any other frame."""
    ethernet = EthernetFrame.parse(frame)
    return ArpPacket.parse(ethernet.payload).sender_ip if ethernet.ethertype == ETHERTYPE_ARP else ""


CLIENT_FAULTS: tuple[type[Fault], ...] = (DhcpClientMute, LeaseUnchecked)
