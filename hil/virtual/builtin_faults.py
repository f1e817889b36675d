"""Faults that were seen in real firmware, each with its source and the finding it must cause."""

from hil.errors import WireError
from hil.virtual.faults import Fault
from hil.virtual.firmware import Command, RemoteWakeup, StartDhcpServer
from hil.wire.cdc import ConnectionSpeedChange, NetworkConnection, parse_notification


class NoLinkNotification(Fault):
    """The host is never told that the link is up, though the firmware says NCM_LINK_UP.

    Source: TinyUSB keeps its own link flag and ignores a repeated state, so ``tud_network_link_state(true)`` may send
    nothing (``src/class/net/ncm_device.c``, fixed upstream by cf055c237 of 2026-07-08: "host stuck at NO-CARRIER").

    Finding: the board claims NCM_LINK_UP, the host's carrier stays down.
    """

    name = "no-link-notification"

    def notification(self, data: bytes) -> bytes | None:
        try:
            found = parse_notification(data)
        except WireError:
            return data
        return None if isinstance(found, NetworkConnection | ConnectionSpeedChange) else data


class SendsRejectedWhileSuspended(Fault):
    """While the bus is suspended every send fails at once, the host is not woken and the frame is lost.

    Source: esp_tinyusb before 2.1.1 asked ``tud_ready()`` (mounted and not suspended) before it sent
    (``tinyusb_net.c``); since then it asks ``tud_mounted()`` (esp-usb 674d05b of 2026-02-17).

    Finding: the board logs ``TX FAILED: ESP_ERR_INVALID_STATE`` and no frame of it is on the wire.
    """

    name = "sends-rejected-while-suspended"

    def may_send(self, suspended: bool) -> str | None:
        return "ESP_ERR_INVALID_STATE" if suspended else None

    def command(self, command: Command) -> Command | None:
        return None if isinstance(command, RemoteWakeup) else command


class DhcpServerNotStarted(Fault):
    """The interface is up and nobody answers DISCOVER, though the firmware believes its server runs.

    Source: ``esp_netif_dhcps_start`` on an interface that is not up only notes that it shall be started and returns
    ESP_OK (``components/esp_netif/lwip/esp_netif_lwip.c``).

    Finding: DISCOVER on the wire, repeated, without any OFFER; the board claims NETIF_READY.
    """

    name = "dhcp-server-not-started"

    def command(self, command: Command) -> Command | None:
        return None if isinstance(command, StartDhcpServer) else command


BUILTIN: dict[str, type[Fault]] = {
    each.name: each for each in (NoLinkNotification, SendsRejectedWhileSuspended, DhcpServerNotStarted)
}
