"""Link and address messages become events where something changed, and only there."""

import select
import socket
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.capture.netlink import RouteSource
from hil.capture.source import Moment
from hil.clock import Deadline, now_ns
from hil.testing.netns import Namespace
from hil.timeline.events import AddressRemoved, AddressSet, CaptureGap, Carrier, Event, LinkChanged
from hil.wire import rtnetlink

STAMP: dict[str, Any] = {"t_ns": 5_000_000_000, "t_err_ns": 1_000, "board": "s3-a", "source": "netlink"}
WATCH_NS = 20_000_000
WATCHED: dict[str, Any] = {**STAMP, "t_err_ns": STAMP["t_err_ns"] + WATCH_NS}
UP, CARRIER, LOOPBACK = rtnetlink.IFF_UP, rtnetlink.IFF_LOWER_UP, rtnetlink.IFF_LOOPBACK
OPERSTATE_DOWN, OPERSTATE_UP = 2, 6


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def message(kind: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def link(flags: int, operstate: int, kind: int = rtnetlink.RTM_NEWLINK) -> bytes:
    body = struct.pack("=BxHiII", 0, 1, 3, flags, 0) + attribute(3, b"usb0\0") + attribute(16, bytes([operstate]))
    return message(kind, body)


def address(kind: int) -> bytes:
    return message(kind, struct.pack("=BBBBI", 2, 24, 0, 0, 3) + attribute(2, bytes((192, 168, 7, 2))))


@pytest.fixture
def source(pair: tuple[socket.socket, socket.socket]) -> RouteSource:
    """A source on the far end of a pair."""
    return RouteSource(pair[1], "s3-a", WATCH_NS)


def feed(pair: tuple[socket.socket, socket.socket], source: RouteSource, now: Moment, *datagrams: bytes) -> list[Event]:
    for datagram in datagrams:
        pair[0].send(datagram)
    return source.read(now)


def test_carrier_is_told_first_and_on_change(
    pair: tuple[socket.socket, socket.socket], source: RouteSource, now: Moment
) -> None:
    """The first message tells state and carrier; a repeated one tells nothing; a change tells what changed.

    A carrier that changes may have done so before the kernel's work item came to tell of it.
    """
    first = feed(pair, source, now, link(UP, OPERSTATE_DOWN))
    assert first == [LinkChanged("usb0", True, "down", **STAMP), Carrier(False, "usb0", **STAMP)]
    assert feed(pair, source, now, link(UP, OPERSTATE_DOWN)) == []
    changed = feed(pair, source, now, link(UP | CARRIER, OPERSTATE_UP))
    assert changed == [LinkChanged("usb0", True, "up", **STAMP), Carrier(True, "usb0", **WATCHED)]


def test_link_that_is_deleted_has_no_carrier(
    pair: tuple[socket.socket, socket.socket], source: RouteSource, now: Moment
) -> None:
    """Deletion with the carrier still up tells its end; the next link of that index is a new one."""
    feed(pair, source, now, link(UP | CARRIER, OPERSTATE_UP))
    gone = feed(pair, source, now, link(UP | CARRIER, OPERSTATE_UP, rtnetlink.RTM_DELLINK))
    assert gone == [Carrier(False, "usb0", **STAMP)]
    assert len(feed(pair, source, now, link(UP | CARRIER, OPERSTATE_UP))) == 2


def test_addresses_are_told_with_the_interface_name(
    pair: tuple[socket.socket, socket.socket], source: RouteSource, now: Moment
) -> None:
    """Address messages hold an index; the name is that of the last link message."""
    feed(pair, source, now, link(UP, OPERSTATE_UP))
    told = feed(pair, source, now, address(rtnetlink.RTM_NEWADDR), address(rtnetlink.RTM_DELADDR))
    assert told == [AddressSet("192.168.7.2", 24, "usb0", **STAMP), AddressRemoved("192.168.7.2", "usb0", **STAMP)]


def test_loopback_is_not_told(pair: tuple[socket.socket, socket.socket], source: RouteSource, now: Moment) -> None:
    """Loopback is no interface of the board."""
    assert feed(pair, source, now, link(UP | CARRIER | LOOPBACK, OPERSTATE_UP)) == []


def test_cut_message_is_a_gap(pair: tuple[socket.socket, socket.socket], source: RouteSource, now: Moment) -> None:
    """What does not follow the format is told as a gap, and the source goes on."""
    (gap,) = feed(pair, source, now, link(UP, OPERSTATE_UP)[:30])
    assert isinstance(gap, CaptureGap)
    assert not source.ended


@given(st.lists(st.binary(min_size=1, max_size=120), max_size=8))
def test_any_datagrams_only_yield_events(datagrams: list[bytes]) -> None:
    """No datagram raises."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        source = RouteSource(theirs, "s3-a")
        assert all(isinstance(e, Event) for e in feed((ours, theirs), source, Moment(1, 0), *datagrams))


@pytest.mark.root
@pytest.mark.slow
def test_kernel_tells_carrier_when_the_peer_goes_up_and_down() -> None:
    """Setting the far end of a veth pair down and up is told as carrier of the near end, inside its error bound."""
    space, near, far = Namespace.with_veth("hiln")
    with space:
        source = RouteSource(space.run(_subscribed), "s3-a")
        loop_events: list[Event] = []
        _until(source, loop_events, Carrier(True, near))
        for up in (False, True):
            before = now_ns()
            space.ip("link", "set", far, "up" if up else "down")
            told = _until(source, loop_events, Carrier(up, near))
            assert before <= told.t_ns <= now_ns()
        source.close()
    assert [e.t_ns for e in loop_events] == sorted(e.t_ns for e in loop_events)


def _subscribed() -> socket.socket:
    route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    route.bind((0, 1 | 0x10))  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR
    return route


def _until(source: RouteSource, found: list[Event], wanted: Carrier) -> Carrier:
    """Read until ``wanted`` is told, for at most two seconds."""
    deadline = Deadline(2.0)
    while not deadline.passed:
        select.select([source], [], [], deadline.left_s)
        news = source.read(Moment(now_ns(), 0))
        found += news
        for event in news:
            if isinstance(event, Carrier) and (event.up, event.interface) == (wanted.up, wanted.interface):
                return event
    raise AssertionError(f"{wanted} was not told; told: {found}")
