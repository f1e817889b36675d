"""A board that is plugged in serves the host at once."""

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
)


@pytest.mark.hil(needs="disconnect", role="dhcp-server")
def test_host_that_waits_at_the_port_gets_a_lease(board: UsbBoard, host: Host, expect: Expect) -> None:
    """An iPhone that is there before the board has booted gets an address and is answered over HTTP."""
    ios = host.persona("ios")
    ios.start(board.name)
    pulled = board.replug(off_s=1.0)
    served = expect.sequence(
        UsbAttached(path=board.spec.usb),
        NetifAppeared(),
        Carrier(up=True),
        DhcpDiscover(sender="host"),
        DhcpOffer(sender="board"),
        DhcpRequest(sender="host"),
        DhcpAck(sender="board"),
        since=pulled,
        within_s=15.0,
    )
    assert ios.wait_for_lease() == served.last(DhcpAck).address
    assert board.serves(ios.address)
    if board.knows("http.status"):
        expect.sequence(HttpReply("/status", 200), after=board.status(), within_s=2.0)
    board.claims("NETIF_READY", "USB_MOUNTED", "NCM_LINK_UP", "DHCP_ACK_TX", since=pulled)
