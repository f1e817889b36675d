"""What the chip says before its firmware runs, and its clock."""

import pytest

from hil.virtual.soc import FLASH_BOOT, ChipClock, Panic, Reset, download_line, rom_line
from hil.wire.esplog import BacktraceLine, BootLine, PanicLine, parse_line

NS_PER_S = 1_000_000_000


def lines_of(reset: Reset) -> list[str]:
    return rom_line(reset, FLASH_BOOT, ("entry 0x403c8928",)).data.decode().splitlines()


@pytest.mark.parametrize(
    ("reset", "line"),
    [
        (Reset.POWER_ON, "rst:0x1 (POWERON),boot:0x8 (SPI_FAST_FLASH_BOOT)"),
        (Reset.EN, "rst:0x1 (POWERON),boot:0x8 (SPI_FAST_FLASH_BOOT)"),
        (Reset.SOFTWARE, "rst:0xc (RTC_SW_CPU_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)"),
        (Reset.USB_UART, "rst:0x15 (USB_UART_CHIP_RESET),boot:0x8 (SPI_FAST_FLASH_BOOT)"),
    ],
)
def test_the_rom_names_the_reset(reset: Reset, line: str) -> None:
    """The third line of a boot holds the code and the name of the ESP32-S3's ROM."""
    assert lines_of(reset)[:3] == ["ESP-ROM:esp32s3-20210327", "Build:Mar 27 2021", line]


def test_the_program_counter_is_saved_only_where_there_was_power() -> None:
    """After power-on the ROM has nothing to print there."""
    assert not any(line.startswith("Saved PC:") for line in lines_of(Reset.POWER_ON))
    assert any(line.startswith("Saved PC:") for line in lines_of(Reset.SOFTWARE))


def test_a_rom_that_waits_for_a_download_says_so_and_nothing_more() -> None:
    """The straps as the ROM of the ESP32-S3 prints them; no boot loader follows."""
    rom = download_line(Reset.EN)
    assert rom.data.decode().splitlines()[2:] == [
        "rst:0x1 (POWERON),boot:0x0 (DOWNLOAD(USB/UART0))",
        "waiting for download",
    ]


def test_rom_lines_are_recognised_by_the_log_parser() -> None:
    """The reset reason that a reader of the log sees is the one that happened."""
    found = [parse_line(line) for line in lines_of(Reset.SOFTWARE)]
    reasons = [line.reset_reason for line in found if isinstance(line, BootLine) and line.reset_reason]
    assert reasons == ["RTC_SW_CPU_RST"]


def test_a_panic_is_recognised_by_the_log_parser() -> None:
    """Guru Meditation with core and reason, then the backtrace."""
    found = [parse_line(line) for line in Panic(reason="StoreProhibited", core=1).text().decode().splitlines()]
    panics = [line for line in found if isinstance(line, PanicLine)]
    assert [(line.reason, line.core) for line in panics] == [("StoreProhibited", 1)]
    assert any(isinstance(line, BacktraceLine) for line in found)


def test_the_board_clock_starts_at_zero_and_drifts() -> None:
    """100 ppm are one millisecond in ten seconds."""
    clock = ChipClock(5 * NS_PER_S, drift_ppm=100)
    assert clock.ms(5 * NS_PER_S) == 0
    assert clock.ms(15 * NS_PER_S + 1000) == 10001


@pytest.mark.parametrize("drift_ppm", [-40.0, 0.0, 8.0])
def test_the_host_instant_of_a_millisecond_is_not_early(drift_ppm: float) -> None:
    """At the instant that a deadline maps to, the board counts that deadline."""
    clock = ChipClock(123_456_789, drift_ppm)
    for ms in (0, 1, 299, 300, 86_400_000):
        assert clock.ms(clock.host_ns(ms)) == ms
