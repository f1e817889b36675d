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
    repeated,
)

MACOS = pytest.param("macos", marks=pytest.mark.soak)
HANDSHAKE = (
    DhcpDiscover(sender="host"),
    DhcpOffer(sender="board"),
    DhcpRequest(sender="host"),
    DhcpAck(sender="board"),
)
RECOVERIES = 2
"""In five silent seconds a board may try twice to be heard: it waits 2 s, and is off the bus for about 1 s."""


@pytest.mark.parametrize("persona", ["ios", "macos"])
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
    assert board.in_pool(apple.address)
    if board.knows("http.status"):
        expect.sequence(HttpReply("/status", 200), after=board.status(), within_s=2.0)
    board.claims("NETIF_READY", "USB_MOUNTED", "NCM_LINK_UP", "DHCP_ACK_TX", since=pulled)


@pytest.mark.parametrize("persona", ["ios", MACOS])
@pytest.mark.hil(needs="disconnect", role="dhcp-server")
def test_host_that_comes_five_seconds_late_gets_a_lease(
    board: UsbBoard, host: Host, expect: Expect, persona: str
) -> None:
    """A board that hears nothing for 5 s tries to be heard no more than twice, and serves the first host that comes."""
    pulled = board.replug(off_s=1.0)
    attached = expect.sequence(UsbAttached(path=board.spec.usb), since=pulled, within_s=10.0).last(UsbAttached)
    expect.never(DhcpOffer(sender="board"), for_s=5.0, since=attached)
    apple = host.persona(persona)
    apple.start(board.name)
    expect.sequence(
        repeated(UsbDetached(path=board.spec.usb), 0, at_most=RECOVERIES), *HANDSHAKE, since=attached, within_s=20.0
    )
    assert board.in_pool(apple.wait_for_lease())
    if board.knows("http.status"):
        expect.sequence(HttpReply("/status", 200), after=board.status(), within_s=2.0)
    board.claims("USB_MOUNTED", "NCM_LINK_UP", "DHCP_ACK_TX", since=pulled)
