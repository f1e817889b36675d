"""Which rung of the recovery ladder comes next: pure, from where the board is and what was tried.

The gentlest first. Each rung is for some states, needs something of the bench, and is tried a limited number of times,
so that every climb ends. A rung that leads to another state is no step back: from there the gentlest that is left goes
on.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """Where a board is; the value completes 'the board …'."""

    WELL = "runs its application"
    UNPLUGGED = "has its cable pulled by this run"
    SUSPENDED = "sleeps"
    LOADER = "is in its loader"
    RESTARTING = "starts over and over"
    BROKEN = "is not functioning for the kernel"
    NOTHING = "is not on the bus"
    FOREIGN = "is not what hangs at its port"
    HALF_FLASHED = "has been left by a flash that did not end"
    IN_DOUBT = "runs something although a flash of it did not end"
    """What that is, and whether all of it is there, nobody knows."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to get a board back."""

    name: str
    states: frozenset[State]
    """Those that it may help in."""
    times: int = 1
    """How often it is tried in one climb."""


_OFF_USB = frozenset({State.RESTARTING, State.BROKEN, State.NOTHING})
_ANY = _OFF_USB | {State.LOADER, State.SUSPENDED, State.HALF_FLASHED}
NOT_RUNNING = _OFF_USB | {State.LOADER}
"""What a half-written image may come to."""
WAIT, PLUG, RESUME, LEAVE_LOADER, RESET, HTTP_RESET, USB_RESET, PORT_CYCLE, POWER_CYCLE, FLASH = (
    "wait",
    "plug",
    "resume",
    "leave_loader",
    "reset",
    "http_reset",
    "usb_reset",
    "port_cycle",
    "power_cycle",
    "flash",
)
LADDER = (
    Rung(PLUG, frozenset({State.UNPLUGGED}), times=2),
    Rung(WAIT, _OFF_USB),
    Rung(RESUME, frozenset({State.SUSPENDED})),
    Rung(LEAVE_LOADER, frozenset({State.LOADER})),
    Rung(LEAVE_LOADER, frozenset({State.HALF_FLASHED})),
    Rung(FLASH, frozenset({State.HALF_FLASHED})),
    Rung(RESET, _ANY),
    Rung(HTTP_RESET, _OFF_USB | {State.SUSPENDED}),
    Rung(USB_RESET, frozenset({State.SUSPENDED, State.RESTARTING})),
    Rung(PORT_CYCLE, _ANY - {State.LOADER}),
    Rung(POWER_CYCLE, _ANY),
    Rung(FLASH, _ANY | {State.IN_DOUBT}, times=2),
    Rung(LEAVE_LOADER, frozenset({State.LOADER}), times=2),
)
"""``plug`` comes again where ``power_cycle`` has pulled the cable and failed before it was back. ``reset`` is by the
lines of a bridge, ``http_reset`` over the fallback address, ``flash`` enters the loader and writes the known build;
after it the loader is left once more where flashing ended there. A flash that did not end is repeated before anything
else is tried on what it has left. Writing fails by a lost contact as well, so it is tried once more; a flash that was
refused is not."""
NAMES = tuple(dict.fromkeys(rung.name for rung in LADDER))


def next_rung(state: State, tried: Sequence[str], able: Collection[str]) -> str | None:
    """The name of the rung to try, or None where none is left.

    Args:
        state: where the board is.
        tried: names of the rungs of this climb, in order.
        able: names of the rungs that this bench has.
    """
    if state in (State.WELL, State.FOREIGN):
        return None
    fit = (rung for rung in LADDER if state in rung.states and rung.name in able)
    return next((rung.name for rung in fit if tried.count(rung.name) < rung.times), None)
