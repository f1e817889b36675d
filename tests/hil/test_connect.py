"""A board that is plugged in serves the host, whether that is there at once or comes late."""

import pytest

from hil import (
    Carrier,
    DhcpAck,
    DhcpDiscover,
    DhcpOffer,
    DhcpRequest,
    Expect,
    Host,
    HttpReply,
    NetifAppeared,
    UsbAttached,
    UsbBoard,
    UsbDetached,
)
from hil.timeline.timeline import Timeline

APPLE = pytest.mark.parametrize("persona", ["ios", "macos"])
HANDSHAKE = (
    DhcpDiscover(sender="host"),
    DhcpOffer(sender="board"),
    DhcpRequest(sender="host"),
    DhcpAck(sender="board"),
)
RECOVERIES = 2
"""In five silent seconds a board may try twice to be heard: it waits 2 s, and is off the bus for about 1 s."""


@APPLE
@pytest.mark.hil(needs="disconnect", role="dhcp-server")
def test_host_that_waits_at_the_port_gets_a_lease(board: UsbBoard, host: Host, expect: Expect, persona: str) -> None:
    """A host that is there before the board has booted gets an address and is answered over HTTP."""
    apple = host.persona(persona)
    apple.start(board.name)
    pulled = board.replug(off_s=1.0)
    served = expect.sequence(
        UsbAttached(path=board.spec.usb),
        NetifAppeared(),
        Carrier(up=True),
        *HANDSHAKE,
        since=pulled,
        within_s=15.0,
    )
    assert apple.wait_for_lease() == served.last(DhcpAck).address
    assert board.serves(apple.address)
    if board.knows("http.status"):
        expect.sequence(HttpReply("/status", 200), after=board.status(), within_s=2.0)
    board.claims("NETIF_READY", "USB_MOUNTED", "NCM_LINK_UP", "DHCP_ACK_TX", since=pulled)


@APPLE
@pytest.mark.hil(needs="disconnect", role="dhcp-server")
def test_host_that_comes_five_seconds_late_gets_a_lease(
    board: UsbBoard, host: Host, expect: Expect, timeline: Timeline, persona: str
) -> None:
    """A board that nobody has spoken to for 5 s still serves the first host that does, and then stays on the bus."""
    pulled = board.replug(off_s=1.0)
    attached = expect.sequence(UsbAttached(path=board.spec.usb), since=pulled, within_s=10.0).last(UsbAttached)
    expect.never(DhcpOffer(sender="board"), for_s=5.0, since=attached)
    apple = host.persona(persona)
    apple.start(board.name)
    served = expect.sequence(*HANDSHAKE, since=attached, within_s=20.0).last(DhcpAck)
    assert board.serves(apple.wait_for_lease())
    expect.never(UsbDetached(path=board.spec.usb), for_s=3.0, since=served)
    attempts = [each for each in timeline.since(pulled.t_ns) if isinstance(each, UsbAttached)]
    assert len([each for each in attempts if each.path == board.spec.usb]) <= 1 + RECOVERIES
    if board.knows("http.status"):
        expect.sequence(HttpReply("/status", 200), after=board.status(), within_s=2.0)
    board.claims("USB_MOUNTED", "NCM_LINK_UP", "DHCP_ACK_TX", since=pulled)
