"""What both loaders work on: flash, registers, the RAM that was filled, and how the loader is left."""

from dataclasses import dataclass, field
from enum import Enum

from hil.virtual.flash import FlashChip
from hil.virtual.rom.registers import Registers
from hil.wire.esp_loader import STUB_GREETING, SecurityInfo

ROM_BAUD = 115_200
RAM = (
    (0x3FC8_8000, 0x3FD0_0000),
    (0x4037_0000, 0x403E_0000),
    (0x5000_0000, 0x5000_2000),
    (0x600F_E000, 0x6010_0000),
)
"""Data, instructions, RTC slow, RTC fast (ESP32-S3 technical reference manual, "System and Memory")."""


class Exit(Enum):
    """Why no loader answers any more."""

    RUN = "run"
    """It boots from flash, without a reset."""
    REBOOT = "reboot"
    """It resets the core. The straps of the last reset still count: where they or the forcing bit led to the loader,
    they do so again. esptool's ``--after no-reset`` does this to a stub."""
    WATCHDOG = "watchdog"
    """The RTC watchdog resets the chip, and the straps are sampled anew."""
    RAM_CODE = "ram-code"
    """It jumped to code in RAM that is no flasher stub."""


@dataclass(slots=True)
class Chip:
    """Shared by the ROM loader and the stub that replaces it."""

    flash: FlashChip
    registers: Registers
    security: SecurityInfo = SecurityInfo()  # noqa: RUF009 - it is frozen
    baud: int = ROM_BAUD
    """Of the UART; USB does not care."""
    exit: Exit | None = None
    stub_started: bool = False
    filled: dict[int, bytearray] = field(default_factory=dict)
    """Contents by the address of each MEM_BEGIN."""

    def holds(self, offset: int, length: int) -> bool:
        """Whether a range is one of the flash."""
        return offset + length <= self.flash.size

    def start_code(self, entry: int) -> None:
        """What MEM_END jumps to: the stub, if it was loaded there. A stub carries the greeting that it sends."""
        loaded = any(start <= entry < start + len(data) for start, data in self.filled.items())
        greets = any(STUB_GREETING in data for data in self.filled.values())
        if loaded and greets:
            self.stub_started = True
        else:
            self.exit = Exit.RAM_CODE


def in_ram(address: int, length: int) -> bool:
    return any(low <= address and address + length <= high for low, high in RAM)
