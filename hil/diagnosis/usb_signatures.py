"""The USB device: whether it answers, whether its endpoints move anything, whether it stays."""

from hil.diagnosis.departures import UNEXPLAINED, Departure, departures
from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, frames, seen
from hil.diagnosis.window import Window
from hil.timeline.departure import RECOVERS, RESETS
from hil.timeline.events import Event, UsbAttached, UsbBulkCount, UsbControl

LATE_NS = 1_500_000_000
"""USB 2.0 section 9.2.6.4 gives a device 500 ms for the data of a standard request, 50 ms where there is none."""
COUNTED_NS = 1_500_000_000
"""Bulk transfers are counted a second at a time."""
VAGUE_NS = 2_000_000_000
"""What is dated no better than this says nothing of a request."""
TO_HOST = 0x80


def _usb_task_starved(window: Window) -> Sides | None:
    """A control request that waited for seconds while the board was on the bus."""
    gone = departures(window)
    asked = [each for each in window.all(UsbControl()) if isinstance(each, UsbControl) and _took_ns(each) >= LATE_NS]
    late = [each for each in asked if _waited_ns(window, each, gone) >= LATE_NS]
    if not late:
        return None
    worst = max(late, key=lambda each: each.took_s)
    answered = (
        f"was answered after {worst.took_s:.1f} s" if worst.status == 0 else f"had no answer in {worst.took_s:.1f} s"
    )
    supports = [
        *seen("the board is on the bus", window.until(worst).last(UsbAttached(path=window.port))),
        Evidence(f"{worst.request} {answered}; so did {len(late) - 1} more", worst),
    ]
    return supports, []


def _took_ns(request: UsbControl) -> int:
    """How long it took; 0 where the timeline does not say it."""
    return int(request.took_s * 1e9) if isinstance(request.took_s, float) else 0


def _waited_ns(window: Window, request: UsbControl, gone: list[Departure]) -> int:
    """How long it went without an answer before it ended, or before the board was no longer there to answer.

    The kernel may learn of a departure only when the request has timed out, so the uevent does not date it.
    """
    began_ns = request.t_ns - _took_ns(request)
    attached = [each.t_ns for each in window.all(UsbAttached(path=window.port)) if each.t_ns <= request.t_ns]
    came_ns = max(attached, default=window.since_ns)
    signs = [each for pattern in (*RESETS, *RECOVERS) for each in window.all(pattern) if each.t_err_ns <= VAGUE_NS]
    signs += [each.because or each.event for each in gone if began_ns <= each.event.t_ns]
    left = [e.t_ns for e in signs if e.t_ns + e.t_err_ns > came_ns and e.t_ns - e.t_err_ns < request.t_ns]
    unexplained = any(each.reason == UNEXPLAINED and began_ns <= each.event.t_ns <= request.t_ns for each in gone)
    return 0 if unexplained else max(0, min([request.t_ns, *left]) - began_ns)


def endpoints_not_rearmed(window: Window) -> Sides | None:
    """After SET_INTERFACE 1, 0, 1 the host sends frames and no bulk OUT transfer ever ends."""
    chosen = _reselected(window)
    if chosen is None or window.blind("usbmon") or window.blind("packet"):
        return None
    sent = frames(window.after(chosen), "host")
    if len(sent) < 2 or window.until_ns - sent[0].t_ns < COUNTED_NS:
        return None
    moved = (e for e in window.all(UsbBulkCount()) if isinstance(e, UsbBulkCount) and not e.endpoint & TO_HOST)
    supports = [
        Evidence("the host selected alternate setting 1, 0 and 1 again", chosen),
        Evidence(f"it sent {len(sent)} frames, first", sent[0]),
        Evidence("no bulk transfer to the board has ended since it was attached"),
        Evidence("no frame of the board"),
    ]
    contradicts = [
        *seen("bulk transfers ended", next(moved, None)),
        *seen("a frame of the board", next(iter(frames(window.after(chosen), "board")), None)),
    ]
    return supports, contradicts


def _reselected(window: Window) -> Event | None:
    """The SET_INTERFACE 1 that followed 1 and 0 of the same interface."""
    history: dict[int, list[int]] = {}
    for event in window.all(UsbControl(request="SET_INTERFACE", status=0)):
        assert isinstance(event, UsbControl)
        values = history.setdefault(event.index, [])
        values.append(event.value)
        if values[-3:] == [1, 0, 1]:
            return event
    return None


def _board_left_the_bus(window: Window) -> Sides | None:
    """A disconnect that nothing explains."""
    gone = [departure.event for departure in departures(window) if departure.reason == UNEXPLAINED]
    if not gone or window.blind("uevent"):
        return None
    back = window.after(gone[0]).first(UsbAttached(path=window.port))
    supports = [
        Evidence(f"the board left the bus {len(gone)} times by itself, first", gone[0]),
        *seen("it came back", back),
        Evidence("no action of the test that takes it off the bus"),
        Evidence("neither the ROM nor the firmware tells of a start, and the firmware tells of no recovery"),
    ]
    return supports, []


USB_SIGNATURES: tuple[Signature, ...] = (
    Signature(
        name="usb-task-starved",
        title="the board lets the host wait for seconds",
        look=_usb_task_starved,
        cause="the task that calls tud_task() did not run: a callback of TinyUSB blocks in it, or tasks of a higher "
        "priority keep it out.",
        remedy="let callbacks such as tud_mount_cb() only set a flag or send to a queue; raise the task's priority.",
        source="rolivape/ESP32S3_firmware usb_netif_aq.c at 77a36dc; USB 2.0 section 9.2.6.4",
        across_enumerations=True,
    ),
    Signature(
        name="alternate-setting-not-rearmed",
        title="after alternate setting 0 and 1 nothing of the host reaches the board",
        look=endpoints_not_rearmed,
        cause="the second selection of alternate setting 1 left the bulk endpoints as setting 0 had left them: without "
        "a buffer, or with the wrong data toggle.",
        remedy="treat each SET_INTERFACE as a beginning: reset toggle and stall, drop what is under way, arm the bulk "
        "OUT endpoint, and send the link notifications again.",
        source="USB 2.0 section 9.1.1.5; hathach/tinyusb issue 2255",
    ),
    Signature(
        name="board-left-the-bus",
        title="the board leaves the bus by itself",
        look=_board_left_the_bus,
        cause="its pull-up went away without a reset: a dip of the supply, interference, a loose plug, or the firmware "
        "switched its USB off.",
        remedy="look at the supply and the cable first (kernel log: 'USB disconnect', 'disabled by hub (EMI?)'), then "
        "for calls of tud_disconnect() and usb_phy functions.",
        source="espressif/arduino-esp32 issue 10000; hathach/tinyusb issue 3098",
        across_enumerations=True,
    ),
)
"""What can be wrong with the device on the bus."""
