from msgspec.structs import replace

from hil.clock import to_ns
from hil.expect import Expectation
from hil.expect.nearest import nearest_miss
from hil.timeline.events import Carrier, DhcpAck, Event, SerialLine
from hil.timeline.timeline import Timeline


def _at(event: Event, t_s: float, board: str = "s3-a") -> Event:
    return replace(event, t_ns=to_ns(t_s), t_err_ns=0, board=board, source="packet")


def _nearest(pattern: Event, *events: Event):
    expectation = Expectation([pattern], since_ns=0, within_s=5, board="s3-a")
    return nearest_miss(expectation, 1, Timeline(events), {})


def test_the_event_with_the_fewest_fields_that_differ_is_nearest():
    """Rather than the latest."""
    one, two = _at(DhcpAck("10.0.0.2", lease_s=60), 1), _at(DhcpAck("10.0.0.9", lease_s=1), 2)
    miss = _nearest(DhcpAck("10.0.0.1", lease_s=60), one, two)
    assert miss.event is one
    assert miss.reasons == ("address: wanted '10.0.0.1', got '10.0.0.2'",)


def test_of_texts_the_most_alike_is_nearest():
    """A log line with one letter wrong, among others."""
    lines = [_at(SerialLine(text), n) for n, text in enumerate(["boot", "link is down", "link is upp", "heap 4"])]
    assert _nearest(SerialLine("link is up"), *lines).event is lines[2]


def test_other_boards_and_other_classes_are_not_near():
    """None where nothing of the class came from this board."""
    assert _nearest(DhcpAck("1"), _at(DhcpAck("2"), 1, board="s3-b"), _at(Carrier(), 1)) is None


def test_outside_the_window_only_what_would_have_fitted_is_near():
    """And no farther away than the window is long."""
    assert _nearest(DhcpAck("1"), _at(DhcpAck("2"), 6)) is None
    assert _nearest(DhcpAck("1"), _at(DhcpAck("1"), 11)) is None
    miss = _nearest(DhcpAck("1"), _at(DhcpAck("1"), 6))
    assert miss.reasons == ("it fits, but came 1.000 s after the window closed",)
