"""An interface without carrier, where the bus does not show whether the board ever gave it one."""

from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, held, seen
from hil.diagnosis.text import CAUSES
from hil.diagnosis.window import Window
from hil.timeline.events import CaptureGap, Carrier, Event, LinkChanged, NetifVanished, UsbDetached, UsbNotification

PATIENCE_NS = 5_000_000_000
"""A healthy board gives carrier within one second of the interface's coming up."""
NO_CARRIER = CAUSES["no-carrier"]


def _no_carrier(window: Window) -> Sides | None:
    """The interface is up for long without carrier; that usbmon saw no notification is another finding."""
    up = held(window, LinkChanged(up=True))
    if up is None or window.blind("netlink"):
        return None
    told = window.first(UsbNotification(name="NETWORK_CONNECTION", value=1))
    if (told is None and not window.blind("usbmon")) or _end(window, up) - up.t_ns < PATIENCE_NS:
        return None
    supports = [
        Evidence("the interface is up", up),
        *seen("the board says on the bus that its link is up", told),
        *seen("nobody saw the bus", window.first(CaptureGap(channel="usbmon")) if told is None else None),
        Evidence("no carrier on the interface since the device was attached"),
    ]
    return supports, seen("the interface has carrier", held(window, Carrier(up=True)))


def _end(window: Window, up: Event) -> int:
    """When the interface went away, or the window ended."""
    later = window.after(up)
    gone = [event for event in (later.first(NetifVanished()), later.first(UsbDetached())) if event is not None]
    return min((int(event.t_ns) for event in gone), default=window.until_ns)


CARRIER_SIGNATURES: tuple[Signature, ...] = (
    Signature(
        name=NO_CARRIER.name,
        title=NO_CARRIER.title,
        look=_no_carrier,
        cause=NO_CARRIER.cause,
        remedy=NO_CARRIER.remedy,
        source=NO_CARRIER.source,
    ),
)
"""What can be wrong with the link on a bench whose usbmon is blind."""
