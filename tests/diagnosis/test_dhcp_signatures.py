"""A DHCP server that loses its answers, gives what it does not have, or does not say who refuses."""

import pytest
from msgspec.structs import replace

from hil.diagnosis import diagnose
from hil.diagnosis.dhcp_signatures import DHCP_SIGNATURES
from hil.timeline.events import (
    BoardSaid,
    CaptureGap,
    Carrier,
    DhcpAck,
    DhcpDiscover,
    DhcpNak,
    DhcpOffer,
    DhcpRequest,
    Event,
    ProfileRead,
    ReplyDoubted,
    UsbAttached,
    UsbDetached,
)

OURS = {signature.name for signature in DHCP_SIGNATURES}
END_S = 10.0
MAC, ELSEWHERE = "02:02:11:22:33:01", "10.0.0.9"
LEASED, BOARD = "192.168.7.2", "192.168.7.1"


def at(t_s: float, event: Event, source: str = "packet", t_err_s: float = 0.0) -> Event:
    return replace(event, t_ns=round(t_s * 1e9), t_err_ns=round(t_err_s * 1e9), board="s3-a", source=source)


def names(*events: Event) -> list[str]:
    found = diagnose(events, "s3-a", 0, round(END_S * 1e9))
    return [finding.name for finding in found if finding.name in OURS]


PLUGGED = at(0.1, UsbAttached("1-1", 0x303A, 0x4001), "uevent")
CARRIER = at(0.5, Carrier(True, "usb0"), "netlink")
REFERENCE = at(-5.0, ProfileRead("reference", BOARD, 24, LEASED, "192.168.7.10"), "harness")
SILENT_PROFILE = at(-5.0, ProfileRead("generic", "", 24, "", ""), "harness")


def discover(t_s: float) -> Event:
    return at(t_s, DhcpDiscover(1, MAC, "1,3,6", "", "host"))


def offer(t_s: float, address: str = LEASED) -> Event:
    return at(t_s, DhcpOffer(address, BOARD, 60, 1, MAC, "board"))


def request(t_s: float, address: str = LEASED, server: str = BOARD, xid: int = 1) -> Event:
    return at(t_s, DhcpRequest(address, server, xid, MAC, "1,3,6", "host"))


def ack(t_s: float) -> Event:
    return at(t_s, DhcpAck(LEASED, BOARD, 60, 1, MAC, "board"))


def nak(t_s: float, server: str = "", xid: int = 1) -> Event:
    return at(t_s, DhcpNak(server, xid, MAC, "board"))


def said(t_s: float, name: str, t_err_s: float = 0.001) -> Event:
    return at(t_s, BoardSaid(name, "", round(t_s * 1000), "events"), "http", t_err_s)


def doubted(t_s: float, message: str, reason: str, taken: bool) -> Event:
    return at(t_s, ReplyDoubted(message, reason, taken, "", "", "ios"), "persona")


HANDSHAKE = (CARRIER, discover(1.0), offer(1.1), request(1.2), ack(1.3), said(1.1, "DHCP_OFFER_TX"))


def test_a_healthy_handshake_has_no_finding() -> None:
    """With a profile, without one, and with claims of what the wire shows."""
    assert names(REFERENCE, *HANDSHAKE, said(1.3, "DHCP_ACK_TX")) == []
    assert names(SILENT_PROFILE, *HANDSHAKE) == []


# ---- dhcp-server-silent -------------------------------------------------------------------------


def test_a_server_is_silent_to_a_host_that_asks_for_its_old_address_too() -> None:
    """REQUESTs of INIT-REBOOT are questions like DISCOVERs."""
    events = [CARRIER, *(request(t, server="") for t in (1.0, 2.2, 4.9))]
    assert names(*events) == ["dhcp-server-silent"]
    assert names(*events, ack(5.0)) == []


# ---- offer-lost-in-send-path --------------------------------------------------------------------


def test_a_claimed_offer_that_is_not_on_the_wire_is_named() -> None:
    """And the server is not called silent."""
    assert names(CARRIER, discover(1.0), discover(2.4), said(1.01, "DHCP_OFFER_TX")) == ["offer-lost-in-send-path"]


@pytest.mark.parametrize(
    "event",
    [
        offer(1.02),
        said(9.0, "DHCP_OFFER_TX"),
        at(1.0, CaptureGap("packet", "the kernel dropped 3 frames", 0.1)),
        said(1.01, "DHCP_OFFER_TX", 5.0),
    ],
    ids=["it is on the wire", "a moment ago", "frames were lost", "at no known time"],
)
def test_a_claimed_offer_may_be_no_lie(event: Event) -> None:
    """What is on the wire, may still come, may have been missed or may be of another time is not lost."""
    claims = [] if isinstance(event, BoardSaid) else [said(1.01, "DHCP_OFFER_TX")]
    assert "offer-lost-in-send-path" not in names(CARRIER, discover(1.0), event, *claims)


# ---- ack-missing --------------------------------------------------------------------------------


def test_an_offer_taken_up_and_never_granted_is_named() -> None:
    """The wire alone shows it; the board's claim is further evidence."""
    wire = (CARRIER, discover(1.0), offer(1.1), request(2.1), request(3.1))
    assert names(*wire) == ["ack-missing"]
    assert names(*wire, said(2.1, "DHCP_ACK_TX"), said(1.1, "DHCP_OFFER_TX")) == ["ack-missing"]


def test_a_claimed_ack_to_a_host_that_asks_for_its_old_address_is_named() -> None:
    """There is no OFFER in INIT-REBOOT; the board's claim stands in for it."""
    asked = (CARRIER, request(1.0, server=""), request(2.2, server=""))
    assert names(*asked, said(1.01, "DHCP_ACK_TX")) == ["ack-missing"]
    assert names(*asked) == ["dhcp-server-silent"]


@pytest.mark.parametrize("answer", [ack(3.2), nak(3.2, BOARD)], ids=["granted", "refused"])
def test_an_answer_speaks_against_a_missing_ack(answer: Event) -> None:
    """Late is not never, and a refusal is an answer."""
    assert names(CARRIER, discover(1.0), offer(1.1), request(2.1), request(3.1), answer) == []


@pytest.mark.parametrize(
    "events",
    [
        [offer(8.0), request(8.5)],
        [PLUGGED, offer(1.1), request(1.2), at(1.3, UsbDetached("1-1"), "uevent")],
        [offer(1.1), request(2.1, server="192.168.7.9"), request(3.1, server="192.168.7.9")],
        [offer(1.1), request(2.1), request(3.1), at(2.0, CaptureGap("packet", "the kernel dropped 3 frames", 0.1))],
    ],
    ids=["asked a moment ago", "the cable was pulled", "another server's offer taken", "frames were lost"],
)
def test_a_request_may_be_none_of_the_servers_business(events: list[Event]) -> None:
    """Nothing is missing where nothing was due."""
    assert names(CARRIER, discover(1.0), *events) == []


def test_an_ack_of_an_earlier_exchange_does_not_count() -> None:
    """What was granted before the OFFER is not what was asked for after it."""
    earlier = (request(0.6, server=""), ack(0.7))
    assert names(CARRIER, *earlier, discover(1.0), offer(1.1), request(2.1), request(3.1)) == ["ack-missing"]


def test_answers_of_every_kind_that_are_lost_are_one_finding() -> None:
    """Where the OFFER is lost as well, it is the send path and not the ACK."""
    asked = (CARRIER, request(1.0, server=""), request(2.2, server=""), discover(4.0))
    assert names(*asked, said(1.01, "DHCP_ACK_TX"), said(4.01, "DHCP_OFFER_TX")) == ["offer-lost-in-send-path"]


def test_an_ack_before_the_replug_does_not_count() -> None:
    """Each enumeration is judged for itself."""
    again = [at(e.t_ns / 1e9 + 4, e, e.source) for e in (CARRIER, discover(1.0), offer(1.1), request(1.2))]
    plugged = at(4.2, UsbAttached("1-1", 0x303A, 0x4001), "uevent")
    assert names(*HANDSHAKE, plugged, *again) == ["ack-missing"]


# ---- offer-outside-pool -------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["192.168.4.2", "192.168.7.11", BOARD])
def test_an_address_outside_the_pool_is_named(address: str) -> None:
    """Of another subnet, beyond the pool's end, or the board's own."""
    assert names(REFERENCE, CARRIER, discover(1.0), offer(1.1, address)) == ["offer-outside-pool"]


def test_a_profile_without_a_pool_still_has_a_subnet() -> None:
    """Then any address of the subnet is fine."""
    profile = at(-5.0, ProfileRead("mine", BOARD, 24, "", ""), "harness")
    assert names(profile, CARRIER, discover(1.0), offer(1.1, "192.168.4.2")) == ["offer-outside-pool"]
    assert names(profile, CARRIER, discover(1.0), offer(1.1, "192.168.7.200")) == []


def test_without_a_profile_the_hosts_doubt_decides() -> None:
    """A host sees that the server is outside of the subnet that it gives."""
    events = (SILENT_PROFILE, CARRIER, discover(1.0), offer(1.1, "192.168.4.2"))
    assert names(*events) == []
    assert names(*events, doubted(1.1, "OFFER", "server-outside-subnet", True)) == ["offer-outside-pool"]
    assert names(*events, doubted(1.1, "OFFER", "no-lease-time", False)) == []


def test_the_profile_is_remembered_across_a_replug() -> None:
    """It was read when the bench was opened."""
    plugged = at(0.8, UsbAttached("1-1", 0x303A, 0x4001), "uevent")
    assert names(REFERENCE, plugged, discover(1.0), offer(1.1, "192.168.4.2")) == ["offer-outside-pool"]


# ---- nak-without-server-id ----------------------------------------------------------------------

REFUSED = (REFERENCE, CARRIER, request(1.0, ELSEWHERE, "", 7))


def test_a_nak_of_nobody_that_the_host_ignores_is_named() -> None:
    """The persona says so, or the wire shows the same REQUEST again."""
    assert names(*REFUSED, nak(1.1, "", 7), doubted(1.1, "NAK", "no-server", False)) == ["nak-without-server-id"]
    assert names(*REFUSED, nak(1.1, "", 7), request(5.0, ELSEWHERE, "", 7)) == ["nak-without-server-id"]


@pytest.mark.parametrize(
    "events",
    [
        [nak(1.1, BOARD, 7), request(5.0, ELSEWHERE, "", 7)],
        [nak(1.1, "", 7), discover(1.2), offer(1.3)],
        [nak(1.1, "", 7), doubted(1.1, "NAK", "no-server", True), discover(1.2), offer(1.3)],
        [nak(1.1, "", 7), doubted(1.1, "NAK", "no-server", True), request(5.0, ELSEWHERE, "", 7)],
        [offer(1.1), doubted(1.1, "OFFER", "no-server", False)],
    ],
    ids=["it names its server", "the host went on", "the host believed it", "and asked once more", "no NAK"],
)
def test_a_nak_that_did_its_work_is_no_finding(events: list[Event]) -> None:
    """ESP-IDF's server never names itself in one; where the host does not mind, nothing failed by it."""
    assert names(*REFUSED, *events) == []
