"""What the board says of itself, where the host knows better."""

from hil.diagnosis.finding import Evidence, Finding
from hil.diagnosis.signature import Sides, Signature, seen
from hil.diagnosis.window import ESPRESSIF, Window
from hil.expect import one_of
from hil.timeline.events import BoardSaid, DhcpDiscover, DhcpRequest, UsbAttached

HEARD = ("DHCP_DISCOVER_RX", "DHCP_REQUEST_RX")


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
)
"""What can be wrong with what the board says."""
