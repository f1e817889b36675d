"""Why a board left the bus, as far as the board says so itself.

A board that is on the bus has booted before it came there. So what its ROM or its firmware says of a start, or of a
recovery, between one attach and the next belongs to the departure between them.
"""

from collections.abc import Callable

from hil.timeline.events import BoardPanicked, BoardSaid, BootMessage, Event, UsbAttached, UsbDetached

RESET, RECOVERY, UNTOLD = "reset", "recovery", ""
RESETS: tuple[Event, ...] = (BootMessage(stage="rom"), BoardPanicked(), BoardSaid(name="BOOT"))
RECOVERS: tuple[Event, ...] = (BoardSaid(name="USB_RECOVER"),)
"""A firmware that hears nothing from its host leaves the bus for a moment, and runs on."""


Of = Callable[[Event], list[Event]]
"""One board's events that match a pattern."""


def around(left: UsbDetached, of: Of, since_ns: int, until_ns: int) -> tuple[int, int]:
    """When the board that left had come, and when it came back; ``since_ns`` and ``until_ns`` where that is unknown."""
    attached = [event.t_ns for event in of(UsbAttached(path=left.path))]
    came_ns = max((t_ns for t_ns in attached if t_ns < left.t_ns), default=since_ns)
    back_ns = min((t_ns for t_ns in attached if t_ns > left.t_ns), default=until_ns)
    return came_ns, back_ns


def why_it_left(of: Of, came_ns: int, back_ns: int) -> tuple[str, Event | None]:
    """One of :data:`RESET`, :data:`RECOVERY` and :data:`UNTOLD`, and what shows it, of a departure between the two."""
    for reason, patterns in ((RESET, RESETS), (RECOVERY, RECOVERS)):
        said = (event for pattern in patterns for event in of(pattern))
        because = next((each for each in said if came_ns < each.t_ns - each.t_err_ns and each.t_ns < back_ns), None)
        if because is not None:
            return reason, because
    return UNTOLD, None
