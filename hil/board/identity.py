"""What an ESP32-S3 is called on USB while one thing or another runs on it.

The chip's serial number differs between its modes, and several firmwares share one product number: identities tell a
loader from an application, boards are told apart by their topology paths alone.
"""

from enum import Enum
from typing import Self

ESPRESSIF = 0x303A
"""Vendor of the chip's own USB identities and of esp_tinyusb's defaults (usb.org's list of vendors)."""


class Identity(Enum):
    """What answers at a board's topology path; the value is what people call it."""

    APPLICATION = "an application"
    SERIAL_JTAG = "USB-Serial/JTAG (303a:1001)"
    """The chip's fixed function: the ROM's loader shows it, and so does an application that leaves the PHY with it
    (ESP32-S3 TRM, chapter USB Serial/JTAG Controller)."""
    USB_OTG = "the ROM's loader over USB-OTG (303a:0009)"
    """Its product number is the chip's id in images (esptool, loader.py)."""
    NOTHING = "nothing"
    OTHER = "a device of another vendor"

    @classmethod
    def of(cls, vid: int, pid: int) -> Self:
        """The identity of a device with these two numbers of its device descriptor."""
        if vid != ESPRESSIF:
            return cls(cls.OTHER)
        return cls(_CHIP.get(pid, cls.APPLICATION))

    def __str__(self) -> str:
        return str(self.value)


_CHIP = {0x1001: Identity.SERIAL_JTAG, 0x0009: Identity.USB_OTG}
LOADERS = frozenset({Identity.SERIAL_JTAG, Identity.USB_OTG})
"""Where esptool finds a loader; of SERIAL_JTAG only its answer to SYNC tells whether one runs."""
