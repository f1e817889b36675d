"""The board as a DHCP client: whether it asks at all, and takes only what nobody has."""

from hil.clock import to_ns
from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, seen
from hil.diagnosis.window import Window
from hil.timeline.events import (
    ArpReply,
    ArpRequest,
    BoardSaid,
    Carrier,
    DhcpAck,
    DhcpDecline,
    DhcpDiscover,
    DhcpRequest,
    Event,
    IcmpEcho,
    IpPacket,
    ProfileRead,
)

CLIENT = "dhcp-client"
ASKS_S = 5.0
"""A client asks as soon as there is a link. ESP-IDF's runs a second later at most (DHCP_COARSE_TIMER_SECS), and what a
firmware waits for by itself, such as 1.5 s after the mount, fits as well."""


def _is_client(window: Window) -> bool:
    profile = window.told(ProfileRead)
    return isinstance(profile, ProfileRead) and profile.role == CLIENT and not window.blind("packet")


def _asks(window: Window) -> list[Event]:
    return [*window.all(DhcpDiscover(sender="board")), *window.all(DhcpRequest(sender="board"))]


def _client_silent(window: Window) -> Sides | None:
    """The link is up, the firmware says that its client runs, and no question of it comes."""
    if not _is_client(window):
        return None
    carrier = window.last(Carrier(up=True))
    if carrier is None or window.until_ns - carrier.t_ns < to_ns(ASKS_S):
        return None  # without a link in the window it may have asked before
    if any(each.t_ns > carrier.t_ns for each in window.all(Carrier(up=False))):
        return None
    started = window.first(BoardSaid(name="DHCP_CLIENT_STARTED"))
    supports = [
        Evidence("the interface has carrier", carrier),
        *seen("the board says that its client was started", started),
        Evidence("no DHCPDISCOVER and no DHCPREQUEST from the board on the wire"),
    ]
    contradicts = [Evidence("the board asks", event) for event in _asks(window)[:1]]
    return supports, contradicts


def _taken_from_another(window: Window) -> Sides | None:
    """A host answers for the address that was granted, and the board uses it all the same."""
    if not _is_client(window):
        return None
    for ack in window.all(DhcpAck(sender="host")):
        assert isinstance(ack, DhcpAck)
        since = window.after(ack)
        has = _first(
            since.all(ArpReply(sender="host", sender_ip=ack.address)),
            since.all(ArpRequest(sender="host", sender_ip=ack.address)),
        )
        used = None if has is None else _first(*_uses(since.after(has), ack.address))
        if has is not None and used is not None:
            supports = [
                Evidence("the server grants an address", ack),
                *seen("the board asks whether somebody has it", since.first(_check(ack.address))),
                Evidence("a host has it", has),
                Evidence("the board uses it", used),
                Evidence("no DHCPDECLINE from the board"),
            ]
            return supports, seen("it declined it", since.first(DhcpDecline(sender="board", requested=ack.address)))
    return None


def _check(address: str) -> Event:
    """The probe of a client for what it was granted."""
    return ArpRequest(sender="board", sender_ip="0.0.0.0", target_ip=address)


def _uses(window: Window, address: str) -> list[list[Event]]:
    """What the board says from ``address``."""
    return [
        window.all(ArpReply(sender="board", sender_ip=address)),
        window.all(ArpRequest(sender="board", sender_ip=address)),
        window.all(IpPacket(sender="board", src=address)),
        window.all(IcmpEcho(sender="board", src=address)),
    ]


def _first(*found: list[Event]) -> Event | None:
    return min((event for events in found for event in events), key=lambda event: event.t_ns, default=None)


CLIENT_SIGNATURES = (
    Signature(
        name="dhcp-client-silent",
        title="the link is up, and the board's DHCP client asks for nothing",
        look=_client_silent,
        cause="the client was started on an interface that is not up, or not at all: esp_netif_dhcpc_start() answers "
        "ESP_OK in either case.",
        remedy="set the interface up with the link (esp_netif_action_connected, or ESP_NETIF_FLAG_AUTOUP), then start "
        "the client; believe an ACK, and no return value.",
        source="rolivape/ESP32S3_firmware usb_netif_aq.c at 77a36dc; ESP-IDF esp_netif_lwip.c, esp_netif_dhcpc_start",
    ),
    Signature(
        name="lease-of-another-used",
        title="a host answers for the address that the board was granted, and the board uses it",
        look=_taken_from_another,
        cause="the address is not asked for by ARP before it is taken, or what is heard then is dropped.",
        remedy="build with CONFIG_LWIP_DHCP_DOES_ARP_CHECK=y, decline what somebody has, and begin anew after 10 s.",
        source="RFC 2131 sections 3.1 and 4.4.4; ESP-IDF components/lwip/port/acd_dhcp_check.c",
    ),
)
