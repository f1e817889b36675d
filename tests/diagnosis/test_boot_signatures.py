"""Boards that panic or start over while a test runs."""

from pathlib import Path

from msgspec.structs import replace

from hil.diagnosis import diagnose
from hil.diagnosis.boot_signatures import BOOT_SIGNATURES
from hil.diagnosis.finding import Finding
from hil.timeline.events import Acted, BoardPanicked, BootMessage, Event, SerialLine, UsbAttached, UsbControl

LOGS = Path(__file__).parents[2] / "fixtures" / "logs"
END_NS = 60_000_000_000


def at(t_s: float, event: Event, source: str = "console") -> Event:
    return replace(event, t_ns=round(t_s * 1e9), t_err_ns=0, board="s3-a", source=source)


def lines(name: str, step_s: float = 0.01, source: str = "console", start_s: float = 1.0) -> list[Event]:
    """A sample log as a port's lines, one every ``step_s``."""
    texts = (LOGS / f"synthetic-{name}.log").read_text(errors="replace").splitlines()
    made = [SerialLine(text, number, len(text) + 2, True) for number, text in enumerate(texts)]
    return [at(start_s + number * step_s, line, source) for number, line in enumerate(made)]


def findings(events: list[Event], until_ns: int = END_NS) -> list[Finding]:
    """Those of this table; what others make of a board without a host is not asked here."""
    ours = {signature.name for signature in BOOT_SIGNATURES}
    return [finding for finding in diagnose(events, "s3-a", 0, until_ns) if finding.name in ours]


def names(events: list[Event]) -> list[str]:
    return [finding.name for finding in findings(events)]


def test_a_panic_a_loop_a_brownout_and_a_watchdog_are_found_while_a_test_runs() -> None:
    """By the names that they have in a plain log, one each."""
    for name in ("panic", "boot-loop", "brownout", "task-watchdog", "invalid-header", "stack-overflow"):
        assert names(lines(name)) == [name]
    assert names(lines("clean-idf5-esp32s3")) == []


def test_what_a_board_in_a_loop_does_not_get_round_to_is_not_told_beside_it() -> None:
    """No answer to a control request for 5 s is a finding of its own, unless the board starts over all the time."""
    waited = [
        at(0.5, UsbAttached("1-1", 0x303A, 0x4001), "uevent"),
        at(0.9, UsbControl("SET_CONFIGURATION", 1, 0, 0, -2, "", 5.0), "usbmon"),
    ]
    assert [finding.name for finding in diagnose(waited, "s3-a", 0, END_NS)] == ["usb-task-starved"]
    both = diagnose([*waited, *lines("boot-loop", 0.01)], "s3-a", 0, END_NS)
    assert [finding.name for finding in both] == ["boot-loop"]


def test_each_cause_of_a_board_is_a_signature_of_its_own() -> None:
    """What a log shows, a live test shows; carrier is the host's to see."""
    expected = {"brownout", "boot-loop", "panic", "task-watchdog", "interrupt-watchdog", "rtc-watchdog", "abort"}
    assert expected <= {signature.name for signature in BOOT_SIGNATURES}
    assert "no-carrier" not in {signature.name for signature in BOOT_SIGNATURES}


def test_the_evidence_is_the_event_of_the_line() -> None:
    """It is dated by the host and names the port."""
    (finding,) = findings(lines("panic"))
    first = finding.text(0).splitlines()[1]
    assert first.startswith(
        '  for        +1.550 s  the panic handler says why: console SerialLine(text="Guru Meditation'
    )


def test_another_boards_lines_are_not_ours() -> None:
    """Two boards in one timeline."""
    assert names([replace(event, board="s3-b") for event in lines("panic")]) == []


def test_two_ports_of_one_board_are_read_apart() -> None:
    """A panic on the console between the lines of the USB port, and one finding where both show it."""
    assert names([*lines("panic"), *lines("clean-idf5-esp32s3", source="serial")]) == ["panic"]
    (finding,) = findings([*lines("panic"), *lines("panic", source="serial", start_s=9.0)])
    assert finding.name == "panic"
    assert "times in all" not in finding.text(0)


def test_boots_far_apart_are_no_loop() -> None:
    """The host's clock tells how long a boot lasted."""
    assert names(lines("boot-loop", 0.01)) == ["boot-loop"]
    assert [finding.name for finding in findings(lines("boot-loop", 1.0), 10 * END_NS)] == ["panic"]


def boots(count: int, *between: Event) -> list[Event]:
    """Software resets, two seconds apart."""
    rom = SerialLine("rst:0xc (RTC_SW_CPU_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)", 0, 57, True)
    loaded = SerialLine("I (170) boot: Loaded app from partition at offset 0x10000", 57, 60, True)
    return [
        at(2 * number + shift, event, "action" if isinstance(event, Acted) else "console")
        for number in range(count)
        for shift, event in ((1.0, rom), (1.2, loaded), *((1.9, event) for event in between))
    ]


def test_resets_that_the_test_asked_for_are_no_loop() -> None:
    """An action that a board can see, or one that is called a reset, explains the next reset; traffic does not."""
    assert names(boots(5)) == ["boot-loop"]
    assert names(boots(5, Acted("plug", "vbus_off", ""))) == []
    assert names(boots(5, Acted("http_get", "traffic", "/reset over usb"))) == []
    assert names(boots(5, Acted("http_get", "traffic", "/status over usb"))) == ["boot-loop"]


def test_what_was_recognised_counts_where_its_line_was_not_kept() -> None:
    """A timeline of boot messages and panics alone; beside the lines themselves they are not counted twice."""
    panicked = BoardPanicked("LoadProhibited", 0, "0x42008f2e:0x3fc9a8e0")
    rom = BootMessage("rom", "rst:0xc (RTC_SW_CPU_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)", "RTC_SW_CPU_RST")
    events = [at(number + shift, each) for number in range(4) for shift, each in ((0.1, rom), (0.5, panicked))]
    assert names(events) == ["boot-loop"]
    assert names([at(1, BoardPanicked("abort() was called at PC 0x42008a3f on core 1", 1, ""))]) == ["abort"]
    assert names([*lines("panic"), at(2, panicked)]) == ["panic"]
    (finding,) = findings([*lines("panic"), at(2, panicked)])
    assert "times in all" not in finding.text(0)
