"""The table of known failures.

A signature looks at one board's window and returns its evidence, or None where its picture is not there. Each states
what speaks for it and what would speak against it; a signature that has evidence against it does not match.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hil.diagnosis.finding import Evidence, Finding
from hil.diagnosis.window import Window
from hil.expect import contains, matches
from hil.timeline.events import (
    ArpReply,
    ArpRequest,
    BoardSaid,
    Carrier,
    DhcpAck,
    DhcpDiscover,
    DhcpNak,
    DhcpOffer,
    Event,
    Frame,
    IcmpEcho,
    IpPacket,
    LinkChanged,
    UsbControl,
    UsbNotification,
    UsbResumed,
    UsbSuspended,
)

Sides = tuple[list[Evidence], list[Evidence]]
"""Evidence for, evidence against."""


@dataclass(frozen=True)
class Signature:
    """One known failure; ``look`` returns its evidence, or None where the picture is not there."""

    name: str
    title: str
    look: Callable[[Window], Sides | None]
    cause: str
    remedy: str
    source: str
    across_enumerations: bool = False
    """The picture may span a replug; else the latest enumeration that shows anything is judged, alone."""

    def evidence(self, window: Window) -> Sides | None:
        """What speaks for and against it, or None where there is nothing to see."""
        parts = [window] if self.across_enumerations else window.enumerations()
        return next((sides for sides in map(self.look, parts) if sides is not None), None)


def diagnose(events: Iterable[Event], board: str, since_ns: int, until_ns: int) -> list[Finding]:
    """Every signature that the window of ``board`` matches, in the order of the table."""
    window = Window(events, board, since_ns, until_ns)
    findings = []
    for signature in SIGNATURES:
        sides = signature.evidence(window)
        if sides is not None and not sides[1]:
            findings.append(_finding(signature, board, sides))
    return findings


def _finding(signature: Signature, board: str, sides: Sides) -> Finding:
    return Finding(
        name=signature.name,
        title=signature.title,
        board=board,
        supports=tuple(sides[0]),
        contradicts=tuple(sides[1]),
        cause=signature.cause,
        remedy=signature.remedy,
        source=signature.source,
    )


def _seen(text: str, event: Event | None) -> list[Evidence]:
    return [] if event is None else [Evidence(text, event)]


def _held(window: Window, pattern: Event) -> Event | None:
    """The first event of the window that matches, or the one before it, if that still held when the window began."""
    standing = window.standing(type(pattern))
    if standing is not None and matches(pattern, standing):
        return standing
    return window.first(pattern)


def _link_notification_missing(window: Window) -> Sides | None:
    """The interface is up and polled, the firmware says link up, and no NETWORK_CONNECTION(1) came."""
    up = _held(window, LinkChanged(up=True))
    if up is None or window.first(UsbControl()) is None or window.blind("usbmon"):
        return None
    connected = UsbNotification(name="NETWORK_CONNECTION", value=1)
    if window.first(connected) is None and (window.until_ns - up.t_ns) < 1_500_000_000:
        return None
    supports = [
        Evidence("the interface is up, so cdc_ncm polls the notification endpoint", up),
        *_seen("the board says that its link is up", window.first(BoardSaid(name="NCM_LINK_UP"))),
        Evidence("no NETWORK_CONNECTION notification with value 1 on the bus since the device was attached"),
        Evidence("no carrier on the interface since the device was attached"),
    ]
    contradicts = [
        *_seen("the notification arrived", window.first(connected)),
        *_seen("the interface has carrier", _held(window, Carrier(up=True))),
    ]
    return supports, contradicts


def _dhcp_server_silent(window: Window) -> Sides | None:
    """The host asks with carrier, and nothing at all comes from port 67."""
    carrier = _held(window, Carrier(up=True))
    asked = window.all(DhcpDiscover(sender="host"))
    if carrier is None or not asked or window.blind("packet"):
        return None
    if len(asked) < 2 and (window.until_ns - asked[0].t_ns) < 3_000_000_000:
        return None
    heard = window.first(BoardSaid(name="DHCP_DISCOVER_RX"))
    supports = [
        Evidence("the interface has carrier", carrier),
        Evidence(f"the host asked {len(asked)} times, first", asked[0]),
        *_seen("the board says that it heard the question", heard),
        Evidence("no DHCPOFFER, DHCPACK or DHCPNAK from the board on the wire"),
        Evidence("the board does not say that it sent or tried to send an answer"),
    ]
    answers = (DhcpOffer(sender="board"), DhcpAck(sender="board"), DhcpNak(sender="board"))
    claims = ("DHCP_OFFER_TX", "DHCP_ACK_TX", "TX_FAILED")
    contradicts = [
        *(e for answer in answers for e in _seen("the server answered", window.first(answer))),
        *(e for name in claims for e in _seen("the board says", window.first(BoardSaid(name=name)))),
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
    return supports, _seen("the OFFER is on the wire", window.first(DhcpOffer(sender="board")))


def _sends_rejected_while_suspended(window: Window) -> Sides | None:
    """Between suspend and resume the board tried to send and refused its own frames."""
    naps = (_refused_in_one_nap(window, asleep) for asleep in window.all(UsbSuspended()))
    return next((sides for sides in naps if sides is not None), None)


def _refused_in_one_nap(window: Window, asleep: Event) -> Sides | None:
    nap = window.after(asleep)
    awake = nap.first(UsbResumed())
    nap = nap.until(awake) if awake is not None else nap
    failed = nap.first(BoardSaid(name="TX_FAILED", detail=contains("ESP_ERR_INVALID_STATE")))
    if failed is None:
        return None
    supports = [
        Evidence("the bus was suspended", asleep),
        Evidence("the board says that its stack refused to send", failed),
        Evidence("no frame from the board while the bus was suspended"),
        *_seen("the host resumed the bus", awake),
    ]
    from_board = (ArpRequest, ArpReply, IcmpEcho, IpPacket, Frame, DhcpOffer, DhcpAck)
    contradicts = [e for kind in from_board for e in _seen("a frame left the board", nap.first(kind(sender="board")))]
    return supports, contradicts


SIGNATURES: tuple[Signature, ...] = (
    Signature(
        name="link-notification-missing",
        title="the firmware says link up, the host was never told",
        look=_link_notification_missing,
        cause="NETWORK_CONNECTION was not sent on the notification endpoint, so the host keeps the interface without "
        "carrier and sends nothing.",
        remedy="call tud_network_link_state() after the stack is ready, and use a TinyUSB that sends the notification "
        "on each selection of alternate setting 1 (0.21, or ncm_device.c of 2026-07-08).",
        source="USB CDC PSTN/NCM 1.0 section 7.1; hathach/tinyusb cf055c237; espressif/esp-idf issue 18079",
    ),
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
    Signature(
        name="sends-rejected-while-suspended",
        title="the board throws away what it has to send while the bus sleeps",
        look=_sends_rejected_while_suspended,
        cause="the send path asks tud_ready(), which is false while suspended, instead of tud_mounted().",
        remedy="update esp_tinyusb to 2.1.1 or later, or gate sends on tud_mounted() and wake the host with "
        "tud_remote_wakeup() where it has been armed.",
        source="espressif/esp-usb 674d05b (2026-02-17)",
        across_enumerations=True,
    ),
)
"""Every known failure; a finding's name is the signature's."""
