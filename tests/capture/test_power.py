"""Runtime suspend is polled, and each event says how well its time is known."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hil.capture.boards import Boards
from hil.capture.power import IDLE_POLL_NS, POLL_NS, PowerSource
from hil.capture.source import Moment
from hil.timeline.events import UsbResumed, UsbSuspended

Sysfs = Callable[[str, str], Path]


@pytest.fixture
def source(sysfs: Sysfs) -> PowerSource:
    """A source over an awake board whose power is not managed."""
    sysfs("power/control", "on")
    return PowerSource("s3-a", "1-1", Boards(sysfs("power/runtime_status", "active")))


def step(source: PowerSource, after_ns: int = POLL_NS) -> list[object]:
    at_ns = source.since_ns if source.deadline_ns is None else source.deadline_ns
    return list(source.wake(Moment(at_ns + after_ns - POLL_NS, 0)))


def test_status_is_not_looked_at_while_power_is_not_managed(source: PowerSource, sysfs: Sysfs) -> None:
    """With control at on only control is read, four times a second."""
    sysfs("power/runtime_status", "suspended")
    began = source.deadline_ns or 0
    assert step(source) == []
    assert source.deadline_ns == began + IDLE_POLL_NS


def test_suspend_and_resume_are_told_with_the_poll_distance(source: PowerSource, sysfs: Sysfs) -> None:
    """The error is the distance of the two readings; suspending is not yet suspended."""
    sysfs("power/control", "auto")
    assert step(source) == []
    sysfs("power/runtime_status", "suspending")
    assert step(source) == []
    sysfs("power/runtime_status", "suspended")
    (suspended,) = step(source)
    assert isinstance(suspended, UsbSuspended)
    assert (suspended.path, suspended.t_err_ns, suspended.source) == ("1-1", POLL_NS, "sysfs")
    sysfs("power/runtime_status", "active")
    (resumed,) = step(source)
    assert isinstance(resumed, UsbResumed)


def test_resume_is_told_when_control_ends_the_suspend(source: PowerSource, sysfs: Sysfs) -> None:
    """Setting control to on wakes the device; the status is followed until it is awake."""
    sysfs("power/control", "auto")
    sysfs("power/runtime_status", "suspended")
    step(source)
    sysfs("power/control", "on")
    sysfs("power/runtime_status", "active")
    assert [type(e) for e in step(source)] == [UsbResumed]


def test_unplugged_board_is_not_resumed(source: PowerSource, sysfs: Sysfs) -> None:
    """A device that went away while suspended did not wake up."""
    sysfs("power/control", "auto")
    root = sysfs("power/runtime_status", "suspended")
    step(source)
    for name in ("control", "runtime_status"):
        (root / "bus/usb/devices/1-1/power" / name).unlink()
    assert step(source) == []
    assert step(source) == []
