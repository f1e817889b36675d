"""What takes its time is done beside the loop."""

import os
import select
import threading

import pytest

from hil.capture.errands import Errands, at_once
from hil.capture.source import Moment
from hil.clock import now_ns, to_s
from hil.timeline.events import UsbSerialNumber

from .conftest import SlowToClose

pytestmark = pytest.mark.slow


def test_closing_takes_a_second_here(slow_to_close: SlowToClose) -> None:
    """Else the other tests show nothing."""
    began_ns = now_ns()
    os.close(slow_to_close.fd)
    assert to_s(now_ns() - began_ns) > 0.5 * slow_to_close.takes_s


def test_the_loop_goes_on_while_a_port_is_being_closed(slow_to_close: SlowToClose, now: Moment) -> None:
    """Beginning takes no time; what is to follow does so when the descriptor is closed, which the loop is told."""
    errands, done = Errands(), list[str]()
    began_ns = now_ns()
    errands.close_port(slow_to_close.fd)
    errands.when_closed(lambda: done.append("closed"))
    assert to_s(now_ns() - began_ns) < 0.5 * slow_to_close.takes_s
    assert done == []
    assert select.select([errands], [], [], 10.0)[0]
    assert errands.read(now) == []
    assert done == ["closed"]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(slow_to_close.fd)
    errands.close()


def test_with_nothing_to_close_nothing_is_waited_for() -> None:
    """What is to follow does so at once."""
    errands, done = Errands(), list[str]()
    errands.when_closed(lambda: done.append("closed"))
    assert done == ["closed"]
    errands.close()


def test_what_is_read_beside_the_loop_is_told_by_it(now: Moment) -> None:
    """The thread only reads; the events are made, and written, where all others are."""
    errands, go_on = Errands(), threading.Event()
    event = UsbSerialNumber("1-1", "123456", **now.stamp("s3-a", "uevent"))

    def read() -> str:
        assert go_on.wait(10.0)
        return threading.current_thread().name

    assert errands.fetch(read, lambda name: [event] if name != threading.current_thread().name else []) is None
    assert not select.select([errands], [], [], 0.0)[0]
    go_on.set()
    assert select.select([errands], [], [], 10.0)[0]
    assert errands.read(now) == [event]
    errands.close()


def test_without_a_loop_it_is_read_at_once(now: Moment) -> None:
    """Whoever has nothing else to do waits."""
    event = UsbSerialNumber("1-1", "123456", **now.stamp("s3-a", "uevent"))
    assert at_once(lambda: "123456", lambda serial: [event] if serial == "123456" else []) == [event]
