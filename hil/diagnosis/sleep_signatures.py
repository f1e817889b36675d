"""Suspend and resume."""

from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, boot_logs, seen
from hil.diagnosis.window import Window
from hil.expect import contains
from hil.timeline.events import (
    ArpReply,
    ArpRequest,
    BoardSaid,
    Carrier,
    DhcpAck,
    DhcpOffer,
    Event,
    Frame,
    IcmpEcho,
    IpPacket,
    LinkChanged,
    UsbDetached,
    UsbNotification,
    UsbResumed,
    UsbSuspended,
)

KICK_NS = 1_500_000_000
"""A firmware may hold its link down after a resume, for 250 ms and the host's time to see it."""


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


def _link_left_down_after_resume(window: Window) -> Sides | None:
    """Carrier goes with a resume and does not come back."""
    if window.blind("netlink"):
        return None
    resumes = (_left_down(window, awake) for awake in reversed(window.all(UsbResumed())))
    return next((sides for sides in resumes if sides is not None), None)


def _left_down(window: Window, awake: Event) -> Sides | None:
    after = window.after(awake)
    down = after.first(Carrier(up=False))
    if down is None or window.until_ns - down.t_ns < KICK_NS:
        return None
    supports = [
        *seen("the bus was suspended", window.until(awake).last(UsbSuspended())),
        Evidence("the bus was resumed", awake),
        *seen("the board took its link down", after.first(UsbNotification(name="NETWORK_CONNECTION", value=0))),
        Evidence("the interface lost carrier", down),
        Evidence(f"no carrier for the {(window.until_ns - down.t_ns) / 1e9:.1f} s that followed"),
    ]
    contradicts = [
        *seen("carrier came back", after.after(down).first(Carrier(up=True))),
        *seen("the board left the bus", after.first(UsbDetached(path=window.port))),
        *seen("the interface was set down", after.first(LinkChanged(up=False))),
    ]
    return supports, contradicts


def _link_moved_while_asleep(window: Window) -> Sides | None:
    """By the board's own clock its link came up between a suspend and the resume, which the host saw too."""
    found = (_moved_in_one_boot(window, log) for log in boot_logs(window))
    return next((sides for sides in found if sides is not None), None)


def _moved_in_one_boot(window: Window, log: list[BoardSaid]) -> Sides | None:
    asleep: BoardSaid | None = None
    up: BoardSaid | None = None
    for said in log:
        if said.name == "USB_SUSPENDED":
            asleep, up = said, None
        elif said.name == "NCM_LINK_UP" and asleep is not None:
            up = up or said
        elif said.name in ("USB_RESUMED", "USB_MOUNTED"):
            if said.name == "USB_RESUMED" and asleep is not None and up is not None:
                return _moved(window, asleep, up, said)
            asleep = None
    return None


def _moved(window: Window, asleep: BoardSaid, up: BoardSaid, awake: BoardSaid) -> Sides | None:
    slept = window.until(awake).last(UsbSuspended())
    woke = None if slept is None else window.after(slept).first(UsbResumed())
    if slept is None or woke is None:
        return None
    supports = [
        Evidence("the bus was suspended", slept),
        Evidence("the board says so", asleep),
        Evidence("then it says that its link came up", up),
        Evidence("only now the host resumed the bus", woke),
        Evidence("the board says so", awake),
    ]
    told = window.after(slept).until(woke).first(UsbNotification(name="NETWORK_CONNECTION"))
    return supports, seen("the host was told of a link meanwhile", told)


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
    Signature(
        name="link-left-down-after-resume",
        title="the link goes down with the resume and stays down",
        look=_link_left_down_after_resume,
        cause="the firmware takes the link down after a resume so that the host notices, and the second half, link up, "
        "is lost: its task or timer did not outlive the suspend, or the state was changed where it is ignored.",
        remedy="let one state machine own the link, with a deadline for each step, and let nothing but it call "
        "tud_network_link_state().",
        source="mcu-apple-bridge main/network_setup.c at 0d5a385, resume_kick_up; zephyr issue 26725",
        across_enumerations=True,
    ),
    Signature(
        name="link-moved-while-asleep",
        title="the board takes its link down and up while the bus sleeps",
        look=_link_moved_while_asleep,
        cause="a suspended device is still mounted, so what watches the link puts up again what the suspend took down; "
        "the host cannot be told until the resume, and frames in between are lost.",
        remedy="leave the link as it is while the bus sleeps; let what watches it know of the suspend.",
        source="mcu-apple-bridge main/network_setup.c at 0d5a385",
        across_enumerations=True,
    ),
)
"""What can be wrong when the bus sleeps."""
