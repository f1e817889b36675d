"""What the board says of a connect, put on the host's clock, fits what the host saw."""

from collections.abc import Iterable

import pytest

from hil import (
    BoardSaid,
    Carrier,
    DhcpAck,
    DhcpDiscover,
    DhcpOffer,
    DhcpRequest,
    Event,
    Expect,
    Host,
    UsbAttached,
    UsbBoard,
)
from hil.clock import to_ns

HANDOVER_S = 0.05
"""A frame may be on the wire before the task that handed it over comes to write that down."""
SPAN: dict[str, tuple[type[Event] | None, type[Event]]] = {
    "NETIF_READY": (None, Carrier),
    "USB_MOUNTED": (UsbAttached, Carrier),
    "NCM_LINK_UP": (UsbAttached, Carrier),
    "FIRST_RX": (Carrier, DhcpOffer),
    "DHCP_DISCOVER_RX": (DhcpDiscover, DhcpOffer),
    "DHCP_OFFER_TX": (DhcpDiscover, DhcpOffer),
    "DHCP_REQUEST_RX": (DhcpRequest, DhcpAck),
    "DHCP_ACK_TX": (DhcpRequest, DhcpAck),
    "DHCP_ASSIGNED": (DhcpRequest, DhcpAck),
}
"""Claim, what the host saw before it can be true, if anything, and what it sees once it is true."""


@pytest.mark.hil(needs="disconnect", role="dhcp-server")
def test_what_the_board_says_of_a_connect_fits_what_the_host_saw(board: UsbBoard, host: Host, expect: Expect) -> None:
    """The board's own sequence is in order, and no claim of it lies outside of what the host saw around it."""
    if not board.knows("sequence.connect"):
        pytest.skip(f"profile {board.profile.name} knows no sequence of a connect")
    ios = host.persona("ios")
    ios.start(board.name)
    pulled = board.replug(off_s=1.0)
    served = expect.sequence(
        UsbAttached(path=board.spec.usb),
        Carrier(up=True),
        DhcpDiscover(sender="host"),
        DhcpOffer(sender="board"),
        DhcpRequest(sender="host"),
        DhcpAck(sender="board"),
        since=pulled,
        within_s=15.0,
    )
    ios.wait_for_lease()
    board.claims_in_order("connect", since=pulled)
    seen = {type(event): event for event in served.events}
    said = [claim for claim in board.events() if claim.name in SPAN and claim.t_ns + claim.t_err_ns >= pulled.t_ns]
    dated = first_of_each(claim for claim in said if claim.t_err_ns < to_ns(1.0))
    for name in sorted({claim.name for claim in said} - set(dated)):
        board.on_skipped_check(f"{name} in the host's time: it is not known to the second when it was said")
    assert [text for claim in dated.values() if (text := disagreement(claim, seen))] == []


def first_of_each(said: Iterable[BoardSaid]) -> dict[str, BoardSaid]:
    """The first claim of each name."""
    first: dict[str, BoardSaid] = {}
    for claim in said:
        first.setdefault(claim.name, claim)
    return first


def disagreement(claim: BoardSaid, seen: dict[type[Event], Event]) -> str:
    """How a claim contradicts the host, beyond the error bounds of both; '' where it does not."""
    earliest, latest = SPAN[claim.name]
    if earliest is not None:
        before = seen[earliest]
        if claim.t_ns + claim.t_err_ns < before.t_ns - before.t_err_ns:
            return f"{claim!r} was said {_ms(before.t_ns - claim.t_ns)} before {before!r}"
    after = seen[latest]
    if claim.t_ns - claim.t_err_ns > after.t_ns + after.t_err_ns + to_ns(HANDOVER_S):
        return f"{claim!r} was said {_ms(claim.t_ns - after.t_ns)} after {after!r}"
    return ""


def _ms(duration_ns: int) -> str:
    return f"{duration_ns / 1e6:.1f} ms"
