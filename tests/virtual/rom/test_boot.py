"""A boot from flash, from the reset to the application."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hil.virtual.flash import MB, FlashChip
from hil.virtual.rom.boot import application_lines, boot
from hil.virtual.rom.images import FlashFile, application, flash_files
from hil.virtual.soc import BootLine, Reset
from hil.wire.esp_image import AppDescription
from hil.wire.esplog import BootLine as ParsedBoot
from hil.wire.esplog import LogLine, parse_line

APP = AppDescription("bridge", "1.2.3", "0123456789abcdef" * 4)
FILES = flash_files(application(APP, b"code" * 5000))


def flash_with(files: tuple[FlashFile, ...]) -> FlashChip:
    flash = FlashChip(8 * MB)
    for each in files:
        flash.program(each.offset, each.data)
    return flash


def text(lines: tuple[BootLine, ...]) -> str:
    return b"".join(line.data for line in lines).decode()


def test_what_is_flashed_runs() -> None:
    """And is known by project, version and the digest of its ELF file."""
    found = boot(flash_with(FILES), Reset.SOFTWARE)
    assert (found.app, found.app_offset, found.failure, found.reset) == (APP, 0x10000, "", None)
    assert found.runs
    assert text(found.lines).startswith(
        "ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\n"
        "rst:0xc (RTC_SW_CPU_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)\r\nSaved PC:0x40379ac9\r\nSPIWP:0xee\r\n"
    )
    assert "boot: Loaded app from partition at offset 0x10000\n" in text(found.lines)


def test_lines_carry_their_time_and_come_in_order() -> None:
    """As fast as 115200 baud lets them, and all before the application's."""
    found = boot(flash_with(FILES))
    times = [line.after_s for line in found.lines]
    assert times == sorted(times)
    assert times[-1] < found.ends_after_s < 0.5
    for line in found.lines[1:]:
        assert f"({int(line.after_s * 1000)})" in line.data.decode()


def test_the_log_parser_knows_every_line() -> None:
    """A reader of the UART sees the ROM, the boot loader, and then the application."""
    found = boot(flash_with(FILES))
    lines = [parse_line(line) for line in text(found.lines).splitlines()]
    assert all(isinstance(line, ParsedBoot | LogLine) for line in lines)
    stages = [line.stage for line in lines if isinstance(line, ParsedBoot)]
    assert stages == sorted(stages, reverse=True)


def test_empty_flash_is_an_invalid_header() -> None:
    """The watchdog starts the chip over, and that boot says why it came."""
    found = boot(FlashChip(8 * MB))
    assert "invalid header: 0xffffffff\r\n" in text(found.lines)
    assert (found.runs, found.failure, found.reset) == (False, "invalid header: 0xffffffff", Reset.TASK_WATCHDOG)
    assert found.ends_after_s > found.lines[-1].after_s
    again = boot(FlashChip(8 * MB), found.reset)
    assert "rst:0x7 (TG0WDT_SYS_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)\r\nSaved PC:" in text(again.lines)


def test_a_half_written_application_starts_the_chip_over() -> None:
    """By the boot loader's own reset."""
    loader, table, app = FILES
    found = boot(flash_with((loader, table, FlashFile(app.offset, app.name, app.data[:5000]))))
    assert "esp_image: Checksum failed. Calculated 0x" in text(found.lines)
    assert "boot: Factory app partition is not bootable" in text(found.lines)
    assert (found.app, found.app_offset, found.reset) == (None, None, Reset.BOOT_LOADER)
    assert found.failure.startswith("Checksum failed.")
    assert "rst:0x3 (RTC_SW_SYS_RST)" in text(boot(FlashChip(), found.reset).lines)


def test_a_half_written_boot_loader_fails_its_checksum() -> None:
    """In the ROM's words."""
    loader, table, app = FILES
    found = boot(flash_with((FlashFile(0, loader.name, loader.data[:0x4000]), table, app)))
    assert "Checksum failure. Calculated 0x" in text(found.lines)
    assert found.reset is Reset.TASK_WATCHDOG


def test_the_watchdog_of_the_rtc_domain_leaves_no_counter() -> None:
    """As logs of the ESP32-S3 show."""
    assert "rst:0x10 (RTCWDT_RTC_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)\r\nSPIWP:0xee" in text(
        boot(flash_with(FILES), Reset.RTC_WATCHDOG).lines
    )


def test_an_application_introduces_itself() -> None:
    """With the beginning of the digest."""
    lines = text(application_lines(APP, 0.3)).splitlines()
    assert lines[0] == "I (300) app_init: Application information:"
    assert [line.split("app_init: ")[1] for line in lines[1:]] == [
        "Project name:     bridge",
        "App version:      1.2.3",
        "Compile time:     Nov 20 2026 12:00:00",
        "ELF file SHA256:  012345678...",
        "ESP-IDF:          v5.5.1",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("way", [(), ("--no-stub",)], ids=["stub", "rom"])
def test_what_esptool_flashes_runs(serve: Callable[[FlashChip], Any], way: tuple[str, ...], tmp_path: Path) -> None:
    """Also from the file that a later process opens; and esptool's settings in the header keep its digest right."""
    flash = FlashChip(8 * MB, tmp_path / "flash")
    arguments = []
    for each in FILES:
        path = tmp_path / Path(each.name).name
        path.write_bytes(each.data)
        arguments += [f"0x{each.offset:x}", str(path)]
    settings = ("--flash-mode", "dout", "--flash-size", "4MB", "--flash-freq", "40m")
    serve(flash).esptool(*way, "write-flash", *settings, *arguments)
    flash.close()
    later = FlashChip(8 * MB, tmp_path / "flash")
    found = boot(later)
    later.close()
    assert found.app == APP
    assert "mode:DOUT, clock div:2\r\n" in text(found.lines)
    assert "SPI Flash Size : 4MB" in text(found.lines)
    assert "SHA-256 comparison failed" not in text(found.lines)
