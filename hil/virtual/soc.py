"""What an ESP32-S3 does before its firmware runs, and the clock its firmware reads.

What a boot from flash prints, :mod:`hil.virtual.rom.boot` makes. The board's own time 0 is the reset; the lines of the
boot loader carry it in milliseconds, as the firmware's do after them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from hil.clock import NS_PER_MS, to_ns

ROM_S = 0.010
LOADER_S = 0.026
"""Seconds after reset of the ROM's first line and of the boot loader's first; the firmware's own first line comes at
``start_ms`` of its configuration."""


class Reset(Enum):
    """Why the chip starts over: ROM code and name (``rom/rtc.h`` of the ESP32-S3), and what the firmware is told."""

    POWER_ON = (0x01, "POWERON", "POWERON")
    EN = (0x01, "POWERON", "EN")
    """The reset button: the chip cannot tell it from power-on."""
    SOFTWARE = (0x0C, "RTC_SW_CPU_RST", "SW")
    """``esp_restart``."""
    PANIC = (0x0C, "RTC_SW_CPU_RST", "PANIC")
    """The panic handler ends in the same restart; only ``esp_reset_reason`` knows better."""
    TASK_WATCHDOG = (0x07, "TG0WDT_SYS_RST", "TASK_WDT")
    BOOT_LOADER = (0x03, "RTC_SW_SYS_RST", "SW")
    """The second-stage boot loader found nothing to boot."""
    RTC_WATCHDOG = (0x10, "RTCWDT_RTC_RST", "WDT")
    BROWNOUT = (0x0F, "RTCWDT_BROWN_OUT_RST", "BROWNOUT")
    USB_UART = (0x15, "USB_UART_CHIP_RESET", "USB")
    """USB-Serial/JTAG asked for it."""

    @property
    def rom_text(self) -> str:
        return f"rst:0x{self.value[0]:x} ({self.value[1]})"

    @property
    def reason(self) -> str:
        """As the firmware logs it."""
        return "POWERON" if self is Reset.EN else str(self.value[2])

    @property
    def has_saved_pc(self) -> bool:
        """The ROM prints where the CPU was, unless the chip had no power before or lost all it knew."""
        return self not in (Reset.POWER_ON, Reset.EN, Reset.RTC_WATCHDOG)


@dataclass(frozen=True, slots=True)
class BootLine:
    after_s: float
    """Since the reset."""
    data: bytes


FLASH_BOOT, DOWNLOAD_BOOT = "0x8 (SPI_FAST_FLASH_BOOT)", "0x0 (DOWNLOAD(USB/UART0))"
"""The straps as the ROM prints them: IO0 high, IO0 low."""


@dataclass(frozen=True, slots=True)
class Panic:
    """An exception that the panic handler prints before it restarts the chip."""

    reason: str = "LoadProhibited"
    core: int = 0
    pc: int = 0x42008F31
    stack: int = 0x3FC9A8E0

    def text(self) -> bytes:
        lines = (
            f"Guru Meditation Error: Core  {self.core} panic'ed ({self.reason}). Exception was unhandled.",
            "",
            f"Core  {self.core} register dump:",
            f"PC      : 0x{self.pc:08x}  PS      : 0x00060430  A0      : 0x82009a4c  A1      : 0x{self.stack:08x}  ",
            "EXCVADDR: 0x00000000  LBEG    : 0x400570e8  LEND    : 0x400570f3  LCOUNT  : 0x00000000  ",
            "",
            "",
            f"Backtrace: 0x{self.pc - 3:08x}:0x{self.stack:08x} 0x42009a49:0x{self.stack + 0x20:08x} "
            f"0x4037b2c5:0x{self.stack + 0x50:08x}",
            "",
            "",
            "",
            "",
            "ELF file SHA256: 5d2f3a1c0",
            "",
            "Rebooting...",
            "",
        )
        return "\r\n".join(lines).encode()


def rom_line(reset: Reset, boot: str, tail: Sequence[str]) -> BootLine:
    """What the ROM says of a reset: ``boot`` is :data:`FLASH_BOOT` or :data:`DOWNLOAD_BOOT`, ``tail`` what follows."""
    head = ["ESP-ROM:esp32s3-20210327", "Build:Mar 27 2021", f"{reset.rom_text},boot:{boot}"]
    if reset.has_saved_pc:
        head.append("Saved PC:0x40379ac9")
    return BootLine(ROM_S, "".join(f"{line}\r\n" for line in (*head, *tail)).encode())


def download_line(reset: Reset) -> BootLine:
    """Everything on the UART of a chip whose ROM waits for a download."""
    return rom_line(reset, DOWNLOAD_BOOT, ("waiting for download",))


class ChipClock:
    """Milliseconds since the reset, as the board counts them.

    Args:
        started_ns: host time of the reset.
        drift_ppm: how much faster than the host's the board's crystal runs; an ESP32-S3 module's is good for ±10.
    """

    def __init__(self, started_ns: int, drift_ppm: float = 0.0) -> None:
        self._started_ns = started_ns
        self._rate = 1.0 + drift_ppm * 1e-6

    def ms(self, at_ns: int) -> int:
        """The board's milliseconds at a host instant, rounded down as ``esp_log_timestamp`` does."""
        return int((at_ns - self._started_ns) * self._rate) // NS_PER_MS

    def host_ns(self, ms: int) -> int:
        """The first host instant at which the board counts ``ms``."""
        at_ns = self._started_ns + int(ms * NS_PER_MS / self._rate)
        while self.ms(at_ns) < ms:
            at_ns += 1
        return at_ns

    def instant_ns(self, after_s: float) -> int:
        """The host instant ``after_s`` of the board's seconds after the reset."""
        return self._started_ns + int(to_ns(after_s) / self._rate)
