from hil.clock import NS_PER_S
from hil.expect import Expectation
from hil.expect.excerpt import ROOM, WIDTH, excerpt
from hil.timeline.events import Acted, Carrier, Event, SerialLine

EXPECTATION = Expectation([Carrier()], since_ns=0, within_s=5, board="s3-a")


def _stamp(event: type[Event], t_s: int, **fields) -> Event:
    return event(**fields, t_ns=t_s * NS_PER_S, t_err_ns=0, board="s3-a", source="serial")


def _shown(events: list[Event], kept: list[Event]) -> list[str]:
    return excerpt(events, kept, (0, 5 * NS_PER_S), EXPECTATION).splitlines()


def test_what_matters_is_kept_and_runs_of_the_rest_are_counted():
    """An old action and what the verdict rests on outlast a hundred lines of log."""
    events = [_stamp(SerialLine, t, text=f"line {t}") for t in range(100)]
    events[3], events[50] = _stamp(Acted, 3, action="replug"), _stamp(Carrier, 50, up=True)
    lines = _shown(events, [events[10]])
    assert lines[0] == f"timeline  +0.000 s … +5.000 s, {ROOM} of 100 events"
    assert lines[1:7] == [
        "  … 3 more",
        "  +3.000  serial   Acted(action='replug')",
        "  … 6 more",
        "  +10.000  serial   SerialLine(text='line 10')",
        "  … 39 more",
        "  +50.000  serial   Carrier(up=True)",
    ]
    assert len([line for line in lines[1:] if "more" not in line]) == ROOM


def test_a_few_events_are_all_shown_by_time():
    """In the order in which they happened."""
    events = [_stamp(SerialLine, 2, text="b"), _stamp(SerialLine, 1, text="a")]
    assert [line[-3:] for line in _shown(events, [])[1:]] == ["a')"[-3:], "b')"[-3:]]
    assert _shown([], []) == ["timeline  +0.000 s … +5.000 s, nothing happened"]


def test_a_long_event_is_cut():
    """One line each."""
    line = _shown([_stamp(SerialLine, 1, text="x" * 500)], [])[1]
    assert len(line) < WIDTH + 25
    assert line.endswith("…")
