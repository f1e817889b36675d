"""Timelines of one board, made by hand for the tests of diagnosis."""

from collections.abc import Iterable
from typing import TypeVar

from msgspec.structs import replace

from hil.clock import to_ns
from hil.diagnosis import diagnose
from hil.timeline.events import (
    Acted,
    ArpRequest,
    BoardSaid,
    Carrier,
    DhcpDiscover,
    Event,
    Started,
    UsbAttached,
    UsbDetached,
    UsbNotification,
)

BOARD, PORT = "s3-a", "1-1"
E = TypeVar("E", bound=Event)


def at(t_s: float, event: E, source: str, t_err_s: float = 0.0) -> E:
    """``event`` of the board, ``t_s`` after the window began."""
    return replace(event, t_ns=to_ns(t_s), t_err_ns=to_ns(t_err_s), board=BOARD, source=source)


def names(events: Iterable[Event], end_s: float = 20.0) -> list[str]:
    """The findings of a window that ends at ``end_s``."""
    return [finding.name for finding in diagnose(events, BOARD, 0, to_ns(end_s))]


def attached(t_s: float) -> UsbAttached:
    return at(t_s, UsbAttached(PORT, 0x303A, 0x4001), "uevent")


def detached(t_s: float) -> UsbDetached:
    return at(t_s, UsbDetached(PORT), "uevent")


def action(t_s: float, name: str, sees: str, detail: str = "", took_s: float = 0.05) -> list[Event]:
    """An action from its begin to its effect."""
    begun, done = Started(name, detail), Acted(name, sees, detail)
    return [at(t_s, begun, "action"), at(t_s + took_s, done, "action")]


def said(t_s: float, name: str, detail: str = "", board_ms: int = 0, via: str = "console") -> BoardSaid:
    return at(t_s, BoardSaid(name, detail, board_ms, via), "http" if via == "events" else via)


def told_of_link(t_s: float, up: bool) -> list[Event]:
    """NETWORK_CONNECTION, and what the host makes of it."""
    notified = UsbNotification("NETWORK_CONNECTION", int(up), 2)
    return [at(t_s, notified, "usbmon"), at(t_s + 0.01, Carrier(up, "usb0"), "netlink")]


def asked(*at_s: float) -> list[Event]:
    """The host's DISCOVERs."""
    return [at(t_s, DhcpDiscover(1, "02:00:00:00:00:01", "1,3,6", "", "host"), "packet") for t_s in at_s]


def arp(t_s: float, sender: str) -> ArpRequest:
    return at(t_s, ArpRequest("192.168.7.2", "192.168.7.1", "02:02:11:22:33:02", sender), "packet")
