"""A board that sleeps with the bus loses neither its lease nor what it has to say."""

import pytest

from hil import ArpRequest, Carrier, DhcpAck, Expect, Host, HttpReply, UsbBoard


@pytest.mark.parametrize("persona", ["linux", pytest.param("macos", marks=pytest.mark.soak)])
@pytest.mark.hil(needs="suspend", role="dhcp-server")
def test_suspend_keeps_frames_and_the_lease(board: UsbBoard, host: Host, expect: Expect, persona: str) -> None:
    """What the board has to send while the bus sleeps arrives, and the lease is kept or regained after resume."""
    computer = host.persona(persona)
    leased = computer.connect(board.name)
    nobody = computer.ping_as_nobody()
    asleep, awake = board.doze(asleep_s=2.5)
    expect.sequence(ArpRequest(target_ip=nobody, sender="board"), since=asleep, within_s=5.0)
    if expect.seen(Carrier(up=False), since=awake, within_s=1.0):
        expect.sequence(Carrier(up=True), DhcpAck(address=leased, sender="board"), since=awake, within_s=10.0)
    assert computer.wait_for_lease() == leased
    if board.knows("http.status"):
        expect.sequence(HttpReply("/status", 200), after=board.status(), within_s=3.0)
    board.claims("USB_SUSPENDED", "USB_RESUMED", since=asleep)
