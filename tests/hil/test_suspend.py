"""A board that sleeps with the bus loses neither its lease nor what it has to say."""

import pytest

from hil import ArpRequest, BoardSaid, Carrier, DhcpAck, Event, Expect, Host, HttpReply, UsbBoard

STEADY_S = 3.0
"""A link that has not moved for so long after a resume stays."""


@pytest.mark.parametrize("persona", ["linux", pytest.param("macos", marks=pytest.mark.soak)])
@pytest.mark.hil(needs="suspend", role="dhcp-server")
def test_suspend_keeps_frames_and_the_lease(board: UsbBoard, host: Host, expect: Expect, persona: str) -> None:
    """What the board has to send while the bus sleeps arrives; its link stays as it is, and the lease is kept."""
    computer = host.persona(persona)
    leased = computer.connect(board.name)
    nobody = computer.ping_as_nobody()
    asleep, awake = board.doze(asleep_s=2.5)
    expect.sequence(ArpRequest(target_ip=nobody, sender="board"), since=asleep, within_s=5.0)
    settled: Event = awake
    if expect.seen(Carrier(up=False), since=awake, within_s=1.0):
        regained = (Carrier(up=True), DhcpAck(address=leased, sender="board"))
        settled = expect.sequence(*regained, since=awake, within_s=10.0).events[-1]
    assert computer.wait_for_lease() == leased
    if board.knows("http.status"):
        expect.sequence(HttpReply("/status", 200), after=board.status(), within_s=3.0)
    expect.never(Carrier(up=False), since=settled, for_s=STEADY_S)
    board.claims("USB_SUSPENDED", "USB_RESUMED", since=asleep)
    if board.knows("http.events"):
        fresh = [said for said in board.events() if said.t_ns + said.t_err_ns >= asleep.t_ns]
        assert moved_asleep(fresh) == []


def moved_asleep(log: list[BoardSaid]) -> list[BoardSaid]:
    """Where the board's own log, in its own order, has the link come up between a suspend and its end."""
    asleep, moved = False, []
    for said in log:
        if said.name in ("USB_SUSPENDED", "USB_RESUMED", "USB_MOUNTED"):
            asleep = said.name == "USB_SUSPENDED"
        elif said.name == "NCM_LINK_UP" and asleep:
            moved.append(said)
    return moved
