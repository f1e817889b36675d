"""A verdict says what the sentence took, and when."""

import pytest

from hil.expect import Expectation, Failed, Met, Pending, within
from hil.timeline.events import Carrier, UsbAttached

STAMP = {"t_err_ns": 5, "board": "s3-a", "source": "netlink"}


def test_a_sentence_of_one_step_is_met_by_the_first_event_that_fits() -> None:
    """Nothing that comes later, with whatever time, changes that."""
    expectation = Expectation([Carrier(up=True)], 100, 1.0)
    assert expectation.outcome == Pending(1)
    down, late, early = (Carrier(up, "usb0", t_ns=at, **STAMP) for up, at in ((False, 200), (True, 400), (True, 300)))  # type: ignore[arg-type]
    expectation.feed_all([down, late, early])
    assert expectation.outcome == Met((late,), ((late,),), 400)
    assert expectation.taken(1) == (late,)
    assert expectation.missing(1) == ()
    assert expectation.deadline_ns is None


@pytest.mark.parametrize("t_ns", [94, 1_000_000_106])
def test_what_lies_outside_the_window_does_not_meet_it(t_ns: int) -> None:
    """Not even a sentence of one step."""
    expectation = Expectation([Carrier(up=True)], 100, 1.0)
    expectation.feed(Carrier(True, "usb0", t_ns=t_ns, **STAMP))  # type: ignore[arg-type]
    assert expectation.outcome == Pending(1)
    assert isinstance(expectation.close(), Failed)


def test_a_sentence_of_one_step_may_have_a_limit_of_its_own() -> None:
    """What comes after that limit is late, though inside the window."""
    expectation = Expectation([within(UsbAttached(), 0.5)], 0, 1.0)
    expectation.feed(UsbAttached(t_ns=600_000_000, t_err_ns=0, board="s3-a", source="uevent"))
    assert expectation.close() == Failed("late", 1, 500_000_000)
