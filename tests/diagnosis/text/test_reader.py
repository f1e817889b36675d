"""Logs of any firmware and build, read whole: each failure by its one name, and a healthy log by none."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.diagnosis.finding import Finding
from hil.diagnosis.text import CAUSES, LogReader
from hil.diagnosis.text.line import parts
from hil.wire.lines import LineSplitter

LOGS = Path(__file__).parents[3] / "fixtures" / "logs"
PURE = settings(deadline=None, derandomize=True, database=None, max_examples=150)
EXPECTED = {
    "abort": "abort",
    "assert-failed": "assert-failed",
    "assert-failed-idf4": "assert-failed",
    "boot-loop": "boot-loop",
    "boot-loop-abort": "boot-loop",
    "boot-loop-silent": "boot-loop",
    "brownout": "brownout",
    "brownout-idf5": "brownout",
    "brownout-reset-code": "brownout",
    "build-app-too-large": "app-exceeds-partition",
    "build-component-hash": "component-hash-mismatch",
    "build-component-lock": "component-lock-mismatch",
    "build-dhcpc-option": "dhcpc-option-misused",
    "build-no-environment": "esp-idf-not-exported",
    "build-no-idf-path": "esp-idf-not-exported",
    "build-no-python": "esp-idf-not-exported",
    "build-region-overflow": "memory-region-overflow",
    "build-stale-cache": "stale-cmake-cache",
    "build-stale-target": "stale-cmake-cache",
    "build-upload-unanswered": "loader-does-not-answer",
    "clean-after-flashing-with-watchdog-reset": "",
    "clean-arduino-esp32": "",
    "clean-build": "",
    "clean-empty-update-partition": "",
    "clean-idf4-esp32-colour": "",
    "clean-idf5-esp32s3": "",
    "clean-ip-link": "",
    "clean-slow-flash-at-power-on": "",
    "dhcpc-option-at-run-time": "dhcpc-option-misused",
    "flash-read-error": "flash-read-error",
    "flash-too-small": "flash-too-small",
    "heap-corruption": "heap-corruption",
    "heap-corruption-tlsf": "heap-corruption",
    "image-corrupt": "image-corrupt",
    "image-corrupt-signature": "image-corrupt",
    "interrupt-watchdog": "interrupt-watchdog",
    "interrupt-watchdog-reset-code": "interrupt-watchdog",
    "invalid-header": "invalid-header",
    "ip-link-no-carrier": "no-carrier",
    "no-bootable-app": "no-bootable-app",
    "panic": "panic",
    "panic-arduino-ide-stamps": "panic",
    "panic-behind-text": "panic",
    "panic-cut-into-a-line": "panic",
    "panic-utf16": "panic",
    "panic-with-noise": "panic",
    "partition-table-md5": "no-bootable-app",
    "psram-not-found": "psram-not-found",
    "rom-checksum": "image-corrupt",
    "rtc-watchdog": "rtc-watchdog",
    "stack-overflow": "stack-overflow",
    "stack-overflow-canary": "stack-overflow",
    "stack-overflow-riscv": "stack-overflow",
    "stack-smashing": "stack-overflow",
    "task-watchdog": "task-watchdog",
    "task-watchdog-arduino-colour": "task-watchdog",
    "task-watchdog-reset-code": "task-watchdog",
}
"""The finding of each sample; '' for none."""
STAMPS = (
    b"2026-10-04T10:12:31.1234567Z ",
    b"12:34:56.789 -> ",
    b"12:34:56.789 > ",
    b"[10:12:31]",
    b"2026-10-04 10:12:31 ",
    b"Nov 21 22:04:04 ",
    b"1763762644.123456 ",
    b"2026-11-21T22:04:04+0000 ",
    b"Nov 21 22:04:04 bench picocom[12]: ",
    b"2026-11-21 22:04:04,123 INFO serial: ",
    b"[   12.345678] ",
    b"[Sat Nov 21 22:04:04.123 2026] ",
)


def read(data: bytes, chunk: int = 1 << 16) -> list[Finding]:
    reader, splitter = LogReader(), LineSplitter(4096)
    lines = [line for at in range(0, len(data), chunk) for line in splitter.feed(data[at : at + chunk])]
    for number, line in enumerate([*lines, *splitter.flush()], 1):
        reader.hear(parts(line.text, number))
    return reader.finish()


def log(name: str) -> bytes:
    return (LOGS / f"synthetic-{name}.log").read_bytes()


def names(data: bytes) -> list[str]:
    return [finding.name for finding in read(data)]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_has_its_one_finding(name: str) -> None:
    """Each failure is found by the name of its cause alone; a healthy log is left in peace."""
    assert names(log(name)) == [EXPECTED[name]] * bool(EXPECTED[name])


def test_every_sample_is_judged_and_every_cause_has_one() -> None:
    """No sample lies about unread, and no cause is without a sample."""
    assert sorted(EXPECTED) == sorted(path.stem.removeprefix("synthetic-") for path in LOGS.glob("*.log"))
    assert set(EXPECTED.values()) - {""} == set(CAUSES)


@pytest.mark.parametrize("name", ["panic", "boot-loop", "image-corrupt", "task-watchdog", "build-stale-cache"])
@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r\r\n", b"\n\r"])
def test_line_ends_make_no_difference(name: str, ends: bytes) -> None:
    """LF, CR LF, and what terminals make of them."""
    assert names(log(name).replace(b"\r\n", b"\n").replace(b"\n", ends)) == [EXPECTED[name]]


@pytest.mark.parametrize(
    "name", ["panic", "boot-loop", "brownout", "clean-idf5-esp32s3", "clean-slow-flash-at-power-on"]
)
def test_stamps_of_a_monitor_make_no_difference(name: str) -> None:
    """The stamps of CI services, monitors and IDEs are not part of a line."""
    for stamp in STAMPS:
        stamped = b"".join(stamp + line + b"\n" for line in log(name).split(b"\r\n"))
        assert names(stamped) == [EXPECTED[name]] * bool(EXPECTED[name]), stamp


@pytest.mark.parametrize(
    "text",
    [
        "W (10) cfg: Brownout detector is on, level 7",
        "I (10) app: last reset: BROWNOUT",
        'I (10) help: "Brownout detector was triggered" means a weak supply',
        "I (10) doc: on a panic you see Guru Meditation Error and a backtrace",
        "I (10) crash: last time: Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.",
        'I (10) doc: "abort() was called at PC 0x4037ac4f on core 0" is a panic',
        "I (10) doc: ***ERROR*** A stack overflow in task x has been detected.",
        "W (10) boot: OTA app partition slot 1 is not bootable",
        "I (10) doc: Backtrace: 0x42008f2e:0x3fc9a8e0",
        "I (10) test: all assertions passed, abort() was not called",
        "assert passed: x == 1",
        "I (10) task_wdt: subscribed main",
        "I (10) app: the task watchdog is fed",
        "I (10) app: invalid header: 0x12 in packet 7",
        "E (10) proto: invalid header",
        "I (10) ota: image at 0x110000 has a valid magic byte",
        "I (10) heap: no corrupt heap found",
        "E (10) esp_core_dump_flash: Core dump flash config is corrupted! CRC=0x7bd5c66f instead of 0x0",
        "E (10) wifi: flash read error counter 0",
        "Rebooting...",
        "E (10) cpu_start: Failed to init external RAM; continuing without it.",
        "E (10) octal_psram: PSRAM chip is not connected, or wrong PSRAM line mode",
        "W (10) spi_flash: Detected size(8192k) larger than the size in the binary image header(2048k).",
        "Backtrace: 0x42008f2e:0x3fc9a8e0 0x42009a49:0x3fc9a900",
        "Warning: The smallest app partition is nearly full (0% free space left)!",
        "     iram0_0_seg:       98304 B       128 KB     75.00%",
        "I (10) app: Error: app partition is too small for binary lamp.bin size 0x1300a0:",
        "I (10) app: rst:0x7 is the task watchdog's code",
        "SHA-256 comparison failed:",
        "E (291) quad_psram: PSRAM ID read error: 0x00ffffff, PSRAM chip not found or not supported",
        "ESP_ERROR_CHECK_WITHOUT_ABORT failed: esp_err_t 0x103 (ESP_ERR_INVALID_STATE) at 0x42007f3c",
        "2: eth0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500",
        "usb0: NO-CARRIER is what ip link says without a board",
        "-- Building ESP-IDF components for target esp32s3; idf.py was found",
        "    include($ENV{IDF_PATH}/tools/cmake/project.cmake)",
        "-- Found assembler: xtensa-esp32-elf-gcc",
        "  /opt/xtensa-esp-elf/bin/xtensa-esp32s3-elf-gcc -Os -c main.c",
        "-- CMakeCache.txt is up to date",
        "-- component_hash of espressif__tinyusb is unchanged",
        "main/usb.c:70:9: warning: unused variable 'x' in a call of esp_netif_dhcpc_option",
        "   70 |     esp_netif_dhcpc_option(netif, ESP_NETIF_OP_SET, &dns);",
    ],
)
def test_a_line_that_only_mentions_a_failure_is_none(text: str) -> None:
    """Words in a sentence, in a name or in a quotation do not make a finding."""
    assert names(f"I (5) app: starts\n{text}\nI (20) app: goes on\n".encode()) == []


def test_two_causes_at_two_times_are_two_findings() -> None:
    """A board that once browned out and later overran a stack has two things wrong."""
    healthy = b"\r\n".join(b"I (%d) lamp: tick" % (40_000 + ms) for ms in range(100))
    data = log("brownout-idf5") + healthy + b"\r\n" + log("stack-overflow")
    assert names(data) == ["brownout", "stack-overflow"]


def test_a_failure_that_comes_again_is_one_finding_with_its_count() -> None:
    """Ten panics hours apart are one finding, not ten and no loop."""
    hours = b"I (7200000) lamp: still here\r\n"
    once = log("panic").split(b"Guru")
    data = b"".join(once[0] + hours + b"Guru" + once[1] for _ in range(10))
    (finding,) = read(data)
    assert finding.name == "panic"
    assert finding.supports[-1].text == "10 times in all, the last"


def test_a_board_that_starts_in_the_end_has_no_trouble_to_load() -> None:
    """A blank chip that was flashed later, and a flash that was slow once, are mended."""
    assert names(log("invalid-header") + log("clean-idf5-esp32s3")) == []
    assert names(log("clean-idf5-esp32s3") + log("invalid-header")) == ["invalid-header"]


def test_a_finding_quotes_its_lines_with_their_numbers() -> None:
    """The whole text, in the layout of the findings that pytest prints."""
    (finding,) = read(log("boot-loop"))
    assert finding.text(0).splitlines()[:6] == [
        "finding   boot-loop: the board starts over and over",
        "  for         line 54  the panic handler says why, after 315 ms: "
        "Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.",
        "  for         line 62  the address: "
        "EXCVADDR: 0x00000010  LBEG    : 0x400570e8  LEND    : 0x400570f3  LCOUNT  : 0x00000000",
        "  for         line 65  backtrace: "
        "Backtrace: 0x42008f2e:0x3fc9a8e0 0x42009a49:0x3fc9a900 0x4037b2c5:0x3fc9a930",
        "  for         line 75  the reset that followed: rst:0xc (RTC_SW_CPU_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)",
        "  for        line 273  4 boots in a row ended within 30 s each, the last: "
        "Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.",
    ]


@PURE
@given(st.binary(max_size=400), st.sampled_from(sorted(EXPECTED)), st.integers(1, 5000))
def test_any_bytes_are_read(noise: bytes, name: str, chunk: int) -> None:
    """Nothing raises, what is printed can be shown, and the chunks in which a log comes make no difference."""
    data = noise + b"\n" + log(name)[: len(noise) * 40] + noise
    texts = [finding.text(0) for finding in read(data)]
    assert texts == [finding.text(0) for finding in read(data, chunk)]
    assert all(line.isprintable() for text in texts for line in text.splitlines())


@PURE
@given(st.data())
def test_cutting_a_log_anywhere_leaves_no_other_cause(data: st.DataObject) -> None:
    """A log that ends early shows its cause, less of it, or nothing."""
    name = data.draw(st.sampled_from(sorted(EXPECTED)))
    whole = log(name)
    found = set(names(whole[: data.draw(st.integers(0, len(whole)))]))
    less = {"boot-loop": {"panic", "abort"}, "stack-overflow": {"panic", "abort"}, "image-corrupt": {"no-bootable-app"}}
    also = {
        "heap-corruption": {"assert-failed"},
        "dhcpc-option-misused": {"abort"},
        "no-bootable-app": {"image-corrupt"},
    }
    mended = {"clean-slow-flash-at-power-on": {"flash-read-error"}, "clean-build": {"esp-idf-not-exported"}}
    cause = EXPECTED[name]
    allowed = {cause} | less.get(cause, set()) | also.get(cause, set()) | mended.get(name, set())
    assert found <= allowed | ({"no-carrier"} if name == "clean-ip-link" else set())
