"""Lines that an ESP32's ROM, boot loader and application print, told apart.

Formats: ESP-IDF ``components/log/src/log_format_text.c`` with every choice of ``Kconfig.format``; arduino-esp32
``esp32-hal-log.h``; panic text of ``components/esp_system/panic.c`` and ``port/panic_handler.c``; ROM text as printed.
Nothing here raises: a line that is none of these is None.
"""

import re
from dataclasses import dataclass

NO_MS = -1
"""``LogLine.ms`` where the line holds no time, or one that does not count from the boot."""
NO_CORE = -1
UINT32_MAX = 0xFFFF_FFFF
LEVELS = "EWIDV"
ROM, BOOTLOADER = "rom", "bootloader"


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the ESP-IDF or Arduino log."""

    level: str
    """One of E, W, I, D, V."""
    ms: int
    """Milliseconds since boot, or :data:`NO_MS`."""
    tag: str
    """Arduino: the source file."""
    text: str


@dataclass(frozen=True, slots=True)
class BootLine:
    """A line of the ROM or of the second-stage boot loader."""

    stage: str
    """:data:`ROM` or :data:`BOOTLOADER`."""
    reset_reason: str
    """POWERON, RTC_SW_SYS_RST, USB_UART_CHIP_RESET … where the line tells, else ''."""
    text: str


@dataclass(frozen=True, slots=True)
class PanicLine:
    """The application is about to reset because it failed."""

    reason: str
    core: int
    """0 or 1, or :data:`NO_CORE`."""


@dataclass(frozen=True, slots=True)
class BacktraceLine:
    """Return addresses of a panic."""

    text: str
    """``0x40375a5a:0x3fc98d10 0x4037a2c5:0x3fc98d30 …``"""


@dataclass(frozen=True, slots=True)
class RebootLine:
    """The panic handler has said all it has to say and resets the chip."""

    text: str


EspLine = LogLine | BootLine | PanicLine | BacktraceLine | RebootLine

CONTROL_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b\r\n]{0,512}(?:\x07|\x1b\\))")
"""CSI with parameter, intermediate and final bytes; OSC up to ST or, as xterm has it, BEL (ECMA-48, 5.4 and 5.6)."""
CONTROL = re.compile(r"^[\x00-\x08\x0b-\x1f\x7f\ufffd]+")

IDF_LOG = re.compile(
    rf"(?P<level>[{LEVELS}]) "
    r"(?:\((?P<time>[0-9]{1,20}|[0-9][0-9:. -]{7,31})\) (?=[^:\r\n]{1,64}:)|(?=[\w.\-/]{1,64}: ))"
    r"(?P<tag>[^:\r\n]+): ?(?P<text>.*)"
)
"""``I (663) net: up``; the time may be a clock's, a date's or missing (Kconfig.format, LOG_TIMESTAMP_SOURCE).

Without a time the tag must be one word, or prose such as ``I am here: …`` would be a log line.
"""
ARDUINO_LOG = re.compile(
    rf"\[ {{0,10}}(?P<time>[0-9]{{1,10}})\]\[(?P<level>[{LEVELS}])\]\[(?P<tag>[^\]\r\n]{{1,128}}?)(?::[0-9]{{1,7}})?\]"
    r" ?(?P<text>.*)"
)
"""``[   12][E][WiFi.cpp:34] begin(): text``"""

RESET = re.compile(r"rst:0x[0-9a-fA-F]{1,8} \((?P<reason>[^)]{0,40})\),boot:0x[0-9a-fA-F]+.*")
ROM_LINE = re.compile(
    r"(?:ESP-ROM:|ets [A-Z][a-z]{2} |Build:[A-Z][a-z]{2} |waiting for download|invalid header: 0x|Saved PC:0x|SPIWP:0x"
    r"|mode:[A-Z]{3,4}, clock div:|load:0x|entry 0x|configsip: |flash read err|csum err|secure boot ).*"
)
BOOTLOADER_TAG = re.compile(r"boot(?:\.\w+)?|bootloader\w*")
GURU = re.compile(r"Guru Meditation Error: Core +(?P<core>[0-9]+|/) panic'ed \((?P<reason>.{0,120}?)\)(?:\.|$)")
"""The core is ``/`` where it is -1, as in an error of the cache that both share (panic_print_dec)."""
ABORT = re.compile(r"abort\(\) was called at PC 0x[0-9a-fA-F]+(?: on core (?P<core>[0-9]+))?")
OTHER_PANIC = re.compile(
    r"Brownout detector was triggered"
    r"|^(?:assert failed:|Stack smashing protect failure|ESP_ERROR_CHECK failed:"
    r"|\*\*\*ERROR\*\*\* A stack overflow in task).*"
)
"""The brownout line is printed bare, or by newer ESP-IDF as a log line of tag BOD."""
BACKTRACE = re.compile(r"Backtrace: ?(?P<text>(?:0x[0-9a-fA-F]|\|<).*)")
REBOOTING = "Rebooting..."

PLAIN_LOG = re.compile(rf"[{LEVELS}] \(([0-9]{{1,9}})\) (?!boot)[^:\r\n]{{1,64}}:")
"""How most lines begin. Such a line is a :class:`LogLine` unless it holds one of :data:`TELLING`."""
PLAIN_LINES = re.compile(rf"^{PLAIN_LOG.pattern}.*\n?", re.MULTILINE)
ONE_PLAIN = re.compile(rb"([EWIDV] \(([0-9]{1,9})\) (?!boot)[^:\r\n\x1b\x80-\xff]{1,64}:[^\r\n\x1b\x80-\xff]*)\r?\n")
"""The same of raw bytes: one whole line without colour, of ASCII."""
TELLING = ("Backtrace:", "Guru Meditation", "abort() was", "Brownout detector", "rst:0x", "ESP-ROM:")
"""What a line of a panic or of the ROM holds, if it can begin as a log line does."""


def strip_colour(text: str) -> str:
    """Without the colours that CONFIG_LOG_COLORS puts around lines, and other sequences of CSI and OSC."""
    return CONTROL_SEQUENCE.sub("", text)


def parse_line(text: str) -> EspLine | None:
    """What a line is, or None for free text; colour, line end and noise before the text make no difference."""
    line = CONTROL.sub("", strip_colour(text)).rstrip("\r\n\x00 ")
    return _panic(line) or _boot(line) or _log(line)


def plain_times(lines: list[str]) -> list[int]:
    """Milliseconds of each log line of the application; :data:`NO_MS` where :func:`parse_line` has to be asked.

    Says of many lines at once, for a tenth of the time, what parse_line would say of most. The lines hold no line end
    and no colour.
    """
    whole = "\n".join(lines)
    for word in TELLING:
        if word in whole:
            return [NO_MS] * len(lines)
    times = PLAIN_LINES.findall(whole)
    if len(times) == len(lines):
        return list(map(int, times))
    return [int(found[1]) if found else NO_MS for found in map(PLAIN_LOG.match, lines)]


def plain_line(raw: bytes) -> tuple[str, int] | None:
    """Text and milliseconds of bytes that are one log line as most are; None where :func:`parse_line` has to be asked.

    Of one line it takes a fifth of the time of :func:`plain_times` and what leads to it.
    """
    found = ONE_PLAIN.fullmatch(raw)
    if found is None:
        return None
    text = found[1].decode()
    for word in TELLING:
        if word in text:
            return None
    return text, int(found[2])


def _panic(line: str) -> PanicLine | BacktraceLine | RebootLine | None:
    if line == REBOOTING:
        return RebootLine(line)
    if found := BACKTRACE.search(line):
        return BacktraceLine(found["text"])
    if found := GURU.search(line):
        return PanicLine(found["reason"], _core(found["core"]))
    if found := ABORT.search(line):
        return PanicLine(found[0], _core(found["core"]))
    if found := OTHER_PANIC.search(line):
        return PanicLine(found[0], NO_CORE)
    return None


def _core(digits: str | None) -> int:
    return int(digits) if digits is not None and len(digits) == 1 and digits.isdecimal() else NO_CORE


def _boot(line: str) -> BootLine | None:
    """The ROM's first lines may follow noise of a UART that was just reset, so they are searched for."""
    if found := RESET.search(line):
        return BootLine(ROM, found["reason"], found[0])
    at = line.find("ESP-ROM:")
    if found := ROM_LINE.match(line, max(at, 0)):
        return BootLine(ROM, "", found[0])
    if (found := IDF_LOG.fullmatch(line)) and BOOTLOADER_TAG.fullmatch(found["tag"]):
        return BootLine(BOOTLOADER, "", line)
    return None


def _log(line: str) -> LogLine | None:
    found = IDF_LOG.fullmatch(line) or ARDUINO_LOG.fullmatch(line)
    return LogLine(found["level"], _ms(found["time"]), found["tag"], found["text"]) if found else None


def _ms(time: str | None) -> int:
    """Milliseconds since boot are a uint32; longer numbers are Unix time, others a clock's."""
    if time is None or not time.isdecimal():
        return NO_MS
    return ms if (ms := int(time)) <= UINT32_MAX else NO_MS
