"""Bounds of when something can have happened."""

from pathlib import Path

import pytest

from hil.capture.arrival import BLIND_ROUND_S, EMULATED_WAKE_NS, WAKE_NS, Arrivals, RunDelay
from hil.clock import now_ns


def test_source_that_was_read_is_empty_since_then() -> None:
    """In the next round what is found came after the last reading."""
    arrivals = Arrivals(RunDelay())
    arrivals.looked()
    read_at = arrivals.moment(5)
    arrivals.emptied(5, read_at, more=False)
    arrivals.looked()
    after = arrivals.moment(5)
    assert after.t_ns - after.err_ns == read_at.t_ns


def test_source_with_a_backlog_keeps_its_old_bound() -> None:
    """What was left behind by a reading may be as old as what was read."""
    arrivals = Arrivals(RunDelay())
    arrivals.added(5, 42)
    arrivals.looked()
    first = arrivals.moment(5)
    assert first.t_ns - first.err_ns == 42
    arrivals.emptied(5, first, more=True)
    arrivals.looked()
    second = arrivals.moment(5)
    assert second.t_ns - second.err_ns == 42


def test_source_that_was_not_ready_was_empty_then() -> None:
    """A round in which epoll did not name a descriptor is a new bound for it."""
    arrivals = Arrivals(RunDelay())
    arrivals.added(5, 42)
    arrivals.looked()
    looked_after = now_ns()
    arrivals.looked()
    arrivals.looked()
    now = arrivals.moment(5)
    assert now.t_ns - now.err_ns >= looked_after


def test_what_ended_a_wait_may_have_come_a_wake_up_earlier() -> None:
    """The time that a wake-up takes is in the bound, and in an emulated machine it takes longer."""
    counted = RunDelay()
    if not counted.counted:
        pytest.skip("this kernel does not count run_delay")
    quick, slow = Arrivals(counted, wake_ns=1000), Arrivals(counted, wake_ns=EMULATED_WAKE_NS)
    for arrivals in (quick, slow):
        arrivals.added(5, 0)
        arrivals.looked()
        arrivals.waiting()
        arrivals.woke()
    bounds = [now.t_ns - now.err_ns for now in (quick.moment(5), slow.moment(5))]
    assert bounds[0] - bounds[1] > EMULATED_WAKE_NS - WAKE_NS


def test_kernel_without_run_delay_is_asked_often(tmp_path: Path) -> None:
    """Where the kernel does not count, the wait itself bounds the error, so it is short."""
    blind = RunDelay(str(tmp_path / "none"))
    assert not blind.counted
    assert blind.read_ns() == 0
    arrivals = Arrivals(blind)
    assert arrivals.longest_wait_s == BLIND_ROUND_S
    arrivals.looked()
    before = now_ns()
    arrivals.waiting()
    arrivals.woke()
    now = arrivals.moment(5)
    assert now.t_ns - now.err_ns <= before


def test_run_delay_grows_and_is_nanoseconds() -> None:
    """The thread's own counter never goes back."""
    delay = RunDelay()
    first = delay.read_ns()
    assert 0 <= first <= delay.read_ns()
    delay.close()
