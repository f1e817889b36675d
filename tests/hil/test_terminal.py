"""A terminal at the board's serial port: who listens hears the log, and nothing else depends on it."""

import re

import pytest

from hil import (
    Carrier,
    DhcpAck,
    Expect,
    Host,
    HttpReply,
    SerialLine,
    SerialOpened,
    UsbAttached,
    UsbBoard,
    UsbControl,
    UsbDetached,
    one_of,
    regex,
)

DTR_HIGH = one_of(1, 3)
"""wValue of SET_CONTROL_LINE_STATE: DTR, with RTS or without."""
LOG_LINE = r"^[EWIDV] \(\d+\) [\w.-]+: "
TWO_LINES_IN_ONE = r".[EWIDV] \(\d+\) [\w.-]+: "
MORE_THAN_A_FIFO = 40
"""Requests that leave a line each: more than the 512 bytes of a CDC FIFO."""


def line_maker(board: UsbBoard) -> str:
    """A path that leaves lines in the board's log when it is asked for."""
    if board.knows("http.endpoints"):
        for endpoint in board.profile.http.endpoints:
            if endpoint.method == "GET" and endpoint.effect == "logs":
                return endpoint.path
    pytest.skip(f"profile {board.profile.name} names no GET that leaves a line in the log")


@pytest.mark.hil(needs="disconnect", role="dhcp-server")
def test_board_serves_without_a_terminal(board: UsbBoard, host: Host, expect: Expect) -> None:
    """With nobody at its serial port the board enumerates, gives a lease and answers over HTTP."""
    board.close_terminal()
    ios = host.persona("ios")
    ios.start(board.name)
    pulled = board.replug(off_s=1.0)
    served = expect.sequence(
        UsbAttached(path=board.spec.usb), Carrier(up=True), DhcpAck(sender="board"), since=pulled, within_s=15.0
    )
    assert ios.wait_for_lease() == served.last(DhcpAck).address
    if board.knows("http.status"):
        status = board.profile.http.status
        expect.sequence(HttpReply(status, 200), after=board.first_answer(status), within_s=2.0)
    expect.never(SerialOpened(source="serial"), for_s=1.0, since=pulled)


@pytest.mark.hil(role="dhcp-server")
def test_log_flows_to_a_terminal(board: UsbBoard, host: Host, expect: Expect) -> None:
    """Whoever opens the port and raises DTR gets the log, in whole lines that begin as lines do."""
    path = line_maker(board)
    linux = host.persona("linux")
    linux.connect(board.name)
    listening = board.open_terminal()
    expect.sequence(UsbControl(request="SET_CONTROL_LINE_STATE", value=DTR_HIGH, status=0), since=listening)
    asked = board.get(path)
    expect.sequence(HttpReply(path, 200), after=asked, within_s=2.0)
    expect.sequence(SerialLine(source="serial", text=regex(LOG_LINE), complete=True), since=asked, within_s=2.0)
    expect.never(SerialLine(source="serial", text=regex(TWO_LINES_IN_ONE)), for_s=2.0, since=listening)


@pytest.mark.hil(needs="disconnect", role="dhcp-server")
def test_log_of_a_boot_begins_with_a_whole_line(board: UsbBoard, host: Host, expect: Expect) -> None:
    """A terminal that waits at the port gets the first line as it was written, and the board serves all the same."""
    path = line_maker(board)
    linux = host.persona("linux")
    linux.start(board.name)
    pulled = board.replug(off_s=1.0)
    expect.sequence(Carrier(up=True), DhcpAck(sender="board"), since=pulled, within_s=15.0)
    linux.wait_for_lease()
    expect.sequence(HttpReply(path, 200), after=board.first_answer(path), within_s=2.0)
    heard = expect.sequence(
        SerialOpened(source="serial", dtr=True), SerialLine(source="serial"), since=pulled, within_s=15.0
    )
    first = heard.last(SerialLine)
    assert first.complete
    assert re.search(LOG_LINE, first.text), first


@pytest.mark.hil(role="dhcp-server")
def test_toggling_dtr_does_not_disturb_the_link(board: UsbBoard, host: Host, expect: Expect) -> None:
    """A terminal that is opened, lowered and closed again and again leaves carrier, lease and HTTP as they are."""
    linux = host.persona("linux")
    leased = linux.connect(board.name)
    first = board.open_terminal(dtr=False)
    board.open_terminal()
    board.close_terminal()
    last = board.open_terminal()
    expect.sequence(
        UsbControl(request="SET_CONTROL_LINE_STATE", value=one_of(0, 2), status=0),
        UsbControl(request="SET_CONTROL_LINE_STATE", value=DTR_HIGH, status=0),
        since=first,
        within_s=10.0,
    )
    expect.never(Carrier(up=False), for_s=2.0, since=last)
    for disturbance in (Carrier(up=False), UsbDetached(path=board.spec.usb)):
        expect.never(disturbance, for_s=5.0, since=first)
    assert linux.wait_for_lease() == leased
    if board.knows("http.status"):
        expect.sequence(HttpReply(board.profile.http.status, 200), after=board.status(), within_s=2.0)


@pytest.mark.hil(needs="suspend", role="dhcp-server")
def test_log_that_has_to_wait_comes_whole(board: UsbBoard, host: Host, expect: Expect) -> None:
    """What the board logs while the bus sleeps comes in whole lines after resume, or is said to be lost."""
    path = line_maker(board)
    if not board.spec.fallback:
        pytest.skip("needs a fallback address: over USB a sleeping bus would be woken")
    linux = host.persona("linux")
    linux.connect(board.name)
    board.open_terminal()
    asleep = board.suspend()
    for _ in range(MORE_THAN_A_FIFO):
        board.get(path, over="fallback")
    awake = board.resume()
    asked = board.get(path, over="fallback")
    expect.sequence(SerialLine(source="serial"), since=awake, within_s=5.0)
    expect.sequence(HttpReply(path, 200), after=asked, within_s=5.0)
    until_s = (asked.t_ns - asleep.t_ns) / 1e9 + 3.0  # a board may wake the host before it is told to
    expect.never(SerialLine(source="serial", text=regex(TWO_LINES_IN_ONE)), for_s=until_s, since=asleep)
