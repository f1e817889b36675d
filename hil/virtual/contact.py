"""Interruptions of the cable that a fault asks for; each ends by itself."""

import asyncio
from collections.abc import Callable


class Contact:
    """Between the board and its port.

    Args:
        plug: puts the cable in, or pulls it.
        look: the host may see something else now.
    """

    def __init__(self, plug: Callable[[bool], None], look: Callable[[], None]) -> None:
        self._plug = plug
        self._look = look
        self._timers: list[asyncio.TimerHandle] = []
        self.lost = False
        """The host sees nothing, though the cable is in."""

    def pull(self, for_s: float) -> None:
        """Pull the cable now, and put it back."""
        loop = asyncio.get_running_loop()
        self._timers = [loop.call_later(0, self._plug, False), loop.call_later(for_s, self._plug, True)]

    def lose(self, for_s: float) -> None:
        """The device leaves the bus now, and comes back."""
        self._set_lost(True)
        self._timers = [asyncio.get_running_loop().call_later(for_s, self._set_lost, False)]

    def close(self) -> None:
        """Nothing comes back any more."""
        for timer in self._timers:
            timer.cancel()

    def _set_lost(self, lost: bool) -> None:
        self.lost = lost
        self._look()
