"""The table of clues."""

import pytest

from hil.diagnosis.text.board_causes import BOARD_CAUSES
from hil.diagnosis.text.board_clues import ASIDES, BOARD_CLUES
from hil.diagnosis.text.build_causes import BUILD_CAUSES, BUILD_CLUES
from hil.diagnosis.text.clue import Clue

SAMPLES = (
    "Brownout detector was triggered",
    "E (5) BOD: Brownout detector was triggered",
    "invalid header: 0xffffffff",
    "flash read err, 1000",
    "load:0xffffffff,len:-1",
    "csum err:0x9a!=0x5f",
    "secure boot check fail",
    "E (5) esp_image: Checksum failed. Calculated 0x6f read 0x1d",
    "E (5) esp_image: Image hash failed - image is corrupt",
    "E (5) secure_boot_v2: Secure boot signature verification failed",
    "E (5) esp_image: Image length 1310720 doesn't fit in partition length 1048576",
    "E (5) esp_image: Segment 3 0x40374000-0x40390000 invalid: overlaps bootloader stack",
    "E (5) esp_image: invalid segment length 0xffffffff",
    "E (5) boot_comm: mismatch chip ID, expected 9, found 0",
    "E (5) boot_comm: Image requires chip rev >= v3.0, but chip is v1.0",
    "E (5) boot: No bootable app partitions in the partition table",
    "E (5) boot: No bootable test partition in the partition table",
    "E (5) boot: Failed to verify partition table",
    "E (5) boot: load partition table error!",
    "E (5) esp_image: image at 0x10000 has invalid magic byte (nothing flashed here?)",
    "E (80) spi_flash: Detected size(4096k) smaller than the size in the binary image header(8192k). Probe failed.",
    "E (301) cpu_start: Failed to init external RAM!",
    "expression: esp_netif_dhcpc_option(netif, ESP_NETIF_OP_SET, 6, &dns, sizeof(dns))",
    "***ERROR*** A stack overflow in task main has been detected.",
    "Debug exception reason: Stack canary watchpoint triggered (loopTask) ",
    "Guru Meditation Error: Core  0 panic'ed (Stack protection fault). ",
    "Stack smashing protect failure!",
    "CORRUPT HEAP: Bad head at 0x3ffb3d68. Expected 0xabba1234 got 0xbaad5678",
    "assert failed: block_locate_free heap_tlsf.c:441 (block_size(block) >= size)",
    "Guru Meditation Error: Core  1 panic'ed (Interrupt wdt timeout on CPU1). ",
    "E (5318) task_wdt: Task watchdog got triggered. The following tasks/users did not reset the watchdog in time:",
    "assert failed: xQueueGenericSend queue.c:832 (pxQueue)",
    "/home/a/esp-idf/components/freertos/tasks.c:3095 (xTaskRemoveFromEventList)- assert failed!",
    'assertion "xQueue" failed: file "../main/app.c", line 41, function: app_main',
    "ESP_ERROR_CHECK failed: esp_err_t 0x103 (ESP_ERR_INVALID_STATE) at 0x42007f3c",
    "abort() was called at PC 0x42008a3f on core 1",
    "Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.",
    "Guru Meditation Error: Core  / panic'ed (Cache disabled but cached memory region accessed).",
    "Guru Meditation Error of type LoadProhibited occurred on core  0. Exception was unhandled.",
    "expression: nvs_flash_init()",
    'file: "./main/net.c" line 88',
    "terminate called after throwing an instance of 'std::bad_alloc'",
    "Debug exception reason: BREAK instr ",
    'Detected in task "main" at 0x4200b2f8',
    "E (8305) task_wdt:  - IDLE0 (CPU 0)",
    "E (8305) task_wdt: CPU 0: loopTask",
    "E (5) boot: OTA app partition slot 1 is not bootable",
    "E (5) flash_parts: partition 3 invalid magic number 0xffff",
    "E (291) quad_psram: PSRAM ID read error: 0x00ffffff, PSRAM chip not found or not supported",
    "E (178) octal_psram: PSRAM chip is not connected, or wrong PSRAM line mode",
    "ASSERT_PARAM(-218959118 0), in arch_main.c at line 343",
    "ets_main.c 371 ",
    "SHA-256 comparison failed:",
    "Backtrace: 0x40375a5a:0x3fc98d10 |<-CORRUPTED",
    "--- 0x4200b2f8: app_main at /home/a/lamp/main/main.c:23",
    "  #0  0x400d1234:0x3ffb1f50 in loop() at src/main.cpp:12",
    "MEPC    : 0x4200b2f8  RA      : 0x42007f0a  SP      : 0x40817fa0  GP      : 0x4080f7e4  ",
    "EXCVADDR: 0x00000010  LBEG    : 0x400570e8  LEND    : 0x400570f3  LCOUNT  : 0x00000000  ",
    "CPU halted.",
)
"""Lines as the sources named in the module print them, in the order of the table."""


@pytest.mark.parametrize("clue", [*BOARD_CLUES, *ASIDES], ids=lambda clue: clue.says)
def test_each_clue_finds_a_line(clue: Clue) -> None:
    """A clue that no line matches is dead; its hint is in each line that its pattern finds."""
    found = [text for text in SAMPLES if clue.pattern.search(text)]
    assert found
    assert all(clue.hint in text for text in found)


@pytest.mark.parametrize("text", SAMPLES)
def test_each_line_is_found(text: str) -> None:
    """Every sample is what some clue looks for."""
    assert any(clue.place(text) >= 0 for clue in (*BOARD_CLUES, *ASIDES))


@pytest.mark.parametrize("clue", [clue for clue in BOARD_CLUES if clue.cut_in], ids=lambda clue: clue.says)
def test_what_may_cut_into_a_line_is_told_from_what_begins_one(clue: Clue) -> None:
    """Behind a blank it is doubtful, behind a quotation mark nothing."""
    samples = [text for text in SAMPLES if clue.place(text) == 0]
    assert samples
    for text in samples:
        assert clue.place(f"Temp: 23.4 {text}") == -1
        assert clue.doubtful_place(f"Temp: 23.4 {text}") == len("Temp: 23.4")
        assert clue.doubtful_place(text) == clue.doubtful_place(f'a "{text}') == -1


def test_every_clue_shows_a_cause_and_every_cause_is_described() -> None:
    """Causes by reset code, by the row of boots and by carrier need no line of their own."""
    described = {cause.name for cause in (*BOARD_CAUSES, *BUILD_CAUSES)}
    shown = {clue.cause for clue in (*BOARD_CLUES, *BUILD_CLUES)} - {""}
    assert shown - described == set()
    assert described - shown == {"boot-loop", "rtc-watchdog", "no-carrier"}
