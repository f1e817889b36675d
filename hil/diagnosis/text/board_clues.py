"""The lines in which boards of any ESP-IDF or Arduino firmware show why they stop.

Formats: ESP-IDF 2.1 to 5.5, ``components/esp_system`` (panic.c, port/panic_handler.c, port/arch, task_wdt, esp_err.c,
port/brownout.c), ``components/bootloader_support``, ``components/heap``, ``components/newlib/assert.c``; mask ROMs of
the ESP32 and ESP32-S3 as printed.
"""

import re

from hil.diagnosis.text.board_causes import TOO_BIG
from hil.diagnosis.text.clue import Clue, clue

_LEVEL = r"E (?:\([0-9]{1,10}\) )?"
_ERROR = rf"^{_LEVEL}"
_WORDS = r"Guru Meditation Error: Core +(?:(?:[0-9]+|/) )?panic'ed \("
"""``/`` is the core -1 of panic_print_dec: an error of the cache that both cores share."""
NO_IMAGE = clue(
    "image-corrupt", "there is no image", "esp_image: ", rf"{_ERROR}esp_image: image at .* has invalid magic byte"
)
"""Of an app that looks at its empty update partition, too."""
_SEGMENT = r"(?:[Ss]egment [0-9]+ .*(?: invalid: |doesn't match)|invalid segment length)"


def _guru(reason: str = "") -> tuple[str, str]:
    """The panic handler's first line, which may cut into a line of log, and the same where that ends in a blank.

    Who quotes it has a blank or a quotation mark before it.
    """
    return rf"(?:^|[^\s\"'(]){_WORDS}{reason}", rf"\s{_WORDS}{reason}"


BOARD_CLUES: tuple[Clue, ...] = (
    clue(
        "brownout",
        "the detector triggered",
        "Brownout detector was triggered",
        r"^(?:[EWI] (?:\([0-9]{1,10}\) )?BOD: )?Brownout detector was triggered$",
    ),
    clue("invalid-header", "the ROM reads no image header", "invalid header: 0x", r"^invalid header: 0x[0-9a-f]{1,8}$"),
    clue("flash-read-error", "the ROM cannot read", "flash read err", r"^flash read err, [0-9]+$"),
    clue("flash-read-error", "the ROM reads ones where a segment begins", "load:0xff", r"^load:0xffffffff,len:-1$"),
    *(
        clue("image-corrupt", says, hint, pattern)
        for says, hint, pattern in (
            ("the ROM's checksum of the boot loader differs", "csum err:", r"^csum err:\s?0x[0-9a-f]+!=0x[0-9a-f]+$"),
            ("the ROM refuses the signature", "ecure boot", r"^[Ss]ecure boot (?:check fail|verification failed)"),
            ("the checksum differs", "esp_image: ", rf"{_ERROR}esp_image: Checksum failed\. Calculated"),
            ("the hash differs", "esp_image: ", rf"{_ERROR}esp_image: Image hash failed"),
            ("the signature is refused", "ignature verification failed", rf"{_ERROR}.*ignature verification failed"),
            ("a segment is no segment", "esp_image: ", rf"{_ERROR}esp_image: {_SEGMENT}"),
            ("the image is another chip's", "mismatch chip ID", rf"{_ERROR}.*mismatch chip ID, expected"),
            ("the image is for a newer chip", "Image requires chip rev", rf"{_ERROR}.*Image requires chip rev >= "),
        )
    ),
    clue(
        TOO_BIG,
        "the image is larger than its partition",
        "esp_image: ",
        rf"{_ERROR}esp_image: Image length .* doesn't fit",
    ),
    *(
        clue("no-bootable-app", says, "boot: ", rf"{_ERROR}boot: {words}")
        for says, words in (
            ("no app can be started", "No bootable app partitions in the partition table"),
            ("no test app can be started", "No bootable test partition in the partition table"),
            ("the partition table is refused", "(?:Failed to verify partition table|load partition table error!)"),
        )
    ),
    NO_IMAGE,
    clue(
        "flash-too-small",
        "the flash answers with less than the image wants",
        "in the binary image header",
        rf"{_ERROR}spi_flash: Detected size\([0-9]+k\) smaller than the size in the binary image header",
    ),
    clue(
        "psram-not-found",
        "the start is given up without PSRAM",
        "external RAM!",
        rf"{_ERROR}cpu_start: Failed to init external RAM!$",
    ),
    clue(
        "dhcpc-option-misused", "ESP_ERROR_CHECK refused it", "expression: ", r"^expression: esp_netif_dhcpc_option\("
    ),
    *(
        clue("stack-overflow", says, hint, pattern)
        for says, hint, pattern in (
            (
                "FreeRTOS found the end of the stack overwritten",
                "***ERROR*** A",
                r"^\*\*\*ERROR\*\*\* A stack overflow in",
            ),
            (
                "the watchpoint at the end of the stack was hit",
                "Stack canary watchpoint",
                r"^Debug exception reason: .*Stack canary watchpoint triggered \(",
            ),
            (
                "the value behind a function's buffers was overwritten",
                "Stack smashing",
                r"^Stack smashing protect failure!",
            ),
        )
    ),
    clue("stack-overflow", "the stack pointer left the stack", "panic'ed (Stack", *_guru(r"Stack protection fault\)")),
    clue("heap-corruption", "the heap was found damaged", "CORRUPT HEAP: ", r"^CORRUPT HEAP: "),
    clue(
        "heap-corruption",
        "the heap's own assertion failed",
        "assert failed: ",
        r"^assert failed: .*\b(?:tlsf|heap_tlsf|multi_heap\w*)\.c:",
    ),
    clue(
        "interrupt-watchdog",
        "the watchdog interrupted a core",
        "(Interrupt wdt",
        *_guru("Interrupt wdt timeout on CPU"),
    ),
    clue(
        "task-watchdog",
        "the watchdog triggered",
        "Task watchdog got",
        rf"(?:^(?:{_LEVEL}task_wdt: )?|[^\s\"'(]{_LEVEL}task_wdt: )Task watchdog got triggered\.",
    ),
    clue(
        "assert-failed",
        "the assertion",
        "assert failed",
        r"^assert failed(?:: | at )",
        r"\sassert failed: \w+ \S+:[0-9]+ \(",
    ),
    clue("assert-failed", "FreeRTOS's assertion", "- assert failed!", r"^.+:[0-9]+ \(\w+\)- assert failed!$"),
    clue("assert-failed", "the assertion", 'assertion "', r'^assertion ".*" failed: file "'),
    clue("abort", "the check that failed", "ESP_ERROR_CHECK failed:", r"^ESP_ERROR_CHECK failed: esp_err_t "),
    clue(
        "abort",
        "abort() was called",
        "abort() was called at PC",
        r"^abort\(\) was called at PC 0x",
        r"\sabort\(\) was called at PC 0x",
    ),
    clue("panic", "the panic handler says why", "Guru Meditation Error: Core", *_guru()),
    clue(
        "panic",
        "the panic handler says why",
        "Guru Meditation Error of type",
        r"^Guru Meditation Error of type \w+ occurr?ed on core",
    ),
)
"""The first explains the most; where a boot has several, it names the cause."""

BACKTRACE, ADDRESS = "backtrace", "the address"
DUMPED = frozenset({BACKTRACE, ADDRESS})
"""What of a panic may be there without its first line."""
HEADLESS = clue(
    "panic", "the panic handler restarts the board; why is not in the log", "Rebooting...", r"^Rebooting\.\.\.$"
)
"""Shows a panic only behind what is in :data:`DUMPED`: sketches have that word, too."""
AFTERMATH = re.compile(r"^(?:Core +[0-9]+ register dump:|Backtrace: ?(?:0x|\|<)|Rebooting\.\.\.$)")
"""What the panic handler says after its first line, and nobody who quotes that line."""

REPORTED: tuple[Clue, ...] = tuple(
    clue("panic", says, "esp32.crash:", rf"^\[E\]\[esp32\.crash:[0-9]+\]:\s+{words}")
    for says, words in (
        ("ESPHome tells of the boot before", r"\*\*\* CRASH DETECTED ON PREVIOUS BOOT \*\*\*$"),
        ("why", "Reason: "),
        ("the address", "PC: "),
    )
)
"""A panic of an earlier boot, told by the app; the first line of these shows it."""

ASIDES: tuple[Clue, ...] = tuple(
    clue("", says, hint, pattern)
    for says, hint, pattern in (
        ("the check", "expression: ", r"^expression: "),
        ("where", 'file: "', r'^file: ".*" line [0-9]+'),
        ("why", "terminate called", r"^terminate called"),
        ("the debug unit says", "Debug exception", r"^Debug exception reason: "),
        ("which task", "Detected in task ", r"^Detected in task "),
        ("which task did not run", "task_wdt:  - ", rf"{_ERROR}task_wdt:  - "),
        ("which task ran", "task_wdt: CPU ", rf"{_ERROR}task_wdt: CPU [0-9]+: "),
        ("the app that was refused", " is not bootable", rf"{_ERROR}boot: .* is not bootable"),
        ("the partition table", "flash_parts: ", rf"{_ERROR}flash_parts: "),
        (NO_IMAGE.says, NO_IMAGE.hint, NO_IMAGE.pattern.pattern),
        ("PSRAM does not answer", "PSRAM ID read", rf"{_ERROR}.*PSRAM ID read error"),
        ("PSRAM does not answer", "PSRAM chip is not", rf"{_ERROR}\w*psram: PSRAM chip is not connected"),
        ("the Bluetooth controller's assertion", "ASSERT_", r"^ASSERT_(?:PARAM|ERR|INFO)\(.*\), in \S+ at line [0-9]+"),
        ("the ROM gave up at", "ets_", r"^ets_(?:main|loader)\.c [0-9]+"),
        ("the ROM found another hash and went on", "SHA-256 comp", r"^SHA-256 comparison failed"),
        (BACKTRACE, "Backtrace:", r"^Backtrace: ?(?:0x|\|<)"),
        ("decoded", " at ", r"^(?:--- )?0x[0-9a-f]{8}: .+ at .+:[0-9?]+"),
        ("decoded", " at ", r"^ *#[0-9]+ +0x[0-9a-f]{8}\b.* in .+ at "),
        (ADDRESS, "MEPC", r"^MEPC +: 0x"),
        (ADDRESS, "EXCVADDR", r"^EXCVADDR: 0x"),
        ("it halts", "CPU halted.", r"^CPU halted\.$"),
    )
)
"""Evidence beside a cause."""
