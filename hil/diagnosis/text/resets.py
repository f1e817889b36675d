"""Why the ROM says that the chip started over.

The codes are those of ``rom/rtc.h``, and of ``soc/reset_reasons.h`` for later chips; a code means the same on every
chip, its name does not.
"""

import re
from enum import Enum

CODE = re.compile(r"rst:0x([0-9a-fA-F]{1,4}) \([^)]{0,40}\),boot:0x")


class Reset(Enum):
    """What made the chip start over, as far as it matters to a diagnosis."""

    OUTSIDE = "outside"
    """Power, the reset button, the host's USB or JTAG, or something unknown: not the firmware's doing."""
    SLEEP = "sleep"
    SOFTWARE = "software"
    """``esp_restart``, which also ends a panic."""
    BROWNOUT = "brownout"
    TIMER_0 = "timer 0"
    """Watchdog of timer group 0: the task watchdog's, and the ROM's own until an app runs."""
    TIMER_1 = "timer 1"
    """Watchdog of timer group 1: the interrupt watchdog's."""
    RTC = "rtc"
    """RTC watchdog, or the super watchdog."""
    LOCKUP = "lockup"
    """An exception inside the exception handler, as the ESP32-C5 and its successors notice it."""


_BY_CODE = {
    0x03: Reset.SOFTWARE,
    0x04: Reset.RTC,
    0x05: Reset.SLEEP,
    0x07: Reset.TIMER_0,
    0x08: Reset.TIMER_1,
    0x09: Reset.RTC,
    0x0B: Reset.TIMER_0,
    0x0C: Reset.SOFTWARE,
    0x0D: Reset.RTC,
    0x0F: Reset.BROWNOUT,
    0x10: Reset.RTC,
    0x11: Reset.TIMER_1,
    0x12: Reset.RTC,
    0x1A: Reset.LOCKUP,
}
OWN_DOING = frozenset(Reset) - {Reset.OUTSIDE, Reset.SLEEP}
"""Resets that the firmware, or what became of it, brings about."""


def reset_in(text: str) -> Reset | None:
    """What the ROM's line with the reset code says; None for any other text."""
    found = CODE.search(text)
    return _BY_CODE.get(int(found[1], 16), Reset.OUTSIDE) if found else None
