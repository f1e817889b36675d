"""A replug after success heals nothing and breaks nothing."""

import pytest

from hil import Carrier, DhcpAck, Expect, Host, HttpReply, UsbAttached, UsbBoard, UsbDetached


@pytest.mark.hil(needs="disconnect", role="dhcp-server")
def test_replug_after_success_serves_a_lease_again(board: UsbBoard, host: Host, expect: Expect) -> None:
    """A board that has served a lease serves it again after the cable is pulled and put back."""
    ios = host.persona("ios")
    leased = ios.connect(board.name)
    pulled = board.replug(off_s=1.0)
    expect.sequence(
        UsbDetached(path=board.spec.usb),
        UsbAttached(path=board.spec.usb),
        Carrier(up=True),
        DhcpAck(address=leased, sender="board"),
        since=pulled,
        within_s=15.0,
    )
    assert ios.wait_for_lease() == leased
    if board.knows("http.status"):
        expect.sequence(HttpReply("/status", 200), after=board.status(), within_s=2.0)
    board.claims("USB_MOUNTED", "NCM_LINK_UP", "FIRST_RX", since=pulled)
