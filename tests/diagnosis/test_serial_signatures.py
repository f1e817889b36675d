"""A log that does not come, and one that does not come whole."""

import pytest
from msgspec.structs import replace

from hil.diagnosis import diagnose
from hil.diagnosis.serial_signatures import SERIAL_SIGNATURES
from hil.timeline.events import CaptureGap, Event, HttpReply, SerialLine, SerialOpened, UsbAttached, UsbControl

OURS = {signature.name for signature in SERIAL_SIGNATURES}
END_S = 10.0
GET = HttpReply("/", 200, "GET", "text/html", "<html>", 0.02)


def at(t_s: float, event: Event, source: str) -> Event:
    return replace(event, t_ns=round(t_s * 1e9), t_err_ns=0, board="s3-a", source=source)


def names(events: list[Event]) -> list[str]:
    found = diagnose(events, "s3-a", 0, round(END_S * 1e9))
    return [finding.name for finding in found if finding.name in OURS]


def line(t_s: float, text: str, source: str) -> Event:
    return at(t_s, SerialLine(text, 0, len(text) + 1, True), source)


def opened(dtr: bool = True) -> list[Event]:
    return [
        at(1.0, UsbAttached("1-1", 0x303A, 0x4001), "uevent"),
        at(1.4, SerialOpened("/dev/ttyACM0", dtr), "serial"),
        at(1.4, UsbControl("SET_CONTROL_LINE_STATE", 3 if dtr else 0, 0, 0, 0, ""), "usbmon"),
        line(1.6, "I (800) main: [BOOT 6/7] Redirecting logs to USB CDC", "console"),
    ]


def served() -> list[Event]:
    return [at(5.0, GET, "http"), line(4.99, "I (4200) http: GET /", "console")]


def test_a_port_that_never_speaks_is_named() -> None:
    """DTR is high, HTTP answers, the console goes on."""
    assert names([*opened(), *served()]) == ["serial-silent"]


@pytest.mark.parametrize(
    "events",
    [
        [*opened(dtr=False), *served()],
        opened(),
        [*opened(), at(9.5, GET, "http"), line(9.5, "I (8700) http: GET /", "console")],
        [*opened(), *served(), line(9.9, "I (4200) http: GET /", "serial")],
        [*opened(), *served(), at(2.0, CaptureGap("serial", "the port is gone", -1), "harness")],
        [*opened(), at(5.0, GET, "http"), line(5.0, "ESP-ROM:esp32s3-20210327", "console")],
        [
            *opened(),
            at(5.0, GET, "http"),
            replace(line(5.5, "I (26) boot: ESP-IDF", "console"), t_err_ns=2_000_000_000),
        ],
        [*opened(), at(5.0, GET, "http"), line(4.9, "I (4100) main: [BOOT 6/7] Redirecting logs", "console")],
    ],
    ids=["DTR is low", "boot not over", "just now", "late", "blind", "no line of log", "perhaps before", "before HTTP"],
)
def test_what_is_no_silence(events: list[Event]) -> None:
    """Nothing to hear, no time to hear it, or nobody who hears."""
    assert names(events) == []


def test_a_line_before_the_port_was_opened_anew_does_not_count() -> None:
    """The port spoke once; opened again it does not."""
    events = [line(1.5, "I (790) main: Logs now output to USB", "serial"), *opened(), *served()]
    again = at(4.0, SerialOpened("/dev/ttyACM0", True), "serial")
    assert names([*events, again]) == ["serial-silent"]


STUMP = "I (5012) http: GE"
TORN = f"{STUMP}W (5300) net: *** USB RESUMED ***"


def test_a_line_that_holds_two_beginnings_is_named() -> None:
    """The console has it whole, or is not there."""
    torn = line(6.0, TORN, "serial")
    assert names([*opened(), torn]) == ["serial-log-cut"]
    assert names([*opened(), torn, line(5.0, f"{STUMP}T /", "console")]) == ["serial-log-cut"]
    assert names([*opened(), line(6.0, "IW (5300) net: *** USB RESUMED ***", "serial")]) == ["serial-log-cut"]


@pytest.mark.parametrize(
    "events",
    [
        [line(6.0, TORN, "serial"), line(6.0, TORN, "console")],
        [line(6.0, TORN, "console")],
        [line(6.0, "I (5012) http: W (x) no time: a text", "serial")],
        [line(6.0, "GE", "serial"), line(6.1, "W (5300) net: *** USB RESUMED ***", "serial")],
        [line(6.0, "W (5300) cdc: 12 log lines lost", "serial")],
    ],
    ids=["the firmware wrote it so", "on the console only", "no second beginning", "two lines", "says so"],
)
def test_what_is_no_cut(events: list[Event]) -> None:
    """Two tasks that write into one line, a fragment, and a count of what was lost."""
    assert names([*opened(), *events]) == []
