"""Faults of the DHCP server, and of what becomes of its messages."""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Address

from hil.errors import VirtualBoardError, WireError
from hil.virtual.faults import Fault
from hil.virtual.firmware import Command, FirmwareConfig, StartDhcpServer
from hil.wire import dhcp


class DhcpServerNotStarted(Fault):
    """The interface is up and nobody answers DISCOVER, though the firmware believes its server runs.

    Source: ``esp_netif_dhcps_start`` on an interface that is not up only notes that it shall be started and returns
    ESP_OK (``components/esp_netif/lwip/esp_netif_lwip.c``).

    Finding: DISCOVER on the wire, repeated, without any OFFER; the board claims NETIF_READY.
    """

    name = "dhcp-server-not-started"

    def command(self, command: Command) -> Command | None:
        return None if isinstance(command, StartDhcpServer) else command


class OfferClaimedNotSent(Fault):
    """Every OFFER is lost on its way to USB, after the firmware has written down that it sent it.

    Source: mcu-apple-bridge records DHCP_OFFER_TX before it tries to send, and whatever comes of it
    (``main/network_setup.c`` at 0d5a385).

    Finding: the board claims DHCP_OFFER_TX, no OFFER is on the wire.
    """

    name = "offer-claimed-not-sent"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, sends_claimed_early=1)

    def frame_to_host(self, frame: bytes) -> list[bytes]:
        return [] if _message_type(frame) == dhcp.OFFER else [frame]


class AckDropped(Fault):
    """The OFFER reaches the host and no ACK ever does.

    Source: OpenLightingProject/rp2040-dmxsun issue 53, an lwIP server on TinyUSB whose host repeats its REQUEST.

    Finding: OFFER on the wire, REQUESTs for it, and neither ACK nor NAK.
    """

    name = "ack-dropped"

    def frame_to_host(self, frame: bytes) -> list[bytes]:
        return [] if _message_type(frame) == dhcp.ACK else [frame]


class OfferOutsidePool(Fault):
    """The server gives out an address that its own network does not have.

    Key ``address``: the first address that it gives; by default one of 192.168.4.0/24, the network of ESP-IDF's own
    default pool.

    Source: espressif/esp-idf issue 1257, a server that gives addresses "from the old IP range" after the interface's
    address was changed.

    Finding: an OFFER of an address that is outside the board's pool.
    """

    name = "offer-outside-pool"
    keys = frozenset({"address"})
    ADDRESSES = 9

    def __init__(self, options: Mapping[str, str]) -> None:
        super().__init__(options)
        try:
            self._first = IPv4Address(options.get("address", "192.168.4.2"))
        except ValueError as error:
            raise VirtualBoardError(f"address is {options['address']!r}; wanted an IPv4 address") from error

    def command(self, command: Command) -> Command | None:
        if isinstance(command, StartDhcpServer):
            return replace(command, first=str(self._first), last=str(self._first + self.ADDRESSES - 1))
        return command


class NakWithoutServerId(Fault):
    """A NAK does not say which server it is from, so careful clients take it for nobody's.

    Source: espressif/esp-idf issue 19120; ``send_nak`` in ``components/lwip/apps/dhcpserver/dhcpserver.c`` writes
    option 53 and the end mark, RFC 2131 table 3 demands option 54. The firmware of this repository puts it in.

    Finding: a NAK without option 54 on the wire, and a client that goes on asking for what was refused.
    """

    name = "nak-without-server-id"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, nak_unnamed=1)


def _message_type(frame: bytes) -> int:
    """Option 53 of a DHCP frame; 0 where the frame is none."""
    try:
        message = dhcp.from_frame(frame)
    except WireError:
        return 0
    return message.message_type if message is not None else 0


DHCP_FAULTS: tuple[type[Fault], ...] = (
    DhcpServerNotStarted,
    OfferClaimedNotSent,
    AckDropped,
    OfferOutsidePool,
    NakWithoutServerId,
)
