"""The board's HTTP server, and what it tells of the board."""

import re
from itertools import pairwise

from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, seen
from hil.diagnosis.window import Window
from hil.expect import contains, regex
from hil.timeline.events import (
    BoardPanicked,
    DhcpDiscover,
    DhcpOffer,
    Event,
    HttpFailed,
    HttpReply,
    SerialLine,
    StreamClosed,
    StreamComment,
    StreamLine,
    StreamOpened,
    UsbDetached,
)

RECORDED = r"^=== CRITICAL EVENTS \((\d+) recorded\) ==="
DISCARDED = "EVENTS DISCARDED ==="
LOG_BEGINS = r"^\s*[EWIDV] \(\d+\) [\w.-]+: "
"""A body that is a dump of ESP-IDF's log."""
TOLD = r"^[EWIDV] \(\d+\) (http|httpd\w*): "
"""A line of log that a request has left."""
AT_LENGTH = 5
"""Lines of log that one request leaves; one is usual."""
MANY = 3
"""DISCOVERs on the wire between two readings; one may be lost before the firmware sees it."""


def _log_stream_blocks_http(window: Window) -> Sides | None:
    """A request that was begun and ended while a log stream was open got no answer."""
    streams = (_blocked_by(window, opened) for opened in window.all(StreamOpened(status=200)))
    return next((sides for sides in streams if sides is not None), None)


def _blocked_by(window: Window, opened: Event) -> Sides | None:
    during = window.after(opened)
    closed = during.first(StreamClosed())
    during = during.until(closed) if closed is not None else during
    unanswered = next((e for e in during.all(HttpFailed(reason="timeout")) if _begun_ns(e) >= opened.t_ns), None)
    if unanswered is None:
        return None
    alive = [event for kind in (StreamLine(), StreamComment()) for event in during.all(kind)]
    supports = [
        Evidence("a log stream is open", opened),
        Evidence("meanwhile another request is not answered", unanswered),
        *seen("the board goes on talking on the stream", max(alive, key=lambda event: event.t_ns, default=None)),
        *seen("no other request is answered before the stream is closed", closed),
    ]
    answered = next((e for e in during.all(HttpReply()) if _begun_ns(e) >= opened.t_ns), None)
    contradicts = [
        *seen("another request is answered while the stream is open", answered),
        *seen("the board left the bus", during.first(UsbDetached())),
        *seen("the board panicked", during.first(BoardPanicked())),
    ]
    return supports, contradicts


def _begun_ns(event: Event) -> int:
    """When the request was sent that ended so."""
    assert isinstance(event, HttpFailed | HttpReply)
    return int(event.t_ns - event.took_s * 1e9)


def _status_body_empty(window: Window) -> Sides | None:
    """200, JSON by its content type, and no body."""
    empty = window.first(HttpReply(status=200, method="GET", content_type=contains("json"), body=""))
    return None if empty is None else ([Evidence("the answer says JSON and has no body", empty)], [])


def _event_log_saturated(window: Window) -> Sides | None:
    """Two readings of the event log are equally long although the wire went on, and none says that it is full."""
    readings = window.all(HttpReply(status=200, method="GET", body=regex(RECORDED)))
    pairs = (_stands_still(window, one, other) for one, other in pairwise(readings))
    return next((sides for sides in pairs if sides is not None), None)


def _stands_still(window: Window, one: Event, other: Event) -> Sides | None:
    between = window.after(one).until(other)
    asked = between.all(DhcpDiscover(sender="host"))
    known = "DHCP_DISCOVER_RX" in _body(one)
    if _recorded(one) != _recorded(other) or not known or len(asked) < MANY or between.blind("packet"):
        return None
    supports = [
        Evidence(f"the event log has {_recorded(one)} entries, DHCP_DISCOVER_RX among them", one),
        Evidence(f"then the host asks {len(asked)} times, first", asked[0]),
        *seen("and the board hears it: it answers", between.first(DhcpOffer(sender="board"))),
        Evidence(f"the event log still has {_recorded(other)} entries", other),
        Evidence("it does not say that it is full"),
    ]
    told = next((reading for reading in (one, other) if DISCARDED in _body(reading)), None)
    contradicts = [
        *seen("it says how many events it discarded", told),
        *seen("the board started over", between.first(UsbDetached())),
    ]
    return supports, contradicts


def _body(reading: Event) -> str:
    assert isinstance(reading, HttpReply)
    return str(reading.body)


def _recorded(reading: Event) -> int:
    found = re.match(RECORDED, _body(reading))
    assert found is not None
    return int(found[1])


def _requests_fill_log(window: Window) -> Sides | None:
    """Between two readings of the log its first line has gone, and most lines that came are those of requests."""
    readings = window.all(HttpReply(status=200, method="GET", body=regex(LOG_BEGINS)))
    for index, one in enumerate(readings):
        pushed = next((each for each in readings[index + 1 :] if _first_line(one) not in _body(each)), None)
        sides = _pushed_out(window, one, pushed) if pushed is not None else None
        if sides is not None:
            return sides
    return None


def _pushed_out(window: Window, one: Event, other: Event) -> Sides | None:
    between = window.after(one).until(other)
    requests = between.all(HttpReply())
    told = between.all(SerialLine(source="console", text=regex(TOLD))) or between.all(SerialLine(text=regex(TOLD)))
    if len(told) < AT_LENGTH * len(requests):
        return None
    supports = [
        Evidence(f"the log begins with {_first_line(one)!r}", one),
        Evidence(f"then {len(requests)} requests leave {len(told)} lines, the last", told[-1]),
        Evidence(f"now it begins with {_first_line(other)!r}", other),
    ]
    return supports, seen("the board started over", between.first(UsbDetached()))


def _first_line(reading: Event) -> str:
    return next((line for line in _body(reading).splitlines() if line.strip()), "")


HTTP_SIGNATURES: tuple[Signature, ...] = (
    Signature(
        name="log-stream-blocks-http",
        title="while one client reads the log stream, nobody else is answered",
        look=_log_stream_blocks_http,
        cause="the handler of the stream loops inside the server's one task, which serves nobody else until it ends.",
        remedy="hand the request on with httpd_req_async_handler_begin() and stream from a task of its own, as many as "
        "max_open_sockets leaves room for.",
        source="mcu-apple-bridge main/http_server.c at 0d5a385; ESP-IDF components/esp_http_server/src/httpd_main.c",
    ),
    Signature(
        name="status-body-empty",
        title="the board answers 200 to a question for its state, and says nothing",
        look=_status_body_empty,
        cause="the handler did not get the lock of the event log in time and sent what it had, which was nothing.",
        remedy="answer 503 where the state cannot be read, or wait for the lock; an empty body is no JSON.",
        source="mcu-apple-bridge main/event_log.c at 0d5a385",
    ),
    Signature(
        name="event-log-saturated",
        title="the event log is full and does not say so",
        look=_event_log_saturated,
        cause="the log has no room for more and drops entries without a count: what it lacks proves nothing any more.",
        remedy="count what is dropped and say so in the log, or keep the latest entries instead of the first.",
        source="mcu-apple-bridge main/event_log.c at 0d5a385: 30 entries",
    ),
    Signature(
        name="requests-fill-log",
        title="who asks the board pushes out of its log what he asks for",
        look=_requests_fill_log,
        cause="each request leaves a block of lines in a ring that has room for a few hundred.",
        remedy="log a request in one line at most, and none of those that read the board's state.",
        source="mcu-apple-bridge main/http_server.c at 0d5a385: 13 lines for each GET of /",
    ),
)
"""What can be wrong with HTTP."""
