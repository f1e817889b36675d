"""Resetting a board by the modem lines of its UART bridge, into its flash or into its ROM's loader.

On a development board two transistors tie the lines to the chip: EN is low while RTS is asserted and DTR is not, IO0 is
low while DTR is asserted and RTS is not (Espressif, ESP32-S3-DevKitC-1 schematic, "auto program"). So RTS alone for
100 ms starts the chip over from its flash, as esptool's hard reset does (esptool/reset.py, HardReset). DTR alone
directly after it keeps IO0 low while EN rises, and the ROM stays in its loader (ESP32-S3 datasheet, "Boot mode
control": GPIO0 is sampled then).
"""

import fcntl
import struct
import termios
from typing import Protocol

from hil.clock import Clock, MonotonicClock, now_ns

HELD_S = 0.1
SETTLES_S = 0.05
"""EN rises through 10 kΩ and 1 µF (ESP32-S3 hardware design guidelines, "Chip Power-up and Reset Timing")."""


class Lines(Protocol):
    """The modem lines of one port."""

    def get(self) -> int: ...

    def set(self, bits: int) -> None: ...


class ModemLines:
    """The lines of an open serial port, all set by one request."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def get(self) -> int:
        """
        Raises:
            OSError: the port has no modem lines, or is gone.
        """
        (bits,) = struct.unpack("i", fcntl.ioctl(self._descriptor, termios.TIOCMGET, struct.pack("i", 0)))
        return int(bits)

    def set(self, bits: int) -> None:
        """
        Raises:
            OSError: the port has no modem lines, or is gone.
        """
        fcntl.ioctl(self._descriptor, termios.TIOCMSET, struct.pack("i", bits))


def pulse_en(lines: Lines, clock: Clock | None = None, download: bool = False) -> tuple[int, int]:
    """Hold EN low for a while with IO0 high; the lines are as they were when it returns.

    Args:
        lines: of the bridge.
        clock: for the pauses.
        download: IO0 is low when EN rises, and for a while longer.

    Returns:
        the instants that enclose the fall of EN.

    Raises:
        OSError: the lines cannot be set.
    """
    clock = clock or MonotonicClock()
    former = lines.get()
    released = former & ~(termios.TIOCM_DTR | termios.TIOCM_RTS)
    began_ns = now_ns()
    try:
        lines.set(released | termios.TIOCM_RTS)
        fell_ns = now_ns()
        clock.sleep(HELD_S)
        lines.set(released | (termios.TIOCM_DTR if download else 0))
        clock.sleep(SETTLES_S)
    finally:
        lines.set(former)
    return began_ns, fell_ns
