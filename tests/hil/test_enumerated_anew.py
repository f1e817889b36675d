"""A board that is enumerated anew, its chip running on: it begins anew too, and owns up to what it could not send."""

import json

import pytest

from hil import ArpRequest, BoardFailure, Carrier, DhcpAck, Expect, Host, HttpReply, UsbBoard
from hil.device.readings import Reading

AWAY_S = 2.5
"""A board that asks for a hardware address in vain asks again after 1 s (RFC 1122 section 2.3.2.1)."""


@pytest.mark.hil(needs="bus_reset", role="dhcp-server")
def test_bus_reset_is_a_new_beginning(board: UsbBoard, host: Host, expect: Expect) -> None:
    """After a bus reset the host has its lease again, and the board tells of the mount and of its first frames."""
    linux = host.persona("linux")
    leased = linux.connect(board.name)
    reset = board.usb_reset()
    expect.sequence(Carrier(up=True), DhcpAck(address=leased, sender="board"), since=reset, within_s=15.0)
    assert linux.wait_for_lease() == leased
    board.claims("USB_MOUNTED", "FIRST_RX", "FIRST_TX", since=reset)


@pytest.mark.hil(needs="reconfigure", role="dhcp-server")
def test_what_cannot_be_sent_is_counted(board: UsbBoard, host: Host, expect: Expect) -> None:
    """A board that has something to say while it is not configured counts that it could not say it."""
    if not board.knows("http.version"):
        pytest.skip(f"profile {board.profile.name} has no count of what could not be sent")
    linux = host.persona("linux")
    linux.connect(board.name)
    asked = version(board, expect)
    before = dropped(asked)
    nobody = linux.ping_as_nobody()
    expect.sequence(ArpRequest(target_ip=nobody, sender="board"), since=asked, within_s=3.0)
    away = board.authorize_cycle(off_s=AWAY_S)
    expect.sequence(Carrier(up=True), DhcpAck(sender="board"), since=away, within_s=15.0)
    linux.wait_for_lease()
    after = dropped(version(board, expect))
    if after <= before:
        raise BoardFailure(f"the board had something to say while it was away, and counts {after} drops as before")


def version(board: UsbBoard, expect: Expect) -> Reading:
    asked = board.get(board.profile.http.version)
    expect.sequence(HttpReply(board.profile.http.version, 200), after=asked, within_s=5.0)
    return asked


def dropped(told: Reading) -> int:
    """Frames that the board could not send since it booted, as it tells itself."""
    count = json.loads(told.body).get("tx_dropped")
    if not isinstance(count, int):
        pytest.skip(f"{told.reply.path} of this board tells no tx_dropped")
    return count
