"""What a board can see of an action.

The same wish ("replug") reaches a board differently from bench to bench. A scenario states the least that it needs; a
bench that offers only something weaker skips it by that name.
"""

from hil.errors import BenchError

VBUS_OFF = "vbus_off"
"""The supply goes: a bus-powered board boots afterwards."""
DISCONNECT = "disconnect"
"""The data lines go: the board is enumerated anew."""
RESET = "reset"
"""The chip starts over, with its supply on: by its EN pin, or by its own software."""
BUS_RESET = "bus_reset"
"""USB reset without a disconnect: the board is configured anew, at the same address."""
RECONFIGURE = "reconfigure"
"""SET_CONFIGURATION(0), then again."""
SUSPEND = "suspend"
"""The bus goes idle, and comes back."""
TRAFFIC = "traffic"
"""Frames or requests only."""
NOTHING = "nothing"

_STRONGER = {
    VBUS_OFF: (VBUS_OFF,),
    DISCONNECT: (DISCONNECT, VBUS_OFF),
    RESET: (RESET,),
    BUS_RESET: (BUS_RESET,),
    RECONFIGURE: (RECONFIGURE,),
    SUSPEND: (SUSPEND,),
}
NEEDS = tuple(_STRONGER)


def ways(need: str) -> tuple[str, ...]:
    """What satisfies ``need``, the mildest first.

    Raises:
        BenchError: there is no such need; the message lists those there are.
    """
    if need not in _STRONGER:
        raise BenchError(f"needs={need!r} is not known; known: {', '.join(map(repr, NEEDS))}")
    return _STRONGER[need]


def mildest(need: str, offered: frozenset[str]) -> str | None:
    """The mildest of ``offered`` that satisfies ``need``, or None."""
    return next((way for way in ways(need) if way in offered), None)
