"""The link between the board and the host: carrier and its notifications."""

from hil.diagnosis.departures import TEST, departures
from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, held, seen
from hil.diagnosis.window import Window
from hil.timeline.events import (
    BoardSaid,
    Carrier,
    DhcpDiscover,
    LinkChanged,
    UsbControl,
    UsbDetached,
    UsbNotification,
)

PATIENCE_NS = 1_500_000_000
"""A link that is kicked comes within a second of the interface."""
CONNECTED = UsbNotification(name="NETWORK_CONNECTION", value=1)


def _link_notification_missing(window: Window) -> Sides | None:
    """The interface is up and polled, the firmware says link up, and no NETWORK_CONNECTION(1) came."""
    up = held(window, LinkChanged(up=True))
    if up is None or window.first(UsbControl()) is None or window.blind("usbmon"):
        return None
    sent_off = (each.event.t_ns for each in departures(window) if each.reason == TEST and each.event.t_ns > up.t_ns)
    if window.first(CONNECTED) is None and next(sent_off, window.until_ns) - up.t_ns < PATIENCE_NS:
        return None
    supports = [
        Evidence("the interface is up, so cdc_ncm polls the notification endpoint", up),
        *seen("the board says that its link is up", window.first(BoardSaid(name="NCM_LINK_UP"))),
        Evidence("no NETWORK_CONNECTION notification with value 1 on the bus since the device was attached"),
        Evidence("no carrier on the interface since the device was attached"),
    ]
    contradicts = [
        *seen("the notification arrived", window.first(CONNECTED)),
        *seen("the interface has carrier", held(window, Carrier(up=True))),
    ]
    return supports, contradicts


def link_before_stack(window: Window) -> Sides | None:
    """Carrier, and questions into it, before the firmware says that its stack is ready; no link change after."""
    gone = window.first(UsbDetached(path=window.port))
    window = window if gone is None else window.until(gone)  # the next boot may be ready before the next attach
    carrier = held(window, Carrier(up=True))
    ready = window.first(BoardSaid(name="NETIF_READY"))
    if carrier is None or ready is None or window.blind("netlink") or ready.t_ns - ready.t_err_ns <= carrier.t_ns:
        return None
    asked = window.until(ready).all(DhcpDiscover(sender="host"))
    after = window.after(ready)
    supports = [
        *seen("the host was told of the link", window.until(ready).first(CONNECTED)),
        Evidence("the interface has carrier", carrier),
        *seen(f"the host asked {len(asked)} times before the stack was ready, first", asked[0] if asked else None),
        Evidence("only now the board says that its stack is ready", ready),
        Evidence("no NETWORK_CONNECTION notification, no change of carrier after that"),
    ]
    contradicts = [
        *seen("the link was announced again", after.first(CONNECTED)),
        *seen("the interface got carrier again", after.first(Carrier(up=True))),
    ]
    return supports, contradicts


LINK_SIGNATURES: tuple[Signature, ...] = (
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
        name="link-announced-before-stack",
        title="the board announces its link before anybody can answer, and never again",
        look=link_before_stack,
        cause="the link is up as soon as the host selects alternate setting 1, TinyUSB's default, while the IP stack "
        "and the DHCP server start later; a host that has asked in vain waits for the next link.",
        remedy="hold the link down (tud_network_link_state(false)) until the stack is ready, or take it down and up "
        "again when it is.",
        source="espressif/esp-idf c9c0af84b7a (2026-01-08), issue 18079",
    ),
)
"""What can be wrong with the link."""
