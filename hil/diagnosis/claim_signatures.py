"""What the board says of itself, where the host knows better."""

import re
from itertools import pairwise

from hil.diagnosis.finding import Evidence, Finding
from hil.diagnosis.signature import DATED_NS, Sides, Signature, boot_logs, seen
from hil.diagnosis.window import ESPRESSIF, Window
from hil.expect import contains, one_of
from hil.timeline.events import (
    Acted,
    ArpReply,
    ArpRequest,
    BoardSaid,
    DhcpAck,
    DhcpDiscover,
    DhcpNak,
    DhcpOffer,
    DhcpRequest,
    Event,
    HttpReply,
    SerialLine,
    UsbAttached,
    UsbDetached,
)

HEARD = ("DHCP_DISCOVER_RX", "DHCP_REQUEST_RX")
ASKS_NS, ASKED_NS = 1_900_000_000, 2_500_000_000
"""Who asks for a hardware address in vain asks three times at least, a second apart (lwIP etharp.c, Linux neighbour.c):
the third time not before the one after the first and no later than the other."""
COUNT = re.compile(r'"tx_dropped": *(\d+)')


def _claims_from_earlier_cycle(window: Window) -> Sides | None:
    """The board says that it heard DHCP since it was attached; the host has not spoken."""
    attached = window.first(UsbAttached(vid=ESPRESSIF))
    claimed = [
        each for each in window.all(BoardSaid(name=one_of(*HEARD))) if each.t_ns - each.t_err_ns >= window.since_ns
    ]
    if attached is None or not claimed or window.blind("packet"):
        return None
    boots = window.all(BoardSaid(name="BOOT", via="events"))
    supports = [
        Evidence("this cycle of the cable began", attached),
        Evidence("the board says that it heard the host ask", claimed[0]),
        *(Evidence("its log tells of a start", boot) for boot in boots[:2] if len(boots) > 1),
        Evidence("no DHCP message of the host on the wire in this cycle"),
    ]
    asked = (DhcpDiscover(sender="host"), DhcpRequest(sender="host"))
    return supports, [each for pattern in asked for each in seen("the host asked", window.first(pattern))]


def _dhcp_claims_by_port(window: Window) -> Sides | None:
    """An ACK is on the wire; the board tells of no ACK, and of more OFFERs than there were."""
    granted = window.first(DhcpAck(sender="board"))
    offers = window.all(DhcpOffer(sender="board"))
    claimed = _told(window, "DHCP_OFFER_TX")
    if granted is None or len(claimed) <= len(offers) or window.blind("packet"):
        return None
    supports = [
        *seen("the server offers an address", next(iter(offers), None)),
        Evidence("it grants one", granted),
        Evidence(f"the board tells of {len(claimed)} OFFERs, the last", claimed[-1]),
        Evidence(f"no more than {len(offers)} OFFERs of the server on the wire, by option 53"),
        Evidence("the board tells of no REQUEST and of no ACK"),
    ]
    named = (_told(window, name) for name in ("DHCP_ACK_TX", "DHCP_REQUEST_RX"))
    return supports, [Evidence("the board tells it by its name", claims[0]) for claims in named if claims]


def _told(window: Window, name: str) -> list[BoardSaid]:
    """Claims of that name in the event log that are of this window for certain, each once however often it was read."""
    said = [e for e in window.all(BoardSaid(name=name, via="events")) if isinstance(e, BoardSaid)]
    dated = [each for each in said if each.t_err_ns < DATED_NS and each.t_ns - each.t_err_ns >= window.since_ns]
    return list({each.board_ms: each for each in dated}.values())


def _discarded_frames_claimed(window: Window) -> Sides | None:
    """The board heard the host before its stack was ready, by its own clock, and gave no answer."""
    gone = window.first(UsbDetached(path=window.port))
    window = window if gone is None else window.until(gone)  # what comes after is another boot's
    heard = sorted((each for name in HEARD for each in _told(window, name)), key=lambda each: each.board_ms)
    ready = next(iter(_told(window, "NETIF_READY")), None)
    if not heard or ready is None or heard[0].board_ms >= ready.board_ms:
        return None
    before = window.until(ready)
    asked = before.all(DhcpDiscover(sender="host"))
    early = [each for each in heard if each.board_ms < ready.board_ms]
    supports = [
        *seen(f"the host asks {len(asked)} times, first", next(iter(asked), None)),
        Evidence(f"the board says that it heard it, {len(early)} times, first", early[0]),
        Evidence("only later by the same clock it says that its stack is ready", ready),
        Evidence("no answer of the board on the wire until then"),
    ]
    answers = (DhcpOffer(sender="board"), DhcpAck(sender="board"), DhcpNak(sender="board"))
    return supports, [e for answer in answers for e in seen("the server answered", before.first(answer))]


def _is_the_early_link(finding: Finding) -> bool:
    """A link before its stack is how the frames came that were thrown away."""
    return finding.name == "link-announced-before-stack"


def _first_frames_not_told_anew(window: Window) -> Sides | None:
    """A mount, DHCP of the host after it, and no first frame between, all of one boot."""
    found = (_unannounced(log) for log in boot_logs(window))
    return next((sides for sides in found if sides is not None), None)


def _unannounced(log: list[BoardSaid]) -> Sides | None:
    mounted: BoardSaid | None = None
    first: BoardSaid | None = None
    for said in log:
        if said.name in ("USB_UNMOUNTED", "FIRST_RX"):
            mounted, first = None, said if said.name == "FIRST_RX" else None
        elif said.name == "USB_MOUNTED":
            mounted = said
        elif said.name in HEARD and mounted is not None:
            return _not_told(first, mounted, said), []
    return None


def _not_told(first: BoardSaid | None, mounted: BoardSaid, heard: BoardSaid) -> list[Evidence]:
    return [
        *seen("the board tells of a first frame", first),
        Evidence("it is mounted, in the same boot" if first else "the board is mounted", mounted),
        Evidence("and hears the host", heard),
        Evidence("no FIRST_RX between that mount and what it heard"),
    ]


def _drops_not_counted(window: Window) -> Sides | None:
    """A board that has to ask again is not configured meanwhile, and counts nothing that it could not send."""
    readings = [(e, int(found[1])) for e in window.all(HttpReply(status=200)) if (found := COUNT.search(_body(e)))]
    for (one, before), (other, after) in pairwise(readings):
        sides = _uncounted(window.after(one).until(other), one, other) if before == after else None
        if sides is not None:
            return sides
    return None


def _uncounted(between: Window, one: Event, other: Event) -> Sides | None:
    away = between.all(Acted(sees="reconfigure"))
    asked = _question_left_open(between, away[0], away[1]) if len(away) > 1 else None
    if asked is None or between.blind("packet"):
        return None
    supports = [
        Evidence("the board's count of frames that it could not send", one),
        Evidence("it asks for a hardware address, for the first time", asked),
        Evidence("the host takes its configuration away", away[0]),
        Evidence(f"and gives it back after {(away[1].t_ns - away[0].t_ns) / 1e9:.1f} s", away[1]),
        Evidence("the count has not changed", other),
    ]
    contradicts = [
        *seen("it was answered", between.first(ArpReply(sender_ip=asked.target_ip, sender="host"))),
        *seen("it logs what it drops", between.first(SerialLine(text=contains("TX DROPPED")))),
        *seen("the board left the bus", between.first(UsbDetached())),
    ]
    return supports, contradicts


def _question_left_open(window: Window, off: Event, back: Event) -> ArpRequest | None:
    """A question of the board's, no probe and no announcement, that it has to ask again while it is away."""
    for asked in window.until(off).all(ArpRequest(sender="board")):
        assert isinstance(asked, ArpRequest)
        first = window.first(ArpRequest(target_ip=asked.target_ip, sender="board")) is asked
        due = off.t_ns - asked.t_ns < ASKS_NS and back.t_ns - asked.t_ns > ASKED_NS
        if first and due and asked.sender_ip not in ("0.0.0.0", asked.target_ip):
            return asked
    return None


def _body(event: Event) -> str:
    assert isinstance(event, HttpReply)
    return str(event.body)


def _rests_on_log(finding: Finding) -> bool:
    """Whether the event log, which tells of another cycle, is among its evidence."""
    said = (each.event for each in finding.supports if isinstance(each.event, BoardSaid))
    return any(event.via == "events" for event in said)


CLAIM_SIGNATURES: tuple[Signature, ...] = (
    Signature(
        name="claims-from-earlier-cycle",
        title="the board tells of an earlier cycle as if it were this one",
        look=_claims_from_earlier_cycle,
        cause="flags and events are kept over a reset or a replug, and nothing says to which cycle they belong.",
        remedy="clear them with each start and each mount, or write the boot and the mount beside each event.",
        source="mcu-apple-bridge main/event_log.c at 0d5a385",
        explains=_rests_on_log,
    ),
    Signature(
        name="dhcp-claims-by-port",
        title="the board's event log calls every DHCP message of a server an OFFER",
        look=_dhcp_claims_by_port,
        cause="messages are told by their UDP ports: 67 to 68 is OFFER, ACK and NAK alike. A handshake that succeeded "
        "reads DISCOVER, OFFER, DISCOVER, OFFER.",
        remedy="tell them by option 53, and record an ACK and the address that it gives.",
        source="mcu-apple-bridge main/network_setup.c at 0d5a385; RFC 2132 section 9.6",
    ),
    Signature(
        name="discarded-frames-claimed",
        title="the board says that it heard what it threw away",
        look=_discarded_frames_claimed,
        cause="a frame is recorded where USB hands it over; the IP stack, which is not ready, drops it. The host has "
        "asked into a link that was announced too early.",
        remedy="record what the stack has taken, and hold the link down until the stack is ready.",
        source="mcu-apple-bridge main/network_setup.c at 0d5a385; ESP-IDF esp_netif_lwip.c, esp_netif_receive",
        explains=_is_the_early_link,
    ),
    Signature(
        name="first-frames-not-told-anew",
        title="after a mount the board does not tell of its first frames",
        look=_first_frames_not_told_anew,
        cause="the latches of FIRST_RX and FIRST_TX are cleared by an unmount alone; a bus reset, or a cable that is "
        "pulled where VBUS is not sensed, is none.",
        remedy="clear them with each mount.",
        source="mcu-apple-bridge main/network_setup.c at 0d5a385; TinyUSB usbd.c; ESP-IDF components/usb/usb_phy.c",
        across_enumerations=True,
    ),
    Signature(
        name="drops-not-counted",
        title="the board throws frames away while it is not configured, and counts none",
        look=_drops_not_counted,
        cause="the send path returns success for a frame that it drops, as there is no mount or no link.",
        remedy="count them, log the first of a second, and return an error.",
        source="mcu-apple-bridge main/network_setup.c at 0d5a385",
        across_enumerations=True,
    ),
)
"""What can be wrong with what the board says."""
