"""Descriptors whose closing takes its time."""

import os
import select

import pytest

from hil.capture.closings import Closings
from hil.capture.source import Moment
from hil.clock import now_ns, to_s

from .conftest import SlowToClose

pytestmark = pytest.mark.slow


def test_closing_takes_a_second_here(slow_to_close: SlowToClose) -> None:
    """Else the other tests show nothing."""
    began_ns = now_ns()
    os.close(slow_to_close.fd)
    assert to_s(now_ns() - began_ns) > 0.5 * slow_to_close.takes_s


def test_the_loop_goes_on_while_a_port_is_being_closed(slow_to_close: SlowToClose, now: Moment) -> None:
    """Beginning takes no time; what is to follow does so when the descriptor is closed, which the loop is told."""
    closings, done = Closings(), list[str]()
    began_ns = now_ns()
    closings.begin(slow_to_close.fd)
    closings.after(lambda: done.append("closed"))
    assert to_s(now_ns() - began_ns) < 0.5 * slow_to_close.takes_s
    assert done == []
    assert select.select([closings], [], [], 10.0)[0]
    assert closings.read(now) == []
    assert done == ["closed"]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(slow_to_close.fd)
    closings.close()


def test_with_nothing_to_close_nothing_is_waited_for() -> None:
    """What is to follow does so at once."""
    closings, done = Closings(), list[str]()
    closings.after(lambda: done.append("closed"))
    assert done == ["closed"]
    closings.close()
