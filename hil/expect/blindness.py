"""Where nothing could have been seen: a gap in a channel while it was to show that something does not happen.

A gap is dated by its end and reaches back by ``lasted_s``; one of -1 begins there and lasts until the end of the run;
one of 0 is a single datum that could not be read, as at every unplug, and hides nothing else.
"""

from collections.abc import Iterable

from hil.clock import to_ns, to_s
from hil.expect.channels import channels_of
from hil.expect.engine import Expectation, Watched
from hil.timeline.events import ANY, CaptureGap, Event


def blindness(expectation: Expectation, events: Iterable[Event]) -> str:
    """Why an expectation that is met does not prove what it forbids, or ''.

    Args:
        expectation: one that is decided.
        events: those that tell of gaps; others are left alone.
    """
    gaps = [event for event in events if isinstance(event, CaptureGap) and event.lasted_s]
    for watched in expectation.watched():
        for gap in gaps:
            if _hides(gap, watched, expectation.board):
                return f"cannot judge {watched.step!r}: {_told(gap, expectation)}"
    return ""


def _hides(gap: CaptureGap, watched: Watched, board: str | None) -> bool:
    """Whether what is forbidden could have come in the gap, through its channel and from its board."""
    of = watched.pattern.board if watched.pattern.board is not ANY else board
    if gap.channel not in channels_of(watched.pattern) or (gap.board and isinstance(of, str) and gap.board != of):
        return False
    begin_ns, end_ns = _stretch(gap)
    return begin_ns <= watched.end_ns and (end_ns is None or end_ns >= watched.begin_ns)


def _stretch(gap: CaptureGap) -> tuple[int, int | None]:
    if gap.lasted_s < 0:
        return gap.t_ns - gap.t_err_ns, None
    return gap.t_ns - gap.t_err_ns - to_ns(gap.lasted_s), gap.t_ns


def _told(gap: CaptureGap, expectation: Expectation) -> str:
    begin_ns, end_ns = _stretch(gap)
    until = "the end of the run" if end_ns is None else f"{to_s(end_ns - expectation.since_ns):+.3f} s"
    begin_s = to_s(begin_ns - expectation.since_ns)
    return f"{gap.channel} was blind from {begin_s:+.3f} s to {until} of {expectation.since_name}: {gap.reason}"
