"""The board as a DHCP client: one asks for nothing, one takes what somebody has, one does neither."""

from collections.abc import Sequence

import pytest

from hil.testing.handmade import arp, at, attached, names, said
from hil.timeline.events import (
    ArpReply,
    ArpRequest,
    CaptureGap,
    Carrier,
    DhcpAck,
    DhcpDecline,
    DhcpDiscover,
    DhcpOffer,
    DhcpRequest,
    Event,
    IpPacket,
    ProfileRead,
)

BOARD, OTHER, FIRST, SECOND = "02:02:11:22:33:02", "02:00:00:53:51:01", "192.168.7.100", "192.168.7.101"
CLIENT = at(-5.0, ProfileRead("mine", "", 24, "", "", "", "dhcp-client"), "harness")
SERVER = at(-5.0, ProfileRead("mine", "192.168.7.1", 24, "", "", "", "dhcp-server"), "harness")
UP = [
    attached(1.0),
    at(1.5, Carrier(False, "usb0"), "netlink"),
    at(2.0, Carrier(True, "usb0"), "netlink"),
    arp(2.5, "host"),
]
STARTED = [said(2.1, "DHCP_CLIENT_STARTED", via="events")]


def found(*parts: Sequence[Event], profile: Event = CLIENT, end_s: float = 20.0) -> list[str]:
    return names([profile, *(event for part in parts for event in part)], end_s)


def discover(t_s: float) -> list[Event]:
    return [at(t_s, DhcpDiscover(1, BOARD, "1,3", "", "board"), "packet")]


def granted(t_s: float, address: str = FIRST) -> list[Event]:
    """The four messages."""
    offer = at(t_s + 0.01, DhcpOffer(address, "192.168.7.254", 60, 1, BOARD, "host"), "packet")
    request = at(t_s + 0.02, DhcpRequest(address, "192.168.7.254", 1, BOARD, "1,3", "board"), "packet")
    ack = at(t_s + 0.03, DhcpAck(address, "192.168.7.254", 60, 1, BOARD, "host"), "packet")
    return [*discover(t_s), offer, request, ack]


def check(t_s: float, address: str = FIRST) -> list[Event]:
    return [at(t_s, ArpRequest(address, "0.0.0.0", BOARD, "board"), "packet")]


def taken(t_s: float, address: str = FIRST) -> list[Event]:
    """A host has it, and says so."""
    return [at(t_s, ArpReply(address, OTHER, "0.0.0.0", "host"), "packet")]


def answers(t_s: float, address: str = FIRST) -> list[Event]:
    return [at(t_s, ArpReply(address, BOARD, "192.168.7.252", "board"), "packet")]


def declined(t_s: float, address: str = FIRST) -> list[Event]:
    return [at(t_s, DhcpDecline(address, 1, BOARD, "board"), "packet")]


def test_a_client_that_asks_for_nothing_is_named() -> None:
    """Whether or not it says that it was started."""
    assert found(UP, STARTED) == ["dhcp-client-silent"]
    assert found(UP) == ["dhcp-client-silent"]


@pytest.mark.parametrize(
    "events",
    [
        discover(6.5),
        [at(3.0, CaptureGap("packet", "ring overflowed", 1.0), "harness")],
        [at(4.0, Carrier(False, "usb0"), "netlink")],
    ],
    ids=["asks late", "was not seen", "lost the link"],
)
def test_a_client_that_may_have_asked_is_not_named(events: Sequence[Event]) -> None:
    """Silence is proof where it was long enough, and heard."""
    assert found(UP, STARTED, events) == []


def test_a_client_whose_link_is_young_is_not_named() -> None:
    """Some firmwares wait for a second or two."""
    assert found(UP, STARTED, end_s=6.5) == []


def test_a_board_that_got_its_link_before_the_window_is_not_named() -> None:
    """It may have asked then."""
    assert names([CLIENT, at(-3.0, Carrier(True, "usb0"), "netlink"), arp(2.5, "host")]) == []


def test_a_server_is_no_client() -> None:
    """It has nothing to ask for."""
    assert "dhcp-client-silent" not in found(UP, STARTED, profile=SERVER)


def test_an_address_that_another_host_has_is_not_to_be_taken() -> None:
    """It answers the check, and the board speaks from the address: by ARP or IP."""
    before = (UP, granted(3.0), check(3.1), taken(3.11))
    assert found(*before, answers(5.0)) == ["lease-of-another-used"]
    spoken = at(5.0, IpPacket("tcp", FIRST, 80, "192.168.7.253", 4000, 60, "board", "SA"), "packet")
    assert found(*before, [spoken]) == ["lease-of-another-used"]
    assert found(UP, granted(3.0), taken(3.5), answers(5.0)) == ["lease-of-another-used"]


def test_an_address_that_is_declined_is_not_taken() -> None:
    """The board is granted another one and uses that."""
    gave_way = (UP, granted(3.0), check(3.1), taken(3.11), declined(3.12))
    assert found(*gave_way, granted(13.2, SECOND), check(13.3, SECOND), answers(15.0, SECOND)) == []


def test_an_address_that_nobody_has_is_the_boards() -> None:
    """A host that had another address is no matter."""
    assert found(UP, granted(3.0), check(3.1), taken(3.2, SECOND), answers(5.0)) == []
