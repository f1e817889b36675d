"""An HTTP server that blocks, and answers that hide what they do not know."""

import pytest
from msgspec.structs import replace

from hil.diagnosis import diagnose
from hil.diagnosis.http_signatures import HTTP_SIGNATURES
from hil.timeline.events import (
    CaptureGap,
    DhcpDiscover,
    DhcpOffer,
    Event,
    HttpFailed,
    HttpReply,
    SerialLine,
    StreamClosed,
    StreamComment,
    StreamOpened,
    UsbAttached,
    UsbDetached,
)

OURS = {signature.name for signature in HTTP_SIGNATURES}
END_S = 30.0
OPENED = StreamOpened("/logs", 200, "text/event-stream")
CLOSED = StreamClosed("/logs", "released", "after 900 bytes")
UNANSWERED = HttpFailed("/status", "GET", "timeout", 5.0, "reading the reply: 5.0 s have passed, 0 bytes came")


def at(t_s: float, event: Event, source: str = "http") -> Event:
    return replace(event, t_ns=round(t_s * 1e9), t_err_ns=0, board="s3-a", source=source)


def names(events: list[Event]) -> list[str]:
    found = diagnose(events, "s3-a", 0, round(END_S * 1e9))
    return [finding.name for finding in found if finding.name in OURS]


def reply(t_s: float, body: str = "{}", content_type: str = "application/json") -> Event:
    return at(t_s, HttpReply("/status", 200, "GET", content_type, body, 0.05))


def test_a_stream_that_blocks_everybody_is_named() -> None:
    """A request of its own time-out while the stream is open; afterwards the board answers again."""
    events = [reply(0.5), at(1.0, OPENED), at(7.0, UNANSWERED), at(7.1, CLOSED)]
    assert names(events) == ["log-stream-blocks-http"]
    assert names([*events, at(6.5, StreamComment("/logs", "keepalive")), reply(12.0)]) == ["log-stream-blocks-http"]


@pytest.mark.parametrize(
    "events",
    [
        [at(1.0, OPENED), reply(2.0), at(7.2, UNANSWERED), at(7.3, CLOSED)],
        [at(1.0, OPENED), at(5.0, UNANSWERED), at(7.3, CLOSED)],
        [at(1.0, OPENED), at(1.5, CLOSED), at(7.2, UNANSWERED)],
        [at(1.0, replace(OPENED, status=503)), at(7.2, UNANSWERED)],
        [at(1.0, OPENED), at(7.2, replace(UNANSWERED, reason="unreachable")), at(7.3, CLOSED)],
        [at(1.0, OPENED), at(3.0, UsbDetached("1-1"), "uevent"), at(7.2, UNANSWERED)],
        [at(7.2, UNANSWERED)],
    ],
    ids=["another was answered", "asked before", "asked after", "no stream", "no way", "no board", "never opened"],
)
def test_what_is_no_blocking_stream(events: list[Event]) -> None:
    """The request has another reason to fail."""
    assert names(events) == []


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (reply(1.0, ""), ["status-body-empty"]),
        (reply(1.0, "", "text/plain"), []),
        (reply(1.0, "{}"), []),
        (at(1.0, HttpReply("/status", 405, "GET", "application/json", "", 0.1)), []),
        (at(1.0, HttpReply("/status", 200, "HEAD", "application/json", "", 0.1)), []),
    ],
    ids=["empty JSON", "empty text", "an object", "refused", "HEAD"],
)
def test_an_empty_answer_that_says_json_is_named(event: Event, found: list[str]) -> None:
    """Nothing at all is no JSON; other answers may be empty."""
    assert names([event]) == found


def log(t_s: float, recorded: int, discarded: int = 0, name: str = "DHCP_DISCOVER_RX") -> Event:
    lost = f"=== {discarded} EVENTS DISCARDED ===\n" if discarded else ""
    body = f"=== CRITICAL EVENTS ({recorded} recorded) ===\n{lost}\n[   974 ms] {name}\n"
    return at(t_s, HttpReply("/events", 200, "GET", "text/plain", body, 0.05))


def asked(*at_s: float) -> list[Event]:
    there = [at(t, DhcpDiscover(1, "02:00:00:00:00:01", "1,3,6", "", "host"), "packet") for t in at_s]
    back = [at(t + 0.01, DhcpOffer("192.168.7.2", "192.168.7.1", 60, 1, "m", "board"), "packet") for t in at_s]
    return [*there, *back]


def test_an_event_log_that_stands_still_is_named() -> None:
    """Thirty entries, three questions and their answers, thirty entries."""
    assert names([*asked(1.0), log(2.0, 30), *asked(3.0, 4.0, 5.0), log(6.0, 30)]) == ["event-log-saturated"]


@pytest.mark.parametrize(
    "events",
    [
        [log(2.0, 30), *asked(3.0, 4.0, 5.0), log(6.0, 36)],
        [log(2.0, 30), *asked(3.0, 4.0, 5.0), log(6.0, 30, discarded=6)],
        [log(2.0, 30, discarded=6), *asked(3.0, 4.0, 5.0), log(6.0, 30, discarded=12)],
        [log(2.0, 30), *asked(3.0), log(6.0, 30)],
        [log(2.0, 30, name="USB_MOUNTED"), *asked(3.0, 4.0, 5.0), log(6.0, 30, name="USB_MOUNTED")],
        [log(2.0, 30), *asked(3.0, 4.0, 5.0), at(4.0, CaptureGap("packet", "lost", 0.1)), log(6.0, 30)],
        [log(2.0, 9), at(2.5, UsbDetached("1-1"), "uevent"), *asked(3.0, 4.0, 5.0), log(6.0, 9)],
        [
            log(2.0, 9),
            at(2.7, UsbAttached("1-1", 0x303A, 0x4001), "uevent"),
            *asked(3.0, 4.0, 5.0),
            log(6.0, 9),
        ],
    ],
    ids=["grows", "says so", "says how much more", "little happened", "other events", "blind", "rebooted", "anew"],
)
def test_what_is_no_saturated_log(events: list[Event]) -> None:
    """It grows, says that it is full, or had nothing to record."""
    assert names(events) == []


def dump(t_s: float, begins_ms: int) -> Event:
    body = "".join(f"I ({ms}) net: line\n\n" for ms in range(begins_ms, begins_ms + 50))
    return at(t_s, HttpReply("/logs_all", 200, "GET", "text/plain", body, 0.05))


def lines(count: int, tag: str = "http", source: str = "console") -> list[Event]:
    """What is logged between 2 s and 3 s."""
    texts = (f"I ({number}) {tag}: | Method: GET" for number in range(count))
    return [at(2.0 + i / count, SerialLine(text, 0, 30, True), source) for i, text in enumerate(texts)]


QUESTIONS = [reply(2.1), reply(2.5), reply(2.9)]


@pytest.mark.parametrize("source", ["console", "serial"])
def test_a_log_that_requests_fill_is_named(source: str) -> None:
    """Ten lines for each of three requests, and what the log began with is gone."""
    filled = lines(40, source=source)
    assert names([dump(1.0, 100), *filled, *QUESTIONS, dump(4.0, 400)]) == ["requests-fill-log"]


@pytest.mark.parametrize(
    "events",
    [
        [*lines(40), *QUESTIONS, dump(4.0, 100)],
        [*lines(3), *QUESTIONS, dump(4.0, 400)],
        [*lines(40, "net"), *QUESTIONS, dump(4.0, 400)],
        [*lines(40), *QUESTIONS, at(3.0, UsbDetached("1-1"), "uevent"), dump(4.0, 400)],
        [*lines(40), *QUESTIONS],
    ],
    ids=["kept", "a line each", "of other things", "started over", "read once"],
)
def test_a_log_that_runs_on_is_not_named(events: list[Event]) -> None:
    """It holds what it held, or other things than requests have filled it."""
    assert names([dump(1.0, 100), *events]) == []
