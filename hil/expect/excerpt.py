"""A few of many events, as the timeline part of a message: what matters always, the rest as far as there is room."""

from collections.abc import Sequence

from hil.clock import to_s
from hil.expect.engine import Expectation
from hil.timeline.events import Acted, ActionFailed, BoardPanicked, CaptureGap, Event, UsbAttached, UsbDetached

ROOM = 20
"""Events shown at most."""
TELLING = (ActionFailed, Acted, BoardPanicked, CaptureGap, UsbAttached, UsbDetached)
"""Shown before others, whatever was awaited."""
WIDTH = 110
"""Characters of one event."""


def excerpt(events: Sequence[Event], kept: Sequence[Event], span: tuple[int, int], expectation: Expectation) -> str:
    """The headline of the part and a line for each event shown or run of events left out.

    Args:
        events: everything in the span.
        kept: what the verdict rests on.
        span: first and last instant, ns.
    """
    ordered = sorted(events, key=lambda event: event.t_ns)
    shown = _chosen(ordered, kept, expectation)
    begin, end = (to_s(instant - expectation.since_ns) for instant in span)
    headline = f"timeline  {begin:+.3f} s … {end:+.3f} s, {_count(len(shown), len(ordered))}"
    return "\n".join([headline, *_lines(ordered, shown, expectation)])


def _count(shown: int, all_: int) -> str:
    if not all_:
        return "nothing happened"
    return f"{shown} of {all_} event{'' if all_ == 1 else 's'}"


def _chosen(ordered: Sequence[Event], kept: Sequence[Event], expectation: Expectation) -> set[int]:
    """Indices of the events that are shown."""
    classes = tuple({type(pattern) for step in expectation.steps for pattern in step.patterns} - {Event})
    ours = {id(event) for event in kept}

    def rank(index: int) -> tuple[int, int]:
        event = ordered[index]
        if id(event) in ours:
            return 0, index
        if isinstance(event, TELLING):
            return 1, index
        return 2 if isinstance(event, classes) else 3, -index  # the later, the nearer to the failure

    return set(sorted(range(len(ordered)), key=rank)[:ROOM])


def _lines(ordered: Sequence[Event], shown: set[int], expectation: Expectation) -> list[str]:
    lines, skipped = [], 0
    for index, event in enumerate(ordered):
        if index in shown:
            lines += [_left_out(skipped)] if skipped else []
            lines.append(_line(event, expectation))
            skipped = 0
        else:
            skipped += 1
    return [*lines, _left_out(skipped)] if skipped else lines


def _left_out(count: int) -> str:
    return f"  … {count} more"


def _line(event: Event, expectation: Expectation) -> str:
    text = repr(event)
    shown = text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
    board = f"{event.board} " if expectation.board is None and event.board else ""
    return f"  {to_s(event.t_ns - expectation.since_ns):+.3f}  {event.source:<8} {board}{shown}"
