from hypothesis import given, settings
from hypothesis import strategies as st

from hil.timeline.events import Carrier, Event, SerialLine, UsbAttached
from hil.timeline.timeline import Order, Timeline, order


def _up(t_ns: int, up: bool = True, err: int = 0) -> Carrier:
    return Carrier(up, t_ns=t_ns, t_err_ns=err, board="a", source="netlink")


@settings(deadline=None)
@given(st.lists(st.integers(0, 50)))
def test_arrival_order_and_time_order_are_both_kept(instants):
    """Iterating gives arrival, by_time a stable sort, at every moment of growth."""
    timeline, events = Timeline(), []
    for t_ns in instants:
        events.append(_up(t_ns))
        timeline.append(events[-1])
        assert list(map(id, timeline)) == list(map(id, events))
        assert list(map(id, timeline.by_time())) == list(map(id, sorted(events, key=lambda e: e.t_ns)))
    assert len(timeline) == len(events)


def test_a_span_includes_both_of_its_ends():
    """since and between take the events at the very instants named."""
    timeline = Timeline(_up(t) for t in (30, 10, 20, 40))
    assert [e.t_ns for e in timeline.since(20)] == [20, 30, 40]
    assert [e.t_ns for e in timeline.between(20, 30)] == [20, 30]
    assert timeline.between(21, 29) == []
    assert timeline.since(41) == []


def test_events_are_found_by_pattern():
    """of, first and last compare fields and classes, by time."""
    timeline = Timeline([_up(3), _up(1, False), _up(2), UsbAttached(t_ns=0, t_err_ns=0, board="a", source="uevent")])
    assert [e.t_ns for e in timeline.of(Carrier(up=True))] == [2, 3]
    assert [e.t_ns for e in timeline.of(Event())] == [0, 1, 2, 3]
    assert timeline.first(Carrier()).t_ns == 1
    assert timeline.first(Carrier(), since_ns=2).t_ns == 2
    assert timeline.last(Carrier()).t_ns == 3
    assert timeline.first(SerialLine()) is None
    assert timeline.last(SerialLine()) is None


def test_a_reader_with_a_cursor_sees_what_arrived_since():
    """A late event with an early stamp is new to the reader all the same."""
    timeline = Timeline([_up(5)])
    timeline.append(_up(1))
    assert [e.t_ns for e in timeline.arrived_from(1)] == [1]


def test_events_closer_than_their_errors_have_no_order():
    """Bounds that overlap or touch are too close to call."""
    assert order(_up(10, err=1), _up(13, err=1)) is Order.BEFORE
    assert order(_up(13, err=1), _up(10, err=1)) is Order.AFTER
    assert order(_up(10, err=1), _up(12, err=1)) is Order.TOO_CLOSE
    assert Timeline.order(_up(10, err=5), _up(2, err=3)) is Order.TOO_CLOSE


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), max_size=200), st.integers(-5, 60), st.integers(1, 90)
)
def test_nothing_that_may_have_happened_since_lies_before_the_cursor(stamps, since_ns, portion):
    """Whatever the portions in which events arrive, and whatever their errors."""
    events = [_up(t_ns, err=err) for t_ns, err in stamps]
    timeline = Timeline()
    for start in range(0, len(events), portion):
        timeline.extend(events[start : start + portion])
    assert list(map(id, timeline)) == list(map(id, events))
    assert list(map(id, timeline.by_time())) == list(map(id, sorted(events, key=lambda e: e.t_ns)))
    assert all(e.t_ns + e.t_err_ns < since_ns for e in events[: timeline.cursor(since_ns)])


def test_a_reader_of_what_is_recent_need_not_begin_at_the_beginning():
    """A new expectation late in a long run looks at little more than what has happened since."""
    timeline = Timeline()
    for start in range(0, 10_000, 10):
        timeline.extend([_up(start + at, err=3) for at in range(10)])
    assert 9_000 - timeline.cursor(9_000) <= 100
