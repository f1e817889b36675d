"""Bounds of when something can have happened."""

from pathlib import Path

from hil.capture.arrival import BLIND_ROUND_S, Arrivals, RunDelay
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
