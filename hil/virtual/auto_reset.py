"""The two transistors of a development board, between the UART bridge and the chip.

EN is low while RTS is asserted and DTR is not, IO0 is low while DTR is asserted and RTS is not; both asserted is as
both released (Espressif, ESP32-S3-DevKitC-1 schematic, and esptool's documentation, "Boot Mode Selection"). EN rises
through a resistor and a capacitor, some milliseconds after it was released, and the chip looks at IO0 then: a host that
swaps the two lines one after the other still gets the ROM's loader.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from hil.virtual.usb.application import QuietApplication

DEFAULT_BAUD = 115_200
RISES_S = 0.010
"""10 kΩ and 1 µF (ESP32-S3 hardware design guidelines, "Chip Power-up and Reset Timing")."""


class Chip(Protocol):
    """What the lines lead to."""

    def hold(self) -> None:
        """EN is low."""

    def release(self, download: bool) -> None:
        """EN is high again; ``download``: IO0 is low."""

    def io0(self, low: bool) -> None:
        """What the lines do to IO0."""

    def uart(self, data: bytes, baud: int) -> None:
        """Bytes of the host, at the rate that the bridge was told."""


class AutoReset(QuietApplication):
    """Told by the bridge of every change of its lines; made inside a running event loop."""

    def __init__(self) -> None:
        self.chip: Chip | None = None
        """Set once there is a board."""
        self.baud: Callable[[], int] = lambda: DEFAULT_BAUD
        """Of the bridge; set once there is one."""
        self._held = self._io0_low = False
        self._rise: asyncio.TimerHandle | None = None

    def on_line_state(self, dtr: bool, rts: bool) -> None:
        self._io0_low = dtr and not rts
        if self.chip is not None:
            self.chip.io0(self._io0_low)
        if rts and not dtr:
            self._fall()
        elif self._held and self._rise is None:
            self._rise = asyncio.get_running_loop().call_later(RISES_S, self._risen)

    def on_serial(self, data: bytes) -> None:
        if self.chip is not None:
            self.chip.uart(data, self.baud())

    def close(self) -> None:
        """The board is gone."""
        self.chip = None
        if self._rise is not None:
            self._rise.cancel()

    def _fall(self) -> None:
        if self._rise is not None:
            self._rise.cancel()
            self._rise = None
        if not self._held and self.chip is not None:
            self._held = True
            self.chip.hold()

    def _risen(self) -> None:
        self._held, self._rise = False, None
        if self.chip is not None:
            self.chip.release(self._io0_low)
