"""The board's DHCP server, as the wire shows it."""

from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, held, seen
from hil.diagnosis.window import Window
from hil.timeline.events import BoardSaid, Carrier, DhcpAck, DhcpDiscover, DhcpNak, DhcpOffer


def _dhcp_server_silent(window: Window) -> Sides | None:
    """The host asks with carrier, and nothing at all comes from port 67."""
    carrier = held(window, Carrier(up=True))
    asked = window.all(DhcpDiscover(sender="host"))
    if carrier is None or not asked or window.blind("packet"):
        return None
    if len(asked) < 2 and (window.until_ns - asked[0].t_ns) < 3_000_000_000:
        return None
    heard = window.first(BoardSaid(name="DHCP_DISCOVER_RX"))
    supports = [
        Evidence("the interface has carrier", carrier),
        Evidence(f"the host asked {len(asked)} times, first", asked[0]),
        *seen("the board says that it heard the question", heard),
        Evidence("no DHCPOFFER, DHCPACK or DHCPNAK from the board on the wire"),
        Evidence("the board does not say that it sent or tried to send an answer"),
    ]
    answers = (DhcpOffer(sender="board"), DhcpAck(sender="board"), DhcpNak(sender="board"))
    claims = ("DHCP_OFFER_TX", "DHCP_ACK_TX", "TX_FAILED")
    contradicts = [
        *(e for answer in answers for e in seen("the server answered", window.first(answer))),
        *(e for name in claims for e in seen("the board says", window.first(BoardSaid(name=name)))),
    ]
    return supports, contradicts


def _offer_lost_in_send_path(window: Window) -> Sides | None:
    """The board claims an OFFER that never reached the wire."""
    claimed = window.first(BoardSaid(name="DHCP_OFFER_TX"))
    if claimed is None or window.blind("packet"):
        return None
    supports = [
        Evidence("the board says that it sent an OFFER", claimed),
        Evidence("no DHCPOFFER from the board on the wire"),
    ]
    return supports, seen("the OFFER is on the wire", window.first(DhcpOffer(sender="board")))


DHCP_SIGNATURES: tuple[Signature, ...] = (
    Signature(
        name="dhcp-server-silent",
        title="the board hears DHCPDISCOVER and its server never answers",
        look=_dhcp_server_silent,
        cause="the DHCP server of the firmware is not running on the USB interface.",
        remedy="start it after the interface is up (esp_netif_dhcps_start) and check its return value; an interface "
        "made without ESP_NETIF_DHCP_SERVER has none to start.",
        source="ESP-IDF components/esp_netif/lwip/esp_netif_lwip.c, esp_netif_dhcps_start",
    ),
    Signature(
        name="offer-lost-in-send-path",
        title="the board says DHCP_OFFER_TX, no OFFER on the wire",
        look=_offer_lost_in_send_path,
        cause="the event was recorded before the send was tried, and the send failed or was dropped.",
        remedy="record the event after tud_network_xmit succeeded, and log a failed send.",
        source="mcu-apple-bridge main/network_setup.c at 0d5a385",
    ),
)
"""What can be wrong with the lease."""
