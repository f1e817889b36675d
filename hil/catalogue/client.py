"""Faults of a board that is a DHCP client."""

from hil.catalogue.entry import Entry, started
from hil.catalogue.scenarios import CLIENT, DECLINED, LEASED

CLIENT_FAULTS: tuple[Entry, ...] = (
    Entry(
        fault="dhcp-client-mute",
        wrong="the DHCP client is said to be started, and sends nothing",
        seen_in="rolivape/ESP32S3_firmware, `usb_netif_aq.c`; ESP-IDF `esp_netif_dhcpc_start`",
        finding="dhcp-client-silent",
        proofs=started(LEASED, CLIENT),
    ),
    Entry(
        fault="lease-unchecked",
        wrong="a host answers for the address that the board was granted, and the board takes it",
        seen_in="ESP-IDF with CONFIG_LWIP_DHCP_DOES_ARP_CHECK=n",
        finding="lease-of-another-used",
        kconfig=("CONFIG_LWIP_DHCP_DOES_NOT_CHECK_OFFERED_IP=y",),
        long=True,
        proofs=started(DECLINED, CLIENT),
    ),
)
"""In the order of the matrix."""
