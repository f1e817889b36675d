"""What a reset of an ESP32-S3 keeps: straps, the bit that forces a download, and which USB controller has the pins.

====================  ==============  ==================  =====================
reset                 samples IO0     forcing bit         USB pins
====================  ==============  ==================  =====================
power, EN, brown-out  yes             cleared             Serial/JTAG
RTC watchdog          yes             cleared             Serial/JTAG
all others            as it was       kept                kept
====================  ==============  ==================  =====================

The bit (``RTC_CNTL_OPTION1_REG``) and the choice of the USB controller (``RTC_CNTL_USB_CONF_REG``) lie in the RTC
domain, which a reset of the core leaves alone (ESP32-S3 technical reference manual, "Reset and Clock"; esptool
``targets/esp32s3.py`` clears the bit before a reset for that reason, and resets by the RTC watchdog where the strap
must be sampled anew). USB-Serial/JTAG has a flag of its own, which DTR sets and which counts for the reset that RTS
causes (the same manual, "USB Serial/JTAG Controller").
"""

from dataclasses import dataclass
from enum import Enum

from hil.virtual.soc import Reset

WHOLE = frozenset((Reset.POWER_ON, Reset.EN, Reset.BROWNOUT, Reset.RTC_WATCHDOG))
"""Resets that reach the RTC domain."""


class Phy(Enum):
    """Who has the USB pins."""

    SERIAL_JTAG = "serial-jtag"
    OTG = "otg"


@dataclass(slots=True)
class Latches:
    """Read by the ROM after each reset."""

    strapped: bool = False
    """IO0 was low when it was sampled."""
    forced: bool = False
    phy: Phy = Phy.SERIAL_JTAG
    requested: bool = False
    """By USB-Serial/JTAG, at its last reset of the chip. Inferred: it counts for a stub's own reset too, as esptool's
    ``--after no-reset`` expects the ROM's loader then."""

    def reset(self, reset: Reset, io0_low: bool, requested: bool = False) -> None:
        """What is left after a reset, with IO0 as it is at its end."""
        if reset is Reset.USB_UART:
            self.requested = requested
        if reset in WHOLE:
            self.strapped, self.forced, self.requested, self.phy = io0_low, False, False, Phy.SERIAL_JTAG

    @property
    def download(self) -> bool:
        """The ROM waits for a download."""
        return self.strapped or self.forced or self.requested
