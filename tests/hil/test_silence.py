"""A host that says nothing: the board makes itself known, not a nuisance of itself, and claims nothing."""

import pytest

from hil import Carrier, DhcpAck, DhcpDiscover, Expect, Host, UsbAttached, UsbBoard, UsbDetached, repeated

HEARD = ("DHCP_DISCOVER_RX", "DHCP_REQUEST_RX", "DHCP_OFFER_TX", "DHCP_ACK_TX", "DHCP_ASSIGNED")


@pytest.mark.hil(needs="disconnect", role="dhcp-server")
def test_host_that_has_given_up_asks_again(board: UsbBoard, host: Host, expect: Expect) -> None:
    """An iPhone that has given up asks only after another link: a board that hears nothing gives it one."""
    ios = host.persona("ios", begins_failed=True)
    pulled = board.replug(off_s=1.0)
    up = expect.sequence(UsbAttached(path=board.spec.usb), Carrier(up=True), since=pulled, within_s=15.0)
    ios.start(board.name)
    expect.sequence(DhcpAck(sender="board"), since=up.last(Carrier), within_s=15.0)
    assert board.in_pool(ios.wait_for_lease())


@pytest.mark.hil(needs="disconnect", role="dhcp-server")
def test_silent_host_is_left_in_peace(board: UsbBoard, host: Host, expect: Expect) -> None:
    """However often a board tries to be heard, it pauses longer each time; who comes after that is served."""
    path = board.spec.usb
    board.unplug()
    plugged = board.plug()
    expect.sequence(
        UsbAttached(path=path), repeated(UsbDetached(path=path), 0, at_most=3), since=plugged, within_s=20.0
    )
    assert board.in_pool(host.persona("ios").connect(board.name))


@pytest.mark.hil(needs="vbus_off", role="dhcp-server")
def test_start_without_a_host_leaves_no_claims(board: UsbBoard, host: Host, expect: Expect) -> None:
    """A board that has served a lease, lost its power and met a host that says nothing claims no DHCP since then."""
    if not board.spec.fallback or not board.knows("http.events"):
        pytest.skip("needs an event log that is read over a fallback address: over USB it is the host that is heard")
    ios = host.persona("ios")
    ios.connect(board.name)
    ios.stop()
    pulled = board.replug(off_s=1.0)
    expect.sequence(UsbAttached(path=board.spec.usb), Carrier(up=True), since=pulled, within_s=15.0)
    expect.never(DhcpDiscover(sender="host"), since=pulled, for_s=8.0)
    claimed = [said for said in board.events() if said.name in HEARD and said.t_ns - said.t_err_ns > pulled.t_ns]
    assert claimed == []
