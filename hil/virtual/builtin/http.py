"""Faults of the HTTP server, and of what it has to tell."""

from dataclasses import replace

from hil.virtual.core_abi import FirmwareConfig
from hil.virtual.faults import Fault
from hil.virtual.firmware import HttpResponse


class LogStreamBlocksHttp(Fault):
    """While one client reads the log stream nobody else is answered: they connect, and wait.

    Source: the handler of ``/logs`` in mcu-apple-bridge at 0d5a385 loops inside the one task of ``esp_http_server``
    instead of handing the request on (``httpd_req_async_handler_begin``).

    Finding: requests time out while a log stream is open, and are answered before or after it.
    """

    name = "log-stream-blocks-http"

    def http(self, method: str, path: str, answer: HttpResponse) -> HttpResponse:
        return replace(answer, blocks=True) if answer.stream else answer


class StatusEmptyBody(Fault):
    """GET /status is answered 200 without a body.

    Source: mcu-apple-bridge at 0d5a385 gives up on the event log's mutex after 100 ms and sends what it has so far,
    which is nothing (``event_log.c``).

    Finding: a reply with status 200 and an empty body from the path that promises JSON.
    """

    name = "status-empty-body"

    def http(self, method: str, path: str, answer: HttpResponse) -> HttpResponse:
        return replace(answer, body=b"") if path == "/status" and answer.status == 200 else answer


class EventLogSaturated(Fault):
    """The event log holds 30 entries, and everything after them is thrown away without a word.

    Source: mcu-apple-bridge at 0d5a385, ``event_log.c``: the entry is dropped, its flag is still set, and the header
    stops at 30; a healthy link with its renewals fills the log in about five minutes.

    Finding: the wire goes on, and two readings of the event log with traffic between them are the same.
    """

    name = "event-log-saturated"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, event_capacity=30, event_discards_hidden=1)


class RequestsToldAtLength(Fault):
    """Each request leaves ten lines in the log, whose ring has room for 200: who asks pushes out what he asks for.

    Source: mcu-apple-bridge at 0d5a385 prints a block for each request, 13 lines for ``/`` (``main/http_server.c``).

    Finding: between two readings of the log its beginning is gone, and the lines that came are those of requests.
    """

    name = "requests-told-at-length"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, requests_told_at_length=1)


HTTP_FAULTS: tuple[type[Fault], ...] = (LogStreamBlocksHttp, StatusEmptyBody, EventLogSaturated, RequestsToldAtLength)
