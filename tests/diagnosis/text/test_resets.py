"""Reset codes of the ROM."""

import pytest

from hil.diagnosis.text.resets import Reset, reset_in


@pytest.mark.parametrize(
    ("text", "reset"),
    [
        ("rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)", Reset.OUTSIDE),
        ("rst:0x15 (USB_UART_CHIP_RESET),boot:0x28 (SPI_FAST_FLASH_BOOT)", Reset.OUTSIDE),
        ("rst:0x17 (PWR_GLITCH),boot:0x8 (SPI_FAST_FLASH_BOOT)", Reset.OUTSIDE),
        ("rst:0x5 (DSLEEP),boot:0x8 (SPI_FAST_FLASH_BOOT)", Reset.SLEEP),
        ("rst:0x3 (LP_SW_HPSYS),boot:0x6f (SPI_FAST_FLASH_BOOT)", Reset.SOFTWARE),
        ("rst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)", Reset.SOFTWARE),
        ("noise rst:0xf (RTCWDT_BROWN_OUT_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)", Reset.BROWNOUT),
        ("rst:0x7 (TG0_WDT_HPSYS),boot:0x6f (SPI_FAST_FLASH_BOOT)", Reset.TIMER_0),
        ("rst:0x8 (TG1WDT_SYS_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)", Reset.TIMER_1),
        ("rst:0x10 (RTCWDT_RTC_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)", Reset.RTC),
        ("rst:0x1a (CPU_LOCKUP),boot:0x18 (SPI_FAST_FLASH_BOOT)", Reset.LOCKUP),
        ("rst:0x7 is the task watchdog's code", None),
        ("rst:0x7 (TG0WDT_SYS_RST)", None),
        ("rst:0x", None),
    ],
)
def test_the_code_tells_the_reset_whatever_the_chip_calls_it(text: str, reset: Reset | None) -> None:
    """The names differ from chip to chip, the codes do not; other text is none."""
    assert reset_in(text) is reset
