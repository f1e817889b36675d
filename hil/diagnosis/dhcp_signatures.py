"""The board's DHCP server, as the wire shows it."""

import ipaddress

from hil.diagnosis.finding import Evidence
from hil.diagnosis.link_signatures import link_before_stack
from hil.diagnosis.signature import Sides, Signature, held, seen, unless
from hil.diagnosis.usb_signatures import endpoints_not_rearmed
from hil.diagnosis.window import Window
from hil.expect import one_of
from hil.timeline.events import (
    BoardSaid,
    Carrier,
    DhcpAck,
    DhcpDiscover,
    DhcpNak,
    DhcpOffer,
    DhcpRequest,
    Event,
    ProfileRead,
    ReplyDoubted,
    UsbDetached,
)

PATIENCE_S = 2.0
"""A question this old is not answered any more: a server answers within milliseconds, clients ask again in 1 to 4 s."""
IMPOSSIBLE = one_of("server-outside-subnet", "network-address", "server-address", "unusable-address")
"""What a client finds wrong with an address that cannot be meant for its link (hil.personas.replies)."""


def _dhcp_server_silent(window: Window) -> Sides | None:
    """The host asks with carrier, and nothing at all comes from port 67."""
    carrier = held(window, Carrier(up=True))
    asked = [event for event in window.events if isinstance(event, DhcpDiscover | DhcpRequest) and _of_host(event)]
    if carrier is None or not asked or window.blind("packet"):
        return None
    if len(asked) < 2 and _age_s(window, asked[0]) < 3.0:
        return None
    heard = window.first(BoardSaid(name=one_of("DHCP_DISCOVER_RX", "DHCP_REQUEST_RX")))
    supports = [
        Evidence("the interface has carrier", carrier),
        Evidence(f"the host asked {len(asked)} times, first", asked[0]),
        *seen("the board says that it heard the question", heard),
        Evidence("no DHCPOFFER, DHCPACK or DHCPNAK from the board on the wire"),
        Evidence("the board does not say that it sent or tried to send an answer"),
    ]
    answers = (DhcpOffer(sender="board"), DhcpAck(sender="board"), DhcpNak(sender="board"))
    claims = ("DHCP_OFFER_TX", "DHCP_ACK_TX", "DHCP_NAK_TX", "TX_FAILED")
    contradicts = [
        *(e for answer in answers for e in seen("the server answered", window.first(answer))),
        *(e for name in claims for e in seen("the board says", window.first(BoardSaid(name=name)))),
        *unless(window, link_before_stack, "the link was there before the stack"),
        *unless(window, endpoints_not_rearmed, "nothing of the host crosses the bus"),
    ]
    return supports, contradicts


def _offer_lost_in_send_path(window: Window) -> Sides | None:
    """The board claims an OFFER that never reached the wire."""
    claimed = _claimed(window, "DHCP_OFFER_TX")
    if claimed is None or window.blind("packet") or _age_s(window, claimed) < PATIENCE_S:
        return None
    if window.first(DhcpDiscover(sender="host")) is None:
        return None  # nobody has asked: the claim is of another time
    supports = [
        Evidence("the board says that it sent an OFFER", claimed),
        Evidence("no DHCPOFFER from the board on the wire"),
        *seen("the host asks on", window.after(claimed).first(DhcpDiscover(sender="host"))),
    ]
    return supports, seen("the OFFER is on the wire", window.first(DhcpOffer(sender="board")))


def _ack_missing(window: Window) -> Sides | None:
    """The host asks for an address that it may have, and is neither granted nor refused it."""
    offer = window.first(DhcpOffer(sender="board"))
    claimed = _claimed(window, "DHCP_ACK_TX")
    asked = window.all(DhcpRequest(sender="host")) if claimed is not None else _taken_up(window, offer)
    if not asked or window.blind("packet") or (len(asked) < 2 and _age_s(window, asked[0]) < PATIENCE_S):
        return None
    supports = [
        *seen("the server offers an address", offer),
        Evidence(f"the host asked for it {len(asked)} times, first", asked[0]),
        *seen("the board says that it sent an ACK", claimed),
        Evidence("no DHCPACK and no DHCPNAK from the board on the wire"),
    ]
    since = window.after(asked[0])
    contradicts = [
        *seen("the server granted it", since.first(DhcpAck(sender="board"))),
        *seen("the server refused it", since.first(DhcpNak(sender="board"))),
    ]
    if offer is None:
        contradicts += seen("the board says that an OFFER left, which did not arrive either", _offer_claim(window))
    return supports, contradicts


def _taken_up(window: Window, offer: Event | None) -> list[Event]:
    """REQUESTs for what ``offer`` offers: they name its server."""
    if not isinstance(offer, DhcpOffer):
        return []
    return window.after(offer).all(DhcpRequest(sender="host", requested=offer.address, server=offer.server))


def _offer_outside_pool(window: Window) -> Sides | None:
    """An address is offered that the board's network does not have."""
    profile = window.told(ProfileRead)
    offers = [event for event in window.all(DhcpOffer(sender="board")) if isinstance(event, DhcpOffer)]
    doubt = window.first(ReplyDoubted(message="OFFER", reason=IMPOSSIBLE))
    outside = next((offer for offer in offers if isinstance(profile, ProfileRead) and _foreign(offer, profile)), None)
    if outside is None and doubt is None:
        return None
    supports = [
        *seen("the server offers an address", (outside or offers[-1]) if offers else None),
        *(seen("the board's pool and subnet, as its profile says", profile) if outside is not None else []),
        *seen("the host doubts it", doubt),
    ]
    return supports, []


def _foreign(offer: DhcpOffer, profile: ProfileRead) -> bool:
    """Whether the profile's pool, or else its subnet, has no such address; False where it names neither."""
    address = ipaddress.IPv4Address(offer.address)
    if profile.pool_first:
        return not ipaddress.IPv4Address(profile.pool_first) <= address <= ipaddress.IPv4Address(profile.pool_last)
    if profile.address:
        return address not in ipaddress.IPv4Network(f"{profile.address}/{profile.prefix}", strict=False)
    return False


def _nak_without_server_id(window: Window) -> Sides | None:
    """A NAK that says not who it is from, and a host that goes on as if it had not come."""
    nak = window.first(DhcpNak(sender="board", server=""))
    if not isinstance(nak, DhcpNak):
        return None
    asked = window.until(nak).last(DhcpRequest(sender="host", xid=nak.xid))
    ignored = window.first(ReplyDoubted(message="NAK", reason="no-server", taken=False))
    again = window.after(nak).first(DhcpRequest(sender="host", xid=nak.xid))
    if ignored is None and again is None:
        return None
    supports = [
        *seen("the host asks for an address", asked),
        Evidence("the server refuses it without its identifier (option 54)", nak),
        *seen("the host takes the refusal for nobody's", ignored),
        *seen("the host asks for the same address again", again),
    ]
    return supports, seen("the host believed it all the same", window.first(ReplyDoubted(message="NAK", taken=True)))


def _of_host(event: DhcpDiscover | DhcpRequest) -> bool:
    return bool(event.sender == "host")


def _age_s(window: Window, event: Event) -> float:
    """How long the board had to answer: to the end of the window, or until it left the bus."""
    left = window.after(event).first(UsbDetached(path=window.port))
    end_ns = window.until_ns if left is None else left.t_ns
    return float(end_ns - event.t_ns) / 1e9


def _claimed(window: Window, name: str) -> Event | None:
    """The first claim of that name whose time is known; one that may be of any time proves nothing of this one."""
    dated = (event for event in window.all(BoardSaid(name=name)) if event.t_err_ns < 1_000_000_000)
    return next(dated, None)


def _offer_claim(window: Window) -> Event | None:
    return _claimed(window, "DHCP_OFFER_TX")


DHCP_SIGNATURES: tuple[Signature, ...] = (
    Signature(
        name="dhcp-server-silent",
        title="the host asks for an address and the board's DHCP server never answers",
        look=_dhcp_server_silent,
        cause="the DHCP server of the firmware is not running on the USB interface.",
        remedy="start it after the interface is up (esp_netif_dhcps_start) and check its return value; an interface "
        "made without ESP_NETIF_DHCP_SERVER has none to start.",
        source="ESP-IDF components/esp_netif/lwip/esp_netif_lwip.c, esp_netif_dhcps_start",
    ),
    Signature(
        name="offer-lost-in-send-path",
        title="the board says DHCP_OFFER_TX, no OFFER on the wire",
        look=_offer_lost_in_send_path,
        cause="the event was recorded before the send was tried, and the send failed or was dropped.",
        remedy="record the event after tud_network_xmit succeeded, and log a failed send.",
        source="mcu-apple-bridge main/network_setup.c at 0d5a385",
    ),
    Signature(
        name="ack-missing",
        title="the host takes up an OFFER and never hears of it again",
        look=_ack_missing,
        cause="the ACK is lost between the DHCP server and USB, or the server does not know the REQUEST for its own.",
        remedy="log every frame that the send path drops; compare option 50 of the REQUEST with the lease that the "
        "server holds for that hardware address.",
        source="OpenLightingProject/rp2040-dmxsun issue 53",
    ),
    Signature(
        name="offer-outside-pool",
        title="the server offers an address that the board's network does not have",
        look=_offer_outside_pool,
        cause="the server's pool is not that of the interface: it was set for another address, or kept when the "
        "interface got a new one. The host can have the lease and still not reach the board.",
        remedy="stop the server, set the address, then the pool (ESP_NETIF_REQUESTED_IP_ADDRESS), then start it.",
        source="espressif/esp-idf issue 1257",
    ),
    Signature(
        name="nak-without-server-id",
        title="the board's DHCPNAK does not say which server it is from, and the host does not believe it",
        look=_nak_without_server_id,
        cause="ESP-IDF's DHCP server writes no option 54 into a DHCPNAK; RFC 2131 table 3 demands it.",
        remedy="add option 54 to send_nak() in components/lwip/apps/dhcpserver/dhcpserver.c, or on the way out as "
        "firmware/core/src/dhcp_nak.c does.",
        source="espressif/esp-idf issue 19120; RFC 2131 section 4.3.1, table 3",
    ),
)
"""What can be wrong with the lease."""
