"""Stamps before a line, by the tools that put them there."""

import pytest

from hil.diagnosis.text.line import parts

WHO = {
    "2026-10-04T10:12:31.1234567Z ": "GitHub Actions",
    "2026-10-04 10:12:31 ": "idf.py monitor --timestamps",
    "[2026-10-04 10:12:31.123] ": "minicom; tio has the clock alone",
    "[10:12:31]": "PuTTY and others",
    "12:34:56.789 -> ": "Arduino IDE",
    "12:34:56.789 > ": "PlatformIO, filter time",
    "10:12:31:123 ": "CuteCom",
    "[Sun Oct 04 10:12:31.123 2026] ": "Tera Term",
    "10-04 10:12:31.123 ": "logcat",
    "Oct 04 10:12:31 ": "moreutils ts",
    "Oct  4 10:12:31 ": "RFC 3164",
    "10:12:31.123456 ": "ts %.T",
    "1763762644.123456 ": "ts %.s",
    "0.000123 ": "ts -s %.s",
    "2026-10-04T10:12:31+0000 ": "ts %FT%T%z",
    "Oct 04 10:12:31 bench picocom[12]: ": "journalctl, syslog",
    "2026-10-04T10:12:31+0200 bench cat-serial@ttyACM0[4711]: ": "journalctl -o short-iso",
    "[   12.345678] ": "printk",
    "2026-10-04 10:12:31,123 INFO ": "Python logging",
    "2026-10-04 10:12:31,123 WARNING  bench.serial: ": "Python logging with a name",
    "2026-10-04 10:12:31,123 - bench.serial - ERROR - ": "Python logging, as its HOWTO shows it",
}
"""Samples of stamps, each with a tool that writes it."""
LINES = (
    "Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.",
    "rst:0xc (RTC_SW_CPU_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)",
    "Backtrace: 0x42008f2e:0x3fc9a8e0",
    "E (280) spi_flash: Detected size",
    "[   512][E][a.cpp:1] b",
    "   lib.c:3: error: x",
)


@pytest.mark.parametrize("stamp", WHO, ids=WHO.get)
@pytest.mark.parametrize("text", LINES)
def test_a_stamp_is_told_apart_from_the_line(stamp: str, text: str) -> None:
    """Nothing of it stays before the line, and nothing of the line goes with it."""
    (line,) = parts(stamp + text)
    assert line.text.strip() == text.strip()
    assert line.when
    assert line.when in stamp


@pytest.mark.parametrize("stamp", WHO, ids=WHO.get)
def test_a_stamp_without_a_line_is_none(stamp: str) -> None:
    """Tools stamp empty lines too."""
    assert stamp.endswith("]") or list(parts(stamp + "\r\n")) == []


@pytest.mark.parametrize(
    "text",
    [
        "I (00:01:30.123) main: x",
        "[   512][E][a.cpp:1] b",
        "[   663 ms] USB_MOUNTED",
        "12:34:56",
        "23.4 C",
        "12.345678",
        "[12.5]",
        "Temp 21 22:04 C",
    ],
)
def test_what_a_board_says_of_time_is_no_stamp(text: str) -> None:
    """A clock alone, a number, or a time of the board's own is its line."""
    (line,) = parts(text)
    assert (line.when, line.text) == ("", text)


@pytest.mark.parametrize("before", ["last crash: ", "crash: ", "bench crash: ", "INFO crash: ", "app[crash] "])
@pytest.mark.parametrize("stamp", ["Oct 04 10:12:31 ", "2026-10-04 10:12:31 ", "1763762644.123456 "])
def test_words_of_the_board_are_no_speaker(stamp: str, before: str) -> None:
    """A line that quotes a failure keeps what says so."""
    (line,) = parts(f"{stamp}{before}Guru Meditation Error")
    assert line.text == f"{before}Guru Meditation Error"
