"""What an ESP32-S3 does before its firmware runs, and the clock its firmware reads.

A boot is a list of lines with the instant of each: the ROM's, then those of the second-stage boot loader. The board's
own time 0 is the reset; the lines of the boot loader carry it in milliseconds, as the firmware's do after them.
"""

from dataclasses import dataclass
from enum import Enum

from hil.clock import NS_PER_MS, to_ns

ROM_S = 0.010
LOADER_S = 0.026
LOADED_S = 0.285
"""Seconds after reset of the ROM's first line, of the boot loader's first and of its last; the firmware's own first
line comes at ``start_ms`` of its configuration."""


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
ROM_TAIL = (
    "SPIWP:0xee",
    "mode:DIO, clock div:1",
    "load:0x3fce2820,len:0x1574",
    "load:0x403c8700,len:0xd24",
    "load:0x403cb700,len:0x2f00",
    "entry 0x403c8928",
)

LOADER = (
    ("I", "boot", "ESP-IDF v5.5.1 2nd stage bootloader"),
    ("I", "boot", "Multicore bootloader"),
    ("I", "boot", "chip revision: v0.2"),
    ("I", "boot", "efuse block revision: v1.3"),
    ("I", "boot.esp32s3", "Boot SPI Speed : 80MHz"),
    ("I", "boot.esp32s3", "SPI Mode       : DIO"),
    ("I", "boot.esp32s3", "SPI Flash Size : 8MB"),
    ("I", "boot", "Enabling RNG early entropy source..."),
    ("I", "boot", "Partition Table:"),
    ("I", "boot", "## Label            Usage          Type ST Offset   Length"),
    ("I", "boot", " 0 nvs              WiFi data        01 02 00009000 00006000"),
    ("I", "boot", " 1 phy_init         RF data          01 01 0000f000 00001000"),
    ("I", "boot", " 2 factory          factory app      00 00 00010000 00177000"),
    ("I", "boot", "End of partition table"),
    ("I", "boot", "Loaded app from partition at offset 0x10000"),
    ("I", "boot", "Disabling RNG early entropy source..."),
)


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


def boot_lines(reset: Reset) -> tuple[BootLine, ...]:
    """Everything on the UART before the firmware's first line."""
    return (_rom_lines(reset, FLASH_BOOT, ROM_TAIL), *_loader_lines())


def download_lines(reset: Reset) -> tuple[BootLine, ...]:
    """Everything on the UART of a chip whose ROM waits for a download."""
    return (_rom_lines(reset, DOWNLOAD_BOOT, ("waiting for download",)),)


def _rom_lines(reset: Reset, boot: str, tail: tuple[str, ...]) -> BootLine:
    head = ["ESP-ROM:esp32s3-20210327", "Build:Mar 27 2021", f"{reset.rom_text},boot:{boot}"]
    if reset.has_saved_pc:
        head.append("Saved PC:0x40379ac9")
    return BootLine(ROM_S, "".join(f"{line}\r\n" for line in (*head, *tail)).encode())


def _loader_lines() -> tuple[BootLine, ...]:
    step_s = (LOADED_S - LOADER_S) / (len(LOADER) - 1)
    made = []
    for number, (level, tag, text) in enumerate(LOADER):
        after_s = LOADER_S + number * step_s
        made.append(BootLine(after_s, f"{level} ({int(after_s * 1000)}) {tag}: {text}\n".encode()))
    return tuple(made)


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
