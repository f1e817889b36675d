"""Two boards on one host do not get into each other's way."""

import pytest

from hil import DhcpAck, DhcpRequest, Expect, Host, HttpReply, UsbBoard, UsbSerialNumber
from hil.timeline.timeline import Timeline


@pytest.mark.hil(needs="disconnect", role="dhcp-server")
def test_two_boards_serve_one_host_side_by_side(
    board: UsbBoard, neighbour: UsbBoard, host: Host, expect: Expect, timeline: Timeline
) -> None:
    """Each board gives its lease and answers over HTTP beside the other, and the host can tell the two apart."""
    boards = (board, neighbour)
    clients = [host.persona("linux") for _ in boards]
    for client, each in zip(clients, boards, strict=True):
        client.start(each.name)
    pulled = [each.replug(off_s=1.0) for each in boards]
    acks = [DhcpAck(sender="board", board=each.name) for each in boards]
    expect.unordered(*acks, since=pulled[0], within_s=20.0)
    for client, each in zip(clients, boards, strict=True):
        assert each.in_pool(client.wait_for_lease())
        if each.knows("http.status"):
            expect.sequence(HttpReply("/status", 200, board=each.name), after=each.status(), within_s=2.0)
    shown = [timeline.last(UsbSerialNumber(path=each.spec.usb)) for each in boards]
    asked = [timeline.last(DhcpRequest(sender="host", board=each.name)) for each in boards]
    assert len({event.serial for event in shown if isinstance(event, UsbSerialNumber)}) == 2
    assert len({event.client_mac for event in asked if isinstance(event, DhcpRequest)}) == 2
    for each, since in zip(boards, pulled, strict=True):
        each.claims("USB_MOUNTED", "DHCP_ACK_TX", since=since)
