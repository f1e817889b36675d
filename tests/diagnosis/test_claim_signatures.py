"""Claims that are of an earlier cycle, and those that are not."""

from hil.testing.handmade import action, asked, at, attached, detached, names, said
from hil.timeline.events import CaptureGap, Event

REPLUGGED = [*action(0.1, "unplug", "vbus_off"), detached(0.2), *action(1.1, "plug", "vbus_off"), attached(2.0)]
HEARD = said(4.0, "DHCP_DISCOVER_RX", "", 2900, via="events")


def claims(*events: Event) -> list[str]:
    return [name for name in names([*REPLUGGED, *events]) if name == "claims-from-earlier-cycle"]


def test_a_question_that_the_host_has_not_asked_is_named() -> None:
    """The board says that it heard a DISCOVER, the wire has none since the replug."""
    assert claims(HEARD) == ["claims-from-earlier-cycle"]


def test_the_lost_offer_that_it_seems_to_be_is_not_named_beside_it() -> None:
    """An OFFER that nobody asked for is no OFFER that was lost."""
    offered = said(4.01, "DHCP_OFFER_TX", "", 2901, via="events")
    assert names([*REPLUGGED, HEARD, offered]) == ["claims-from-earlier-cycle"]


def test_what_only_such_a_log_says_is_not_concluded() -> None:
    """A mount of one cycle and a recovery of another are no recovery that came too early; the console is believed."""
    mixed = [("USB_MOUNTED", "", 2629), ("USB_RECOVER", "attempt 1", 3400)]
    for via, expected in (("events", set()), ("console", {"recovery-timer-underflow"})):
        told = [said(5.0 + ms / 1e3, name, detail, ms, via=via) for name, detail, ms in mixed]
        found = names([*REPLUGGED, HEARD, *told, detached(8.5)])
        assert {"recovery-timer-underflow"} & set(found) == expected
        assert "claims-from-earlier-cycle" in found


def test_a_question_that_was_asked_is_not_named() -> None:
    """The claim is of this cycle."""
    assert claims(*asked(3.9), HEARD) == []


def test_a_claim_of_before_the_replug_is_not_named() -> None:
    """The log of a board that keeps its supply says when it was."""
    assert claims(said(-3.0, "DHCP_DISCOVER_RX", "", 100, via="events")) == []


def test_a_claim_of_unknown_time_proves_nothing() -> None:
    """It may be of before."""
    undated = at(4.0, said(4.0, "DHCP_DISCOVER_RX", via="events"), "http", t_err_s=6.0)
    assert claims(undated) == []


def test_a_wire_that_was_not_seen_proves_nothing() -> None:
    """The question may have been lost by the capture."""
    assert claims(HEARD, at(3.0, CaptureGap("packet", "ring overflowed", 1.0), "harness")) == []
