"""Every time the board left the bus, and what explains it: the test, the board's own recovery, or a reset."""

from dataclasses import dataclass

from hil.diagnosis.window import Window
from hil.timeline.departure import RECOVERY, RESET, UNTOLD, around, why_it_left
from hil.timeline.events import Acted, ActionFailed, Event, Started, UsbDetached

__all__ = ["RECOVERY", "RESET", "TEST", "UNEXPLAINED", "Departure", "departures"]

TEST, UNEXPLAINED = "test", UNTOLD
TAKES_OFF = frozenset({"vbus_off", "disconnect", "bus_reset", "reconfigure"})
"""``Acted.sees`` of actions that take a board off the bus, unless they put it back."""
PUTS_BACK = frozenset({"plug", "resume"})
TAKES_OFF_WORDS = ("reset", "reboot", "flash", "bootloader", "ota")
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
    """Those inside the window, in order; the board's UART bridge is another device."""
    gone = window.all(UsbDetached(path=window.port) if window.port else UsbDetached())
    return [_departure(window, event) for event in gone if isinstance(event, UsbDetached)]


def _departure(window: Window, left: UsbDetached) -> Departure:
    came_ns, back_ns = around(left, window.all, window.since_ns, window.until_ns)
    action = _action(window, came_ns, left)
    if action is not None:
        return Departure(left, TEST, action)
    return Departure(left, *why_it_left(window.all, came_ns, back_ns))


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
