"""Power with BOOT held: the way into the loader that asks nothing of what runs.

The chip looks at IO0 when its power comes; BOOT is held once the power is gone and let go when something has come. In
this order a run that dies in between leaves a board that boots: the agent undoes the newest first.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from hil.board.interfaces import BootLine, Instant

HELD_S = 3.0
"""With the power on, where nothing comes to the bus: the strap is read within milliseconds of the supply's rise."""
OFF_S = 1.0
"""Without power, as in a power cycle: capacitors keep a chip alive for less."""


@dataclass(frozen=True, slots=True)
class PowerWithBoot:
    """One board's.

    Args:
        pull: takes its power away, and sees that it is gone.
        put_back: gives it back.
        boot: its BOOT line.
        sleep: waits.
    """

    pull: Callable[[], Instant]
    put_back: Callable[[], Instant]
    boot: BootLine
    sleep: Callable[[float], None]

    def cycle(self, came: Callable[[Instant, float], object]) -> Instant:
        """Take the power away and give it back with BOOT held; returns when it came back.

        Args:
            came: waits until a device has come since, or the seconds are over.

        Raises:
            HilError: the power or the BOOT line is not as wanted; both are given back all the same.
        """
        self.pull()
        with ExitStack() as undone:
            undone.callback(self._give_back)
            self.sleep(OFF_S)
            self.boot.hold()
            undone.pop_all()
        try:
            powered = self.put_back()
            came(powered, HELD_S)
        finally:
            self.boot.let_go()
        return powered

    def _give_back(self) -> None:
        """A line that did not obey may be low all the same."""
        try:
            self.boot.let_go()
        finally:
            self.put_back()


def power_with(
    boot: BootLine | None, pull: Callable[[], Instant], put_back: Callable[[], Instant], sleep: Callable[[float], None]
) -> PowerWithBoot | None:
    """None where nothing holds BOOT."""
    return None if boot is None else PowerWithBoot(pull, put_back, boot, sleep)
