"""Bodies of /events."""

from pathlib import Path

import pytest

from hil.diagnosis.text.events_body import SHOWN, EventsBody, diagnose_events
from hil.diagnosis.text.line import parts
from hil.errors import WireError

LOGS = Path(__file__).parents[3] / "fixtures" / "logs"


def body(name: str) -> bytes:
    return (LOGS / f"synthetic-events-{name}.txt").read_bytes()


def names(data: bytes) -> list[str]:
    return [finding.name for finding in diagnose_events(data)]


def test_each_sample_has_its_finding() -> None:
    """A host that was never heard, a server that never answered, and a handshake."""
    assert [*names(body("no-carrier")), *names(body("server-silent"))] == ["no-carrier", "dhcp-server-silent"]
    assert names(body("clean")) == []
    assert set(SHOWN) == {"no-carrier", "dhcp-server-silent"}


def test_the_flag_is_quoted_where_it_stands() -> None:
    """Line numbers count from where the body begins in its file."""
    (finding,) = diagnose_events(body("no-carrier"), range(10, 31))
    quotes = [(each.quote.number, each.quote.text) for each in finding.supports if each.quote is not None]
    assert quotes == [
        (13, "[   663 ms] USB_MOUNTED"),
        (14, "[   921 ms] NCM_LINK_UP: stack_ready_kick_up"),
        (23, "FIRST_RX: NO"),
    ]


def test_one_question_may_still_be_answered() -> None:
    """A single DISCOVER without an answer is no silence."""
    assert names(body("server-silent").replace(b"[  2011 ms] DHCP_DISCOVER_RX\n", b"")) == []


def test_an_answer_that_was_tried_is_no_silence() -> None:
    """A failed send has another cause."""
    assert names(body("server-silent").replace(b"[  2011 ms]", b"[  1000 ms] TX_FAILED: ESP_FAIL\n[  2011 ms]")) == []


def test_a_board_without_a_cable_has_no_carrier_to_miss() -> None:
    """Only a mounted board can be missed by its host."""
    assert names(body("no-carrier").replace(b"USB_MOUNTED: YES", b"USB_MOUNTED: NO")) == []


def test_a_body_that_was_cut_off_is_an_error() -> None:
    """Absence in half a body proves nothing."""
    with pytest.raises(WireError, match="cut off"):
        diagnose_events(body("no-carrier")[:90])


def heard(text: bytes) -> EventsBody:
    found = EventsBody()
    for number, line in enumerate(text.decode().split("\n"), 1):
        found.hear(parts(line, number))
    return found


def found_in(text: bytes) -> list[str]:
    return [finding.name for finding in heard(text).findings(False)]


LOG = b"I (310) main_task: Calling app_main()\n"


def test_a_body_is_found_among_other_lines() -> None:
    """Alone, behind the head of a reply, indented, in the middle of a log; the numbers are the file's."""
    for before in (b"", b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", b"\n  ", LOG * 900):
        assert found_in(before + body("no-carrier") + LOG * 900) == ["no-carrier"]
    (finding,) = heard(LOG * 900 + body("no-carrier")).findings(False)
    assert [each.quote.number for each in finding.supports if each.quote] == [904, 905, 914]


def test_of_two_bodies_the_last_counts() -> None:
    """What a board had not heard yet it may have heard since."""
    assert found_in(body("no-carrier") + LOG + body("clean")) == []
    assert found_in(body("clean") + LOG + body("no-carrier")) == ["no-carrier"]


def test_half_a_body_is_an_error_only_where_it_is_all_there_is() -> None:
    """In a log, or beside another finding, it costs nothing but itself."""
    half = body("no-carrier")[:90]
    assert found_in(LOG + half) == []
    assert heard(half).findings(True) == []
    with pytest.raises(WireError, match="cut off"):
        found_in(half + LOG)
    with pytest.raises(WireError, match="at most"):
        found_in(half + LOG * 40_000)
    assert found_in(LOG) == []
