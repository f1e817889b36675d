"""A replug heals what went wrong before it, and breaks nothing that was right."""

import pytest

from hil import (
    Carrier,
    DhcpAck,
    DhcpOffer,
    Expect,
    Host,
    HttpReply,
    NetifAppeared,
    TtyAppeared,
    UsbAttached,
    UsbBoard,
    UsbDetached,
    repeated,
)

APPLE = pytest.mark.parametrize("persona", ["ios", pytest.param("macos", marks=pytest.mark.soak)])
RAPID_S = 0.3
"""Time enough for a hub to see that the board is gone (USB 2.0 section 7.1.7.3), and little more."""


@APPLE
@pytest.mark.hil(needs="disconnect", role="dhcp-server")
def test_replug_after_success_serves_a_lease_again(board: UsbBoard, host: Host, expect: Expect, persona: str) -> None:
    """A board that has served a lease serves it again after the cable is pulled and put back."""
    apple = host.persona(persona)
    leased = apple.connect(board.name)
    pulled = board.replug(off_s=1.0)
    expect.sequence(
        UsbDetached(path=board.spec.usb),
        UsbAttached(path=board.spec.usb),
        Carrier(up=True),
        DhcpAck(address=leased, sender="board"),
        since=pulled,
        within_s=15.0,
    )
    assert apple.wait_for_lease() == leased
    if board.knows("http.status"):
        expect.sequence(HttpReply("/status", 200), after=board.status(), within_s=2.0)
    board.claims("USB_MOUNTED", "NCM_LINK_UP", "FIRST_RX", since=pulled)


@APPLE
@pytest.mark.hil(needs="disconnect", role="dhcp-server")
def test_replug_after_a_failed_connect_heals(board: UsbBoard, host: Host, expect: Expect, persona: str) -> None:
    """A host that is pulled off in the middle of its first handshake gets a lease when it is plugged in again."""
    apple = host.persona(persona, gather_s=5.0)
    began = board.replug(off_s=1.0)
    apple.start(board.name)
    expect.sequence(UsbAttached(path=board.spec.usb), DhcpOffer(sender="board"), since=began, within_s=15.0)
    assert not apple.address
    pulled = board.replug(off_s=1.0)
    expect.sequence(
        UsbDetached(path=board.spec.usb),
        UsbAttached(path=board.spec.usb),
        Carrier(up=True),
        DhcpAck(sender="board"),
        since=pulled,
        within_s=25.0,
    )
    assert board.in_pool(apple.wait_for_lease())
    board.claims("USB_MOUNTED", "NCM_LINK_UP", "DHCP_ACK_TX", since=pulled)


@APPLE
@pytest.mark.hil(needs="disconnect", role="dhcp-server")
def test_ten_rapid_replugs(board: UsbBoard, host: Host, expect: Expect, persona: str) -> None:
    """However early the cable is pulled: each attach has its detach, none comes by itself, and a lease ends it."""
    path = board.spec.usb
    host.persona(persona).start(board.name)
    first = pulled = board.replug(off_s=RAPID_S)
    for depth in (NetifAppeared(), Carrier(up=True), TtyAppeared()) * 3:
        expect.sequence(UsbAttached(path=path), depth, since=pulled, within_s=15.0)
        pulled = board.replug(off_s=RAPID_S)
    served = expect.sequence(
        repeated(UsbDetached(path=path), 10, at_most=10), DhcpAck(sender="board"), since=first, within_s=120.0
    )
    expect.never(UsbDetached(path=path), since=served.last(DhcpAck), for_s=3.0)
