"""Every time the board left the bus, and what explains it: the test, the board's own recovery, or a reset.

A board that is on the bus has booted before it came there. So what its ROM or its firmware says of a start, or of a
recovery, between one attach and the next belongs to the departure between them.
"""

from dataclasses import dataclass

from hil.diagnosis.window import ESPRESSIF, Window
from hil.timeline.events import (
    Acted,
    ActionFailed,
    BoardPanicked,
    BoardSaid,
    BootMessage,
    Event,
    Started,
    UsbAttached,
    UsbDetached,
)

TEST, RECOVERY, RESET, UNEXPLAINED = "test", "recovery", "reset", ""
TAKES_OFF = frozenset({"vbus_off", "disconnect", "bus_reset", "reconfigure"})
"""``Acted.sees`` of actions that take a board off the bus, unless they put it back."""
PUTS_BACK = frozenset({"plug", "resume"})
TAKES_OFF_WORDS = ("reset", "reboot", "flash", "bootloader", "ota")
RESETS: tuple[Event, ...] = (BootMessage(stage="rom"), BoardPanicked(), BoardSaid(name="BOOT"))
RECOVERS: tuple[Event, ...] = (BoardSaid(name="USB_RECOVER"),)
AFTERWARDS_NS = 1_000_000_000
"""After the end of an action that leads through several enumerations."""


@dataclass(frozen=True, slots=True)
class Departure:
    """One UsbDetached of the board."""

    event: Event
    reason: str
    """One of :data:`TEST`, :data:`RECOVERY`, :data:`RESET`, :data:`UNEXPLAINED`."""
    because: Event | None
    """What shows the reason."""


def departures(window: Window) -> list[Departure]:
    """Those inside the window, in order."""
    return [_departure(window, event) for event in _detached(window)]


def _departure(window: Window, event: Event) -> Departure:
    attached = [each.t_ns for each in window.all(UsbAttached(path=event.path, vid=ESPRESSIF))]  # type: ignore[attr-defined]
    came_ns = max((t_ns for t_ns in attached if t_ns < event.t_ns), default=window.since_ns)
    back_ns = min((t_ns for t_ns in attached if t_ns > event.t_ns), default=window.until_ns)
    action = _action(window, came_ns, event)
    if action is not None:
        return Departure(event, TEST, action)
    for reason, patterns in ((RESET, RESETS), (RECOVERY, RECOVERS)):
        said = (each for pattern in patterns for each in window.all(pattern))
        because = next((each for each in said if came_ns < each.t_ns - each.t_err_ns and each.t_ns < back_ns), None)
        if because is not None:
            return Departure(event, reason, because)
    return Departure(event, UNEXPLAINED, None)


def _detached(window: Window) -> list[Event]:
    """Of the board's own port; its UART bridge is another device."""
    return window.all(UsbDetached(path=window.port) if window.port else UsbDetached())


def _action(window: Window, came_ns: int, left: Event) -> Event | None:
    """What the test did to take the board off the bus since it came there."""
    for started in window.all(Started()):
        if isinstance(started, Started) and started.t_ns <= left.t_ns and started.action not in PUTS_BACK:
            end = _end(window, started)
            long = any(word in f"{started.action} {started.detail}" for word in TAKES_OFF_WORDS)
            takes_off = long or not isinstance(end, Acted) or end.sees in TAKES_OFF
            over_ns = window.until_ns if end is None else end.t_ns + AFTERWARDS_NS
            if takes_off and (started.t_ns > came_ns or (long and left.t_ns < over_ns)):
                return started
    return None


def _end(window: Window, started: Started) -> Event | None:
    after = window.after(started)
    return after.first(Acted(action=started.action)) or after.first(ActionFailed(action=started.action))
