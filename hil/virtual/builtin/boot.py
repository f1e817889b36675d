"""Faults of the boot."""

from collections.abc import Mapping, Sequence

from hil.errors import VirtualBoardError
from hil.virtual.faults import Fault
from hil.virtual.points import ChipReset, Injection, Later, Point
from hil.virtual.soc import Reset

DEFAULT_MS = 900
"""Reset to panic: the board is on the bus by then and has served nobody yet."""
LONGEST_MS = 60_000


class BootLoopWithPanic(Fault):
    """Some time into each boot the firmware panics: registers and backtrace on the UART, restart, and again.

    Option: ``ms``, milliseconds from the stack being ready to the panic.

    Source: ESP-IDF's panic handler prints and restarts at once (CONFIG_ESP_SYSTEM_PANIC_PRINT_REBOOT, the default),
    so whatever makes a boot panic makes every boot panic.

    Finding: the console shows one panic after the other, the host a device that comes and goes.
    """

    name = "boot-loop-with-panic"
    keys = frozenset({"ms"})

    def __init__(self, options: Mapping[str, str]) -> None:
        super().__init__(options)
        text = options.get("ms", str(DEFAULT_MS))
        if not text.isascii() or not text.isdigit() or int(text) > LONGEST_MS:
            raise VirtualBoardError(f"fault {self.name}: ms is {text!r}; wanted milliseconds, 0 to {LONGEST_MS}")
        self._after_s = int(text) / 1000

    def at_point(self, point: Point, now_ms: int) -> Sequence[Injection]:
        return (Later(self._after_s, ChipReset(Reset.PANIC)),) if point is Point.STACK_READY else ()


BOOT_FAULTS: tuple[type[Fault], ...] = (BootLoopWithPanic,)
