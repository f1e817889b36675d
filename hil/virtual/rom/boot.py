"""A boot from flash: what both stages print, when, and which application runs, or how the chip starts over."""

from collections.abc import Sequence
from dataclasses import dataclass

from hil.virtual.flash import FlashChip
from hil.virtual.rom.app_image import LogText
from hil.virtual.rom.first_stage import first_stage
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.rom.second_stage import second_stage
from hil.virtual.soc import FLASH_BOOT, LOADER_S, BootLine, Reset, rom_line
from hil.wire.esp_image import AppDescription, BootloaderDescription

BAUD = 115_200
BITS_PER_BYTE = 10
WATCHDOG_S = 0.35
"""From the reset to the bite of the watchdog that guards the boot from flash. Logs show several bites a second; the
time itself is not documented."""
SHA_DIGITS = 9
"""Of the ELF file's digest, as the application prints it (CONFIG_APP_RETRIEVE_LEN_ELF_SHA)."""


@dataclass(frozen=True, slots=True)
class BootOutcome:
    """What a reset leads to."""

    lines: tuple[BootLine, ...]
    """On the UART, in order; those of the application are not among them."""
    app: AppDescription | None = None
    """Of the application that runs; None also for one without a description."""
    app_offset: int | None = None
    """In flash, of the partition it runs from; None: nothing runs."""
    failure: str = ""
    """The first line that says why nothing runs, or ''."""
    reset: Reset | None = None
    """How the chip starts over where nothing runs."""
    ends_after_s: float = 0.0
    """Since the reset: the start of the application, or the next reset."""

    @property
    def runs(self) -> bool:
        return self.app_offset is not None


def boot(flash: FlashChip, reset: Reset = Reset.POWER_ON, identity: ChipIdentity | None = None) -> BootOutcome:
    """Boots what is in flash.

    The boot loader is taken for ESP-IDF's, as its image describes it. Flash is written in one case, as by the real
    one: the first boot from an OTA slot without OTA data notes the slot there.
    """
    first = first_stage(flash)
    lines = [rom_line(reset, FLASH_BOOT, first.lines)]
    if first.header is None:
        return BootOutcome(tuple(lines), failure=first.failure, reset=Reset.TASK_WATCHDOG, ends_after_s=WATCHDOG_S)
    described = first.description or BootloaderDescription()
    second = second_stage(flash, first.header, described, identity or ChipIdentity())
    lines += log_lines(second.log, LOADER_S)
    ends_after_s = lines[-1].after_s + _sending_s(lines[-1].data)
    if second.app is None or second.partition is None:
        return BootOutcome(tuple(lines), None, None, second.failure, Reset.BOOT_LOADER, ends_after_s)
    return BootOutcome(tuple(lines), second.app.description, second.partition.offset, ends_after_s=ends_after_s)


def application_lines(app: AppDescription, after_s: float) -> tuple[BootLine, ...]:
    """What an application of ESP-IDF prints of itself before ``app_main`` (``esp_system``, ``startup_funcs.c``)."""
    texts = (
        "Application information:",
        f"Project name:     {app.project}",
        f"App version:      {app.version}",
        f"Compile time:     {app.date} {app.time}",
        f"ELF file SHA256:  {app.elf_sha256[:SHA_DIGITS]}...",
        f"ESP-IDF:          {app.idf_version}",
    )
    return log_lines([("I", "app_init", text) for text in texts], after_s)


def log_lines(log: Sequence[LogText], after_s: float) -> tuple[BootLine, ...]:
    """With the time of each, as the UART lets one follow the other."""
    made = []
    for level, tag, text in log:
        data = f"{level} ({int(after_s * 1000)}) {tag}: {text}\n".encode()
        made.append(BootLine(after_s, data))
        after_s += _sending_s(data)
    return tuple(made)


def _sending_s(data: bytes) -> float:
    return len(data) * BITS_PER_BYTE / BAUD
