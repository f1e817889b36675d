"""A host that comes from another network gets an address of this one."""

import pytest

from hil import (
    Carrier,
    DhcpAck,
    DhcpDiscover,
    DhcpNak,
    DhcpOffer,
    DhcpRequest,
    Expect,
    Host,
    UsbBoard,
    not_,
    within,
)
from hil.personas.client_profile import NakRule
from hil.personas.states import REBOOTING

ELSEWHERE = "10.20.30.40"
STRICT = NakRule(checked_in=frozenset((REBOOTING,)))
"""A host that believes only the refusal of a server that says who it is; it asks for its old address 8 s long."""


@pytest.mark.hil(needs="disconnect", role="dhcp-server")
def test_host_from_another_network_is_refused_and_served_at_once(board: UsbBoard, host: Host, expect: Expect) -> None:
    """The address that the host had elsewhere is refused by name of the server, and one of the board's is given."""
    board.unplug()
    visitor = host.persona("linux", remembered=ELSEWHERE, nak=STRICT)
    visitor.start(board.name)
    plugged = board.plug()
    served = expect.sequence(
        Carrier(up=True),
        DhcpRequest(sender="host", requested=ELSEWHERE),
        within(DhcpNak(sender="board", server=not_("")), 2.0),
        DhcpDiscover(sender="host"),
        DhcpOffer(sender="board"),
        DhcpRequest(sender="host"),
        DhcpAck(sender="board"),
        since=plugged,
        within_s=15.0,
    )
    assert visitor.wait_for_lease() == served.last(DhcpAck).address
    assert board.in_pool(visitor.address)
    board.claims("DHCP_NAK_TX", "DHCP_ACK_TX", since=plugged)
