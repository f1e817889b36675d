"""Claims that are of an earlier cycle, and those that are not."""

import pytest

from hil.testing.handmade import action, arp, asked, at, attached, detached, names, said, told_of_link
from hil.timeline.events import (
    ArpReply,
    ArpRequest,
    BoardSaid,
    CaptureGap,
    DhcpAck,
    DhcpOffer,
    DhcpRequest,
    Event,
    HttpReply,
    SerialLine,
)

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


# ---- DHCP told by its ports

CLIENT = "36:85:18:55:dc:27"
OFFER = at(3.02, DhcpOffer("192.168.7.2", "192.168.7.1", 60, 1, CLIENT, "board"), "packet")
REQUEST = at(3.05, DhcpRequest("192.168.7.2", "192.168.7.1", 1, CLIENT, "1,3", "host"), "packet")
ACK = at(3.1, DhcpAck("192.168.7.2", "192.168.7.1", 60, 1, CLIENT, "board"), "packet")
HANDSHAKE = [attached(1.0), *asked(3.0), OFFER, REQUEST, ACK]


def told(*claims: tuple[str, int], boot_s: float = 0.0) -> list[BoardSaid]:
    """Entries of the event log of a board that started ``boot_s`` into the window."""
    return [said(boot_s + ms / 1e3, name, "", ms, via="events") for name, ms in claims]


BY_PORT = told(("DHCP_DISCOVER_RX", 3005), ("DHCP_OFFER_TX", 3021), ("DHCP_DISCOVER_RX", 3051), ("DHCP_OFFER_TX", 3101))


def test_a_handshake_that_is_told_by_its_ports_is_named() -> None:
    """Two OFFERs in the log, one OFFER and one ACK on the wire; however often the log was read."""
    assert names([*HANDSHAKE, *BY_PORT]) == ["dhcp-claims-by-port"]
    assert names([*HANDSHAKE, *BY_PORT, *BY_PORT]) == ["dhcp-claims-by-port"]


@pytest.mark.parametrize(
    "events",
    [
        [*HANDSHAKE, *BY_PORT[:2]],
        [*HANDSHAKE, *BY_PORT[:3], *told(("DHCP_OFFER_TX", 3101), ("DHCP_ACK_TX", 3102))],
        [*HANDSHAKE[:-1], *BY_PORT],
        [*HANDSHAKE, *BY_PORT, at(3.0, CaptureGap("packet", "ring overflowed", 1.0), "harness")],
    ],
    ids=["the log is not so far", "the ACK is told", "no ACK on the wire", "blind"],
)
def test_what_is_not_told_by_its_ports(events: list[Event]) -> None:
    """As many OFFERs as there were, an ACK by its name, or a wire that shows none."""
    assert "dhcp-claims-by-port" not in names(events)


# ---- frames that were thrown away

LATE = told(("DHCP_DISCOVER_RX", 2010), ("NETIF_READY", 4000))


def test_a_question_that_is_told_and_thrown_away_is_named() -> None:
    """Heard at 2.0 s of the board's time, ready at 4.0 s; that the link was early is part of it."""
    early = [attached(1.0), *told_of_link(1.5, up=True), *asked(2.0, 3.0), *LATE]
    assert names(early) == ["discarded-frames-claimed"]


@pytest.mark.parametrize(
    "claims",
    [
        told(("NETIF_READY", 1500), ("DHCP_DISCOVER_RX", 2010)),
        told(("DHCP_DISCOVER_RX", 2010)),
        [*told(("DHCP_DISCOVER_RX", 2010)), detached(3.0), *told(("NETIF_READY", 2500), boot_s=3.0), attached(6.0)],
    ],
    ids=["ready before", "never ready", "another boot"],
)
def test_what_was_heard_in_time_is_not_named(claims: list[Event]) -> None:
    """The stack was there, nothing says when it was, or that was another boot."""
    assert "discarded-frames-claimed" not in names([attached(1.0), *asked(2.0), *claims])


# ---- first frames

TWICE = told(
    ("USB_MOUNTED", 1000),
    ("FIRST_RX", 1500),
    ("DHCP_DISCOVER_RX", 1500),
    ("USB_MOUNTED", 5000),
    ("DHCP_REQUEST_RX", 6000),
)


@pytest.mark.parametrize("claims", [TWICE, TWICE[3:]], ids=["whole", "from the second mount on"])
def test_a_mount_without_first_frames_of_its_own_is_named(claims: list[Event]) -> None:
    """The host is heard after the second mount, and no frame was the first."""
    assert names(claims) == ["first-frames-not-told-anew"]


@pytest.mark.parametrize(
    "claims",
    [
        TWICE[:4],
        [*TWICE[:4], *told(("FIRST_RX", 5900)), *TWICE[4:]],
        [*TWICE[:4], *told(("DHCP_REQUEST_RX", 900), boot_s=6.0)],
        TWICE[4:],
    ],
    ids=["nothing heard", "told anew", "another boot", "no mount"],
)
def test_first_frames_that_are_told_or_need_not_be(claims: list[Event]) -> None:
    """A claim after the mount; a log that does not reach so far; another boot."""
    assert "first-frames-not-told-anew" not in names(claims)


# ---- frames that could not be sent


def version(t_s: float, dropped: int) -> HttpReply:
    body = f'{{"uptime_ms": 5, "tx_dropped": {dropped}, "rx_dropped": 0}}'
    return at(t_s, HttpReply("/version", 200, "GET", "application/json", body, 0.05), "http")


AWAY = [*action(3.3, "deauthorize", "reconfigure"), *action(5.8, "authorize", "reconfigure")]
ANSWERED = at(3.1, ArpReply("192.168.7.2", CLIENT, "192.168.7.1", "host"), "packet")
ANNOUNCED = at(3.0, ArpRequest("192.168.7.1", "192.168.7.1", "02:02:11:22:33:02", "board"), "packet")
LOGGED = at(4.0, SerialLine("W (4000) net: TX DROPPED: not mounted (1 since boot)", 0, 50, True), "console")


def test_a_count_that_stands_still_is_named() -> None:
    """The board asks at 3.0 s, would ask again at 4.0 s, and was not configured until 5.8 s."""
    assert names([attached(1.0), version(2.9, 4), arp(3.0, "board"), *AWAY, version(8.0, 4)]) == ["drops-not-counted"]


@pytest.mark.parametrize(
    "events",
    [
        [version(2.9, 4), arp(3.0, "board"), *AWAY, version(8.0, 6)],
        [version(2.9, 4), *AWAY, version(8.0, 4)],
        [version(2.9, 4), arp(3.0, "board"), version(8.0, 4)],
        [version(2.9, 4), arp(3.0, "board"), *AWAY[:2], version(8.0, 4)],
        [version(2.9, 4), arp(3.0, "board"), *AWAY[:2], *action(4.0, "authorize", "reconfigure"), version(8.0, 4)],
        [version(2.9, 4), ANNOUNCED, *AWAY, version(8.0, 4)],
        [version(0.5, 4), arp(1.0, "board"), arp(2.0, "board"), arp(3.0, "board"), *AWAY, version(8.0, 4)],
        [version(2.9, 4), arp(1.2, "board"), *AWAY, version(8.0, 4)],
        [version(2.9, 4), arp(3.0, "board"), ANSWERED, *AWAY, version(8.0, 4)],
        [version(2.9, 4), arp(3.0, "board"), *AWAY, LOGGED, version(8.0, 4)],
        [version(2.9, 4), arp(3.0, "board"), *AWAY, detached(6.0), version(8.0, 4)],
    ],
    ids=[
        "counted",
        "nothing to say",
        "never away",
        "not back",
        "back at once",
        "announced",
        "for the last time",
        "long before",
        "answered",
        "logged",
        "gone",
    ],
)
def test_a_count_that_need_not_rise_is_not_named(events: list[Event]) -> None:
    """It was counted, or there was nothing that could not be sent."""
    assert "drops-not-counted" not in names([attached(1.0), *events])
