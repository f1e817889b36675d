"""An absence proves nothing where its channel was blind."""

import pytest

from hil.clock import to_ns
from hil.expect import Expectation, Met, never, repeated, within
from hil.expect.blindness import blindness
from hil.expect.steps import Step
from hil.timeline.events import CaptureGap, Carrier, DhcpAck, DhcpOffer, Event

START_S = 100.0


def gap(end_s: float, lasted_s: float, channel: str = "packet", board: str = "s3-a") -> CaptureGap:
    """A gap that was found ``end_s`` after the start."""
    stamp = {"t_ns": to_ns(START_S + end_s), "t_err_ns": 0, "board": board, "source": "harness"}
    return CaptureGap(channel, "the kernel dropped 4000 frames", lasted_s, **stamp)


def met(*steps: Event | Step, events: tuple[Event, ...] = ()) -> Expectation:
    """An expectation of five seconds that is met."""
    expectation = Expectation(steps, to_ns(START_S), 5.0, board="s3-a", since_name="Acted(action='plug')")
    expectation.feed_all(events)
    assert isinstance(expectation.close(), Met)
    return expectation


def up(at_s: float) -> Carrier:
    """The carrier came."""
    return Carrier(True, "usb0", t_ns=to_ns(START_S + at_s), t_err_ns=0, board="s3-a", source="netlink")


NEVER = never(DhcpOffer())


def test_what_was_forbidden_may_have_come_in_the_gap() -> None:
    """The message has the step, the channel, the time and the reason."""
    assert blindness(met(NEVER), [gap(4.999, 4.9)]) == (
        "cannot judge never(DhcpOffer()): packet was blind from +0.099 s to +4.999 s of Acted(action='plug'): "
        "the kernel dropped 4000 frames"
    )
    assert "from -3.000 s to the end of the run of" in blindness(met(NEVER), [gap(-3.0, -1.0)])


@pytest.mark.parametrize(
    "harmless",
    [
        gap(3.0, 0.0),
        gap(-1.0, 4.0),
        gap(8.0, 2.0),
        gap(8.0, -1.0),
        gap(3.0, 1.0, channel="usbmon"),
        gap(3.0, 1.0, board="s3-b"),
    ],
)
def test_a_gap_that_hides_nothing_of_it_is_none(harmless: CaptureGap) -> None:
    """One datum that could not be read, another time, another channel, another board."""
    assert blindness(met(NEVER), [harmless]) == ""


def test_a_gap_of_the_whole_bench_is_every_boards() -> None:
    """The kernel's log belongs to no board."""
    assert blindness(met(NEVER), [gap(3.0, 1.0, board="")])


def test_a_number_that_is_not_to_be_exceeded_needs_sight_as_well() -> None:
    """There may have been more."""
    ack = DhcpAck(t_ns=to_ns(START_S + 1.0), t_err_ns=0, board="s3-a", source="packet")
    assert blindness(met(repeated(DhcpAck(), 1, at_most=1), events=(ack,)), [gap(3.0, 1.0)])


def test_what_must_happen_and_did_needs_none() -> None:
    """It was seen."""
    assert blindness(met(Carrier(up=True), events=(up(1.0),)), [gap(3.0, 3.0, channel="netlink")]) == ""


def test_between_two_steps_only_that_stretch_counts() -> None:
    """From the carrier at 1 s to the lease at 2 s."""
    ack = DhcpAck(t_ns=to_ns(START_S + 2.0), t_err_ns=0, board="s3-a", source="packet")
    sentence = met(Carrier(up=True), NEVER, DhcpAck(), events=(up(1.0), ack))
    assert blindness(sentence, [gap(0.9, 0.5), gap(4.0, 1.5)]) == ""
    assert blindness(sentence, [gap(1.6, 0.1)])


def test_a_limit_of_its_own_ends_the_stretch() -> None:
    """For one second from the start."""
    assert blindness(met(within(NEVER, 1.0)), [gap(3.0, 1.5)]) == ""
    assert blindness(met(within(NEVER, 1.0)), [gap(3.0, 2.5)])
