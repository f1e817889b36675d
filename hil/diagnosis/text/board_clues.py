"""The lines in which boards of any ESP-IDF or Arduino firmware show why they stop.

Formats: ESP-IDF 4.4 to 5.5, ``components/esp_system`` (panic.c, port/panic_handler.c, port/arch, task_wdt, esp_err.c,
port/brownout.c), ``components/bootloader_support``, ``components/heap``, ``components/newlib/assert.c``; mask ROMs of
the ESP32 and ESP32-S3 as printed.
"""

from hil.diagnosis.text.clue import Clue, clue

BOARD_CLUES: tuple[Clue, ...] = (
    clue(
        "brownout",
        "the detector triggered",
        "Brownout detector was triggered",
        r"^(?:[EWI] (?:\([0-9]{1,10}\) )?BOD: )?Brownout detector was triggered$",
    ),
    clue("invalid-header", "the ROM reads no image header", "invalid header: 0x", r"^invalid header: 0x[0-9a-f]{1,8}"),
    clue("flash-read-error", "the ROM cannot read", "flash read err", r"^flash read err, [0-9]+"),
    clue(
        "image-corrupt",
        "the ROM's checksum of the boot loader differs",
        "csum err:",
        r"^csum err:\s?0x[0-9a-f]+!=0x[0-9a-f]+",
    ),
    clue(
        "image-corrupt",
        "the ROM refuses the signature",
        "ecure boot",
        r"^[Ss]ecure boot (?:check fail|verification failed)",
    ),
    clue(
        "image-corrupt",
        "the checksum differs",
        "Checksum failed. Calculated 0x",
        r"esp_image: Checksum failed\. Calculated",
    ),
    clue("image-corrupt", "the hash differs", "Image hash failed"),
    clue(
        "image-corrupt",
        "the signature is refused",
        "signature verification failed",
        r"E .*ignature verification failed",
    ),
    clue("image-corrupt", "the image is larger than its partition", "doesn't fit in partition length"),
    clue(
        "image-corrupt",
        "a segment is no segment",
        "esp_image: ",
        r"E .*esp_image: (?:[Ss]egment \d+ .*(?:invalid|doesn't)|invalid segment)",
    ),
    clue("image-corrupt", "the image is another chip's", "ismatch chip ID", r"E .*ismatch chip ID, expected"),
    clue("image-corrupt", "the image is for a newer chip", "Image requires chip rev >= "),
    clue("no-bootable-app", "no app can be started", "No bootable app partitions in the partition table"),
    clue("no-bootable-app", "no test app can be started", "No bootable test partition in the partition table"),
    clue("no-bootable-app", "the partition table is refused", "Failed to verify partition table"),
    clue("no-bootable-app", "the partition table is refused", "load partition table error!"),
    clue(
        "image-corrupt",
        "there is no image",
        "has invalid magic byte",
        r"esp_image: image at 0x[0-9a-f]+ has invalid magic byte",
    ),
    clue("dhcpc-option-misused", "ESP_ERROR_CHECK refused it", "expression: esp_netif_dhcpc_option"),
    clue("stack-overflow", "FreeRTOS found the end of the stack overwritten", "***ERROR*** A stack overflow in task"),
    clue("stack-overflow", "the watchpoint at the end of the stack was hit", "Stack canary watchpoint triggered ("),
    clue("stack-overflow", "the stack pointer left the stack", "panic'ed (Stack protection fault)"),
    clue("stack-overflow", "the value behind a function's buffers was overwritten", "Stack smashing protect failure!"),
    clue("heap-corruption", "the heap was found damaged", "CORRUPT HEAP: ", r"^CORRUPT HEAP: "),
    clue(
        "heap-corruption",
        "the heap's own assertion failed",
        "assert failed: ",
        r"^assert failed: .*\b(?:tlsf|heap_tlsf|multi_heap\w*)\.c:",
    ),
    clue("interrupt-watchdog", "the watchdog interrupted a core", "panic'ed (Interrupt wdt timeout on CPU"),
    clue(
        "task-watchdog",
        "the watchdog triggered",
        "Task watchdog got triggered.",
        r"(?:^|task_wdt: )Task watchdog got triggered\.",
    ),
    clue("assert-failed", "the assertion", "assert failed", r"^assert failed(?::| at )"),
    clue("assert-failed", "the assertion", 'assertion "', r'^assertion ".*" failed: file "'),
    clue("abort", "the check that failed", "ESP_ERROR_CHECK failed:", r"^ESP_ERROR_CHECK failed: esp_err_t "),
    clue("abort", "abort() was called", "abort() was called at PC", r"abort\(\) was called at PC 0x"),
    clue(
        "panic",
        "the panic handler says why",
        "Guru Meditation Error: Core",
        r"Guru Meditation Error: Core +[0-9]+ panic'ed \(",
    ),
)
"""The first explains the most; where a boot has several, it names the cause."""

ASIDES: tuple[Clue, ...] = (
    clue("", "the check", "expression: ", r"^expression: "),
    clue("", "where", 'file: "', r'^file: ".*" line [0-9]+'),
    clue("", "why", "terminate called", r"^terminate called"),
    clue("", "the debug unit says", "Debug exception reason: "),
    clue("", "which task", "Detected in task "),
    clue("", "which task did not run", "task_wdt:  - ", r"task_wdt:  - "),
    clue("", "which task ran", "task_wdt: CPU ", r"task_wdt: CPU [0-9]+: "),
    clue("", "the app that was refused", " is not bootable", r"boot: .* is not bootable"),
    clue("", "the partition table", "flash_parts: ", r"E .*flash_parts: "),
    clue("", "there is no image", "has invalid magic byte"),
    clue("", "the flash is not the size that was configured", "smaller than the size in the binary image header"),
    clue("", "PSRAM does not answer", "PSRAM ID read error"),
    clue("", "PSRAM does not answer", "Failed to init external RAM"),
    clue("", "the ROM gave up at", "ets_", r"^ets_(?:main|loader)\.c [0-9]+"),
    clue("", "the ROM found another hash and went on", "SHA-256 comparison failed"),
    clue("", "backtrace", "Backtrace:", r"Backtrace: ?(?:0x|\|<)"),
    clue("", "decoded", " at ", r"^(?:--- )?0x[0-9a-f]{8}: .+ at .+:[0-9?]+"),
    clue("", "the address", "MEPC", r"^MEPC +: 0x"),
    clue("", "the address", "EXCVADDR", r"^EXCVADDR: 0x"),
    clue("", "it halts", "CPU halted.", r"^CPU halted\.$"),
)
"""Evidence beside a cause."""
