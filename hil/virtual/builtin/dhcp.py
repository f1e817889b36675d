"""Faults of the DHCP server."""

from hil.virtual.faults import Fault
from hil.virtual.firmware import Command, StartDhcpServer


class DhcpServerNotStarted(Fault):
    """The interface is up and nobody answers DISCOVER, though the firmware believes its server runs.

    Source: ``esp_netif_dhcps_start`` on an interface that is not up only notes that it shall be started and returns
    ESP_OK (``components/esp_netif/lwip/esp_netif_lwip.c``).

    Finding: DISCOVER on the wire, repeated, without any OFFER; the board claims NETIF_READY.
    """

    name = "dhcp-server-not-started"

    def command(self, command: Command) -> Command | None:
        return None if isinstance(command, StartDhcpServer) else command


DHCP_FAULTS: tuple[type[Fault], ...] = (DhcpServerNotStarted,)
