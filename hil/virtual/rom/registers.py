"""The registers of an ESP32-S3 that a host reads and writes through a loader.

Addresses: ESP32-S3 technical reference manual, chapters "eFuse Controller", "IO MUX and GPIO Matrix" and "Low-Power
Management"; names and use as in esptool ``targets/esp32s3.py``. A register that does nothing here reads what was
written to it, and 0 before.
"""

from hil.virtual.flash import FlashChip
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.rom.spi import SPAN, SPI1, SpiController

GPIO_STRAP = 0x6000_4038
STRAP_SPI_BOOT = 1 << 3
"""GPIO0 was high at the reset."""
OPTION1 = 0x6000_812C
FORCE_DOWNLOAD = 1 << 0
"""Whatever the strap; lies in the RTC domain and outlives a reset of the core."""
WDT_CONFIG0, WDT_CONFIG1, WDT_PROTECT = 0x6000_8098, 0x6000_809C, 0x6000_80B0
WDT_KEY = 0x50D8_3AA1
WDT_ENABLE = 1 << 31
SLOW_CLOCK_HZ = 136_000
"""Of the internal RC oscillator, which the watchdog counts."""
CHIP_MAGIC = 0x4000_1000
"""A word of the ROM; its value on this chip is 9, as its number is."""
LINE = 0x3FCE_F14C
"""A variable of the ROM: the line that its loader answers on (``UARTDEV_BUF_NO`` of esptool up to 5.2)."""
_STAGE_0_SHIFT, _STAGE_INTERRUPT = 28, 1
_READ_ONLY = range(0x6000_7000, 0x6000_71C8)


class Registers:
    """Reads and writes of 32-bit words by address.

    Args:
        flash: what SPI1 talks to.
        identity: what the eFuses hold.
        strapped: GPIO0 was low at the reset.
        forced: the bit that forces a download was set at the reset.
        sticky: that bit cannot be written.
    """

    def __init__(
        self, flash: FlashChip, identity: ChipIdentity, *, strapped: bool, forced: bool, sticky: bool = False
    ) -> None:
        self._sticky = sticky
        self._spi = SpiController(flash)
        self._words = identity.efuse_words()
        straps = 0 if strapped else STRAP_SPI_BOOT
        self._words |= {CHIP_MAGIC: identity.number, GPIO_STRAP: straps, OPTION1: FORCE_DOWNLOAD * forced}
        self.watchdog_s: float | None = None
        """From its arming to the reset; None: the RTC watchdog is off, or does not reset."""

    @property
    def force_download(self) -> bool:
        """The next reset leads to the loader again."""
        return bool(self.read(OPTION1) & FORCE_DOWNLOAD)

    def read(self, address: int) -> int:
        if SPI1 <= address < SPI1 + SPAN:
            return self._spi.read(address)
        return self._words.get(address, 0)

    def write(self, address: int, value: int, mask: int = 0xFFFF_FFFF) -> None:
        """Changes the bits of the mask."""
        if address == OPTION1 and self._sticky:
            return
        value = self.read(address) & ~mask | value & mask
        if SPI1 <= address < SPI1 + SPAN:
            self._spi.write(address, value)
        elif address in (WDT_CONFIG0, WDT_CONFIG1):
            self._set_watchdog(address, value)
        elif address not in _READ_ONLY and address != CHIP_MAGIC:
            self._words[address] = value

    def _set_watchdog(self, address: int, value: int) -> None:
        """Only between unlocking and locking. The timeout counts double unless eFuses say otherwise (WDT_DELAY_SEL)."""
        if self.read(WDT_PROTECT) != WDT_KEY:
            return
        self._words[address] = value
        config = self.read(WDT_CONFIG0)
        resets = config >> _STAGE_0_SHIFT & 7 > _STAGE_INTERRUPT
        armed = config & WDT_ENABLE and resets
        self.watchdog_s = self.read(WDT_CONFIG1) * 2 / SLOW_CLOCK_HZ if armed else None
