"""Faults of a board that is a DHCP client."""

from hil.catalogue.entry import Entry, Proof
from hil.catalogue.scenarios import CLIENT, DECLINED, LEASED


def _client(scenario: str) -> tuple[Proof, Proof]:
    return Proof("", (scenario,), options=CLIENT), Proof("from_boot=2", (scenario,), options=CLIENT)


CLIENT_FAULTS: tuple[Entry, ...] = (
    Entry(
        fault="dhcp-client-mute",
        wrong="the DHCP client is said to be started, and sends nothing",
        seen_in="rolivape/ESP32S3_firmware, `usb_netif_aq.c`; ESP-IDF `esp_netif_dhcpc_start`",
        finding="dhcp-client-silent",
        proofs=_client(LEASED),
    ),
    Entry(
        fault="lease-unchecked",
        wrong="a host answers for the address that the board was granted, and the board takes it",
        seen_in="ESP-IDF with CONFIG_LWIP_DHCP_DOES_ARP_CHECK=n",
        finding="lease-of-another-used",
        kconfig=("CONFIG_LWIP_DHCP_DOES_NOT_CHECK_OFFERED_IP=y",),
        long=True,
        proofs=_client(DECLINED),
    ),
)
"""In the order of the matrix."""
