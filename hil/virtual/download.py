"""A chip in its loader, and the lines on which a host can reach it.

The ROM listens on its UART and on the USB controller that has the pins (ESP32-S3 technical reference manual, "Chip Boot
Control", joint download). Inferred: it goes on with the line that brought the first request it answered, and a loader
that resets the chip first lets its last reply go out.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from hil import clock
from hil.virtual.flash import FlashChip
from hil.virtual.rom.chip import Exit
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.rom.loader import Loader, LoaderTaps
from hil.virtual.straps import Latches, Phy

LEAVES_S = 0.010
"""From the last reply to what it announced."""
BAUD_TOLERANCE = 0.04
"""Of a UART that still understands the other end."""


class Line(Enum):
    """The value is the ROM's number of it (``UARTDEV_BUF_NO``)."""

    UART = 0
    OTG = 3
    SERIAL_JTAG = 4


@dataclass(frozen=True, slots=True)
class Download:
    """How a chip comes up in its loader; faults change it."""

    identity: ChipIdentity
    latches: Latches
    """A copy."""
    flash: FlashChip
    phy: Phy = Phy.SERIAL_JTAG
    """Whose device the host sees."""
    on_bus: bool = True
    readable: bool = True
    """The host gets an answer to what it asks at the default pipe."""
    answers: bool = True
    sticky: bool = False
    """The bit that forces a download cannot be cleared through the loader."""


@dataclass(slots=True)
class DownloadMode:
    """One stay in the loader.

    Args:
        how: what the chip is and how it came here.
        taps: of faults.
        left: called once, some time after the loader was left.
    """

    how: Download
    taps: LoaderTaps
    left: Callable[[Exit], None]
    loader: Loader = field(init=False)
    line: Line | None = None
    _timers: list[asyncio.TimerHandle] = field(default_factory=list)
    _leaving: bool = False

    def __post_init__(self) -> None:
        latches = self.how.latches
        self.loader = Loader(
            self.how.flash,
            self.how.identity,
            strapped=latches.strapped,
            forced=latches.forced,
            sticky=self.how.sticky,
            taps=self.taps,
        )

    def receive(self, line: Line, data: bytes, write: Callable[[bytes], object]) -> None:
        """Bytes of a host on one of the lines; ``write`` takes the answer."""
        if not self.how.answers or self.line not in (None, line):
            return
        self.loader.answers_on(line.value)
        answer = self.loader.feed(data, clock.now_ns())
        if answer:
            self.line = line
            write(answer)
        self._look()

    def hears(self, baud: int) -> bool:
        """Whether a host that sends at that rate on the UART is understood."""
        return abs(baud / self.loader.baud - 1) < BAUD_TOLERANCE

    def close(self) -> None:
        """The chip was reset, or lost its power."""
        self._leaving = True
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _look(self) -> None:
        """Follow the loader: its watchdog, and its end."""
        loop = asyncio.get_running_loop()
        if self.loader.exit is not None and not self._leaving:
            self._leaving = True
            self._timers.append(loop.call_later(LEAVES_S, self.left, self.loader.exit))
        elif self.loader.deadline_ns is not None:
            self._timers.append(loop.call_at(clock.to_s(self.loader.deadline_ns), self._wake))

    def _wake(self) -> None:
        self.loader.wake(clock.now_ns())
        self._look()
