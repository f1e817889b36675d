"""Bodies of /events."""

from pathlib import Path

import pytest

from hil.diagnosis.text.events_body import SHOWN, diagnose_events
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
    (finding,) = diagnose_events(body("no-carrier"), 10)
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
