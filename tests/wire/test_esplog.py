"""Lines that an ESP32 prints."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.wire.esplog import (
    NO_CORE,
    NO_MS,
    BacktraceLine,
    BootLine,
    EspLine,
    LogLine,
    PanicLine,
    RebootLine,
    parse_line,
    plain_line,
    plain_times,
    strip_colour,
)

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=100)
MOUNTED = "*** USB MOUNTED (device configured by host) ***"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"W (663) net: {MOUNTED}", LogLine("W", 663, "net", MOUNTED)),
        (f"\x1b[0;33mW (663) net: {MOUNTED}\x1b[0m\r\n", LogLine("W", 663, "net", MOUNTED)),
        (f"\x1b[33mW (663) net: {MOUNTED}\x1b[0m\n", LogLine("W", 663, "net", MOUNTED)),
        ("I (4294967295) main: x", LogLine("I", 4294967295, "main", "x")),
        ("I (00:01:30.123) main: x", LogLine("I", NO_MS, "main", "x")),
        ("I (24-06-19 00:01:30.123) main: x", LogLine("I", NO_MS, "main", "x")),
        ("I (1718795571035) main: x", LogLine("I", NO_MS, "main", "x")),
        ("D main: x", LogLine("D", NO_MS, "main", "x")),
        ("V (1) esp.netif-lwip: a: b", LogLine("V", 1, "esp.netif-lwip", "a: b")),
        ("E (33) usb:", LogLine("E", 33, "usb", "")),
        ("I (5) two words: x", LogLine("I", 5, "two words", "x")),
        ("[   12][E][WiFi.cpp:34] begin(): no", LogLine("E", 12, "WiFi.cpp", "begin(): no")),
        ("\x1b[0;31m[123456][E][a b.ino:1] setup(): \x1b[0m", LogLine("E", 123456, "a b.ino", "setup():")),
        (
            "E (5318) task_wdt: Task watchdog got triggered. The following tasks",
            LogLine("E", 5318, "task_wdt", "Task watchdog got triggered. The following tasks"),
        ),
    ],
)
def test_a_log_line_is_read(text: str, line: LogLine) -> None:
    """Every time stamp of ESP-IDF's Kconfig.format, with colour and without, and Arduino's form."""
    assert parse_line(text) == line


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ESP-ROM:esp32s3-20210327", ""),
        ("\x00\ufffd\ufffdxESP-ROM:esp32s3-20210327", ""),
        ("Build:Mar 27 2021", ""),
        ("rst:0x1 (POWERON),boot:0x8 (SPI_FAST_FLASH_BOOT)", "POWERON"),
        ("rst:0x15 (USB_UART_CHIP_RESET),boot:0x0 (DOWNLOAD(USB/UART0))", "USB_UART_CHIP_RESET"),
        ("rst:0xc (RTC_SW_CPU_RST),boot:0x2b (SPI_FAST_FLASH_BOOT)", "RTC_SW_CPU_RST"),
        ("Saved PC:0x40375c1d", ""),
        ("waiting for download", ""),
        ("invalid header: 0xffffffff", ""),
        ("mode:DIO, clock div:1", ""),
        ("load:0x3fce3808,len:0x4bc", ""),
        ("entry 0x403c98d0", ""),
    ],
)
def test_a_line_of_the_rom_is_read(text: str, reason: str) -> None:
    """With the reset reason where it tells, and without the noise before it."""
    line = parse_line(text)
    assert isinstance(line, BootLine)
    assert (line.stage, line.reset_reason) == ("rom", reason)
    assert line.text in text


@pytest.mark.parametrize(
    "text",
    [
        "I (27) boot: ESP-IDF v5.5 2nd stage bootloader",
        "D (31) boot.esp32s3: SPI Speed : 80MHz",
        "E (40) boot: No bootable app",
    ],
)
def test_a_line_of_the_boot_loader_is_read(text: str) -> None:
    """Known by its tag; it is a log line otherwise, and its text is whole."""
    assert parse_line(text) == BootLine("bootloader", "", text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.",
            PanicLine("LoadProhibited", 0),
        ),
        (
            "Guru Meditation Error: Core  1 panic'ed (Interrupt wdt timeout on CPU1). ",
            PanicLine("Interrupt wdt timeout on CPU1", 1),
        ),
        (
            "Guru Meditation Error: Core  0 panic'ed (Cache error (MMU)). x",
            PanicLine("Cache error (MMU)", 0),
        ),
        (
            "Guru Meditation Error: Core  / panic'ed (Cache disabled but cached memory region accessed). ",
            PanicLine("Cache disabled but cached memory region accessed", NO_CORE),
        ),
        (
            "abort() was called at PC 0x42008a3f on core 1",
            PanicLine("abort() was called at PC 0x42008a3f on core 1", 1),
        ),
        ("abort() was called at PC 0x42008a3f", PanicLine("abort() was called at PC 0x42008a3f", NO_CORE)),
        ("assert failed: f a.c:1 (x != NULL)", PanicLine("assert failed: f a.c:1 (x != NULL)", NO_CORE)),
        ("Brownout detector was triggered", PanicLine("Brownout detector was triggered", NO_CORE)),
        ("E BOD: Brownout detector was triggered", PanicLine("Brownout detector was triggered", NO_CORE)),
        (
            "***ERROR*** A stack overflow in task main has been detected.",
            PanicLine("***ERROR*** A stack overflow in task main has been detected.", NO_CORE),
        ),
        ("Backtrace: 0x40375a5a:0x3fc98d10 0x4:0x5", BacktraceLine("0x40375a5a:0x3fc98d10 0x4:0x5")),
        ("Backtrace:0x40375a5a:0x3fc98d10 |<-CORRUPTED", BacktraceLine("0x40375a5a:0x3fc98d10 |<-CORRUPTED")),
        ("Rebooting...", RebootLine("Rebooting...")),
    ],
)
def test_a_line_of_a_panic_is_read(text: str, line: EspLine) -> None:
    """Reason and core where the handler tells them."""
    assert parse_line(text) == line


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "I am here: now",
        "USBD Xfer Complete on EP 02",
        "I (12 net: x",
        "X (1) net: x",
        "[x][E][a:1] b",
        "Backtrace:",
        "Rebooting",
    ],
)
def test_free_text_is_nothing(text: str) -> None:
    """Other output of the board, and halves of lines."""
    assert parse_line(text) is None


@PURE
@given(
    st.text(st.characters(max_codepoint=0x7F), max_size=60),
    st.sampled_from(["", "I (", "[ 1][E][", "rst:0x", "Guru Meditation Error: Core "]),
)
def test_any_text_is_a_line_or_nothing(text: str, front: str) -> None:
    """Nothing raises, and colour never changes what a line is."""
    assert parse_line(front + text) == parse_line(strip_colour(front + text))


@pytest.mark.parametrize(
    "sequence",
    [
        "\x1b[?25l",
        "\x1b[38:2::255:0:0m",
        "\x1b[38;5;196m",
        "\x1b[2 q",
        "\x1b[1@",
        "\x1b[200~",
        "\x1b[>0c",
        "\x1b]0;esp32s3\x07",
        "\x1b]8;;http://192.0.2.7\x1b\\",
        "\x1b]\x07",
    ],
)
def test_every_control_sequence_is_stripped(sequence: str) -> None:
    """Private ones, colours with colons, cursor shapes, pasted text, titles, links: the line is what it is without."""
    assert strip_colour(f"a{sequence}b") == "ab"
    assert parse_line(f"{sequence}I (663) net: up{sequence}") == LogLine("I", 663, "net", "up")


def test_a_sequence_that_does_not_end_in_its_line_takes_no_other() -> None:
    """Nor its own."""
    assert strip_colour("a\x1b]0;title\nb\x07") == "a\x1b]0;title\nb\x07"
    assert strip_colour("a\x1b[12\nm") == "a\x1b[12\nm"


def test_only_colour_is_stripped() -> None:
    """Brackets and text around a sequence stay, and so does half a sequence."""
    assert strip_colour("a\x1b[0;31m[b]\x1b[mc\x1b[") == "a[b]c\x1b["


NEAR_LOG = st.one_of(
    st.builds(
        "{} ({}) {}:{}".format,
        st.sampled_from("EWIDVX"),
        st.one_of(st.integers(-1, 10**12), st.text("0123456789:.- ", max_size=12)),
        st.sampled_from(["net", "boot", "boot.esp32s3", "bootloader", "boots", "two words", "", "x" * 65, "BOD"]),
        st.sampled_from(
            [
                " up",
                "",
                " Backtrace: 0x40375a5a:0x3fc98d10",
                " Guru Meditation Error: Core  1 panic'ed (LoadProhibited).",
                " abort() was called at PC 0x42008e3c on core 1",
                " Brownout detector was triggered",
                " rst:0x1 (POWERON),boot:0x8",
                " ESP-ROM:esp32s3-20210327",
                " \x85 \u2028 \x00 ",
            ]
        ),
    ),
    st.text("EI ()01:netbo\x00\t.", max_size=20),
)


@PURE
@given(st.lists(NEAR_LOG, max_size=4))
def test_a_plain_time_is_what_the_line_itself_says(lines: list[str]) -> None:
    """What many lines are told to be at once is what each is told to be alone."""
    for line, ms in zip(lines, plain_times(lines), strict=True):
        if ms != NO_MS:
            found = parse_line(line)
            assert isinstance(found, LogLine)
            assert found.ms == ms


@PURE
@given(NEAR_LOG, st.sampled_from(["\n", "\r\n", "\r\r\n", "", "\n\n", "\x1b[0m\n"]))
def test_one_plain_line_is_what_the_line_itself_says(line: str, end: str) -> None:
    """Of raw bytes too, which are then one whole line without colour."""
    plain = plain_line((line + end).encode())
    if plain is not None:
        text, ms = plain
        assert text == line.removesuffix("\r")
        assert plain_times([text]) == [ms]


def test_one_plain_line_is_told_by_its_bytes() -> None:
    """What most boards write most of the time; a line that tells of more is not one."""
    assert plain_line(b"I (12) net: up\r\n") == ("I (12) net: up", 12)
    assert plain_line(b"I (12) net: up") is None
    assert plain_line(b"I (12) net: Backtrace: 0x40375a5a:0x3fc98d10\n") is None


def test_most_lines_are_plain() -> None:
    """Those that need a second look are the ones that tell of more than themselves, and the lines beside them."""
    assert plain_times(["I (12) net: up", "free text", "W (13) usb: x", "I (14) boot: x"]) == [12, NO_MS, 13, NO_MS]
    assert plain_times(["I (12) net: up", "Backtrace: 0x40375a5a:0x3fc98d10"]) == [NO_MS, NO_MS]
