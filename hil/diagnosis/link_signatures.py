"""The link between the board and the host: carrier and its notifications."""

from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, held, seen
from hil.diagnosis.window import Window
from hil.timeline.events import BoardSaid, Carrier, LinkChanged, UsbControl, UsbNotification


def _link_notification_missing(window: Window) -> Sides | None:
    """The interface is up and polled, the firmware says link up, and no NETWORK_CONNECTION(1) came."""
    up = held(window, LinkChanged(up=True))
    if up is None or window.first(UsbControl()) is None or window.blind("usbmon"):
        return None
    connected = UsbNotification(name="NETWORK_CONNECTION", value=1)
    if window.first(connected) is None and (window.until_ns - up.t_ns) < 1_500_000_000:
        return None
    supports = [
        Evidence("the interface is up, so cdc_ncm polls the notification endpoint", up),
        *seen("the board says that its link is up", window.first(BoardSaid(name="NCM_LINK_UP"))),
        Evidence("no NETWORK_CONNECTION notification with value 1 on the bus since the device was attached"),
        Evidence("no carrier on the interface since the device was attached"),
    ]
    contradicts = [
        *seen("the notification arrived", window.first(connected)),
        *seen("the interface has carrier", held(window, Carrier(up=True))),
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
)
"""What can be wrong with the link."""
