"""Suspend and resume."""

from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, seen
from hil.diagnosis.window import Window
from hil.expect import contains
from hil.timeline.events import (
    ArpReply,
    ArpRequest,
    BoardSaid,
    DhcpAck,
    DhcpOffer,
    Event,
    Frame,
    IcmpEcho,
    IpPacket,
    UsbResumed,
    UsbSuspended,
)


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
        *seen("the host resumed the bus", awake),
    ]
    from_board = (ArpRequest, ArpReply, IcmpEcho, IpPacket, Frame, DhcpOffer, DhcpAck)
    contradicts = [e for kind in from_board for e in seen("a frame left the board", nap.first(kind(sender="board")))]
    return supports, contradicts


SLEEP_SIGNATURES: tuple[Signature, ...] = (
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
"""What can be wrong when the bus sleeps."""
