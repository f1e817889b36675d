"""Verdicts: what is met, what fails and when, whatever the order of arrival."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hil.clock import NS_PER_S, to_ns
from hil.errors import MisuseError
from hil.expect import (
    Expectation,
    Failed,
    Met,
    Pending,
    at_least,
    never,
    optional,
    repeated,
    unordered,
    within,
)
from hil.timeline.events import Carrier, DhcpAck, Event, Frame, SerialLine, UsbAttached, UsbDetached
from hil.timeline.journal import encode, read_journal

GRACE_NS = to_ns(0.25)


def _at(event: Event, t_s: float, err_s: float = 0.0, board: str = "s3-a") -> Event:
    return replace(event, t_ns=to_ns(t_s), t_err_ns=to_ns(err_s), board=board, source="packet")


def _feed(expectation: Expectation, *events: Event) -> Expectation:
    for event in events:
        expectation.feed(event)
    return expectation


ATTACHED, UP, ACK = UsbAttached(), Carrier(up=True), DhcpAck()


def test_steps_in_order_are_met_by_the_last_of_them():
    """The verdict comes with the event, without waiting, and tells who met which step."""
    expectation = Expectation([ATTACHED, UP], since_ns=0, within_s=5)
    assert expectation.feed(_at(ATTACHED, 1)) == Pending(2)
    outcome = expectation.feed(_at(UP, 2))
    assert isinstance(outcome, Met)
    assert outcome.by_step == ((_at(ATTACHED, 1),), (_at(UP, 2),))
    assert outcome.at_ns == 2 * NS_PER_S
    assert expectation.deadline_ns is None


def test_what_does_not_happen_fails_after_window_and_grace():
    """The window ends in event time; the verdict waits for late arrivals."""
    expectation = _feed(Expectation([ATTACHED, UP], since_ns=0, within_s=5), _at(ATTACHED, 1))
    assert expectation.deadline_ns == 5 * NS_PER_S + GRACE_NS
    assert expectation.wake(5 * NS_PER_S + GRACE_NS - 1) == Pending(2)
    assert expectation.wake(5 * NS_PER_S + GRACE_NS) == Failed("missing", 2, 5 * NS_PER_S)


def test_an_event_inside_the_window_counts_though_it_arrives_late():
    """The kernel dated it before the end and delivered it after."""
    expectation = Expectation([UP], since_ns=0, within_s=5)
    expectation.wake(to_ns(5.2))
    assert isinstance(expectation.feed(_at(UP, 4.9)), Met)


def test_an_event_after_the_window_does_not_count():
    """It may arrive within the grace, but it happened too late."""
    expectation = Expectation([UP], since_ns=0, within_s=5)
    assert expectation.feed(_at(UP, 5.1)) == Pending(1)


def test_an_event_before_since_does_not_count_unless_its_error_reaches():
    """Two events whose bounds overlap are in the order that is asked for."""
    expectation = Expectation([UP], since_ns=10 * NS_PER_S, within_s=5)
    assert expectation.feed(_at(UP, 9.8, err_s=0.1)) == Pending(1)
    assert isinstance(expectation.feed(_at(UP, 9.8, err_s=0.3)), Met)


def test_a_later_step_that_arrives_first_is_not_lost():
    """The packet was delivered before the uevent that it followed."""
    expectation = Expectation([ATTACHED, UP, ACK], since_ns=0, within_s=5)
    assert isinstance(_feed(expectation, _at(ACK, 3), _at(UP, 2), _at(ATTACHED, 1)).outcome, Met)


def test_steps_in_the_wrong_order_are_not_met():
    """What happened before the step before it does not count."""
    expectation = _feed(Expectation([ATTACHED, UP], since_ns=0, within_s=5), _at(UP, 1), _at(ATTACHED, 2))
    assert expectation.close() == Failed("missing", 2, 5 * NS_PER_S)


def test_two_events_too_close_to_call_count_as_in_order():
    """The order that is asked for is possible."""
    expectation = Expectation([ATTACHED, UP], since_ns=0, within_s=5)
    assert isinstance(_feed(expectation, _at(UP, 1.0, 0.1), _at(ATTACHED, 1.15, 0.1)).outcome, Met)


def test_one_event_is_not_two_steps():
    """Each step takes an event of its own."""
    expectation = Expectation([ATTACHED, ATTACHED], since_ns=0, within_s=5)
    assert expectation.feed(_at(ATTACHED, 1)) == Pending(2)
    assert isinstance(expectation.feed(_at(ATTACHED, 2)), Met)
    early = _feed(Expectation([ATTACHED, UP, UP], since_ns=0, within_s=5), _at(UP, 2))
    assert early.feed(_at(ATTACHED, 1)) == Pending(3)


def test_an_optional_step_is_reported_and_decides_nothing():
    """Met with it and without it; it does not take what a required step needs."""
    with_it = _feed(Expectation([optional(UsbDetached()), UP], 0, 5), _at(UsbDetached(), 1), _at(UP, 2))
    assert with_it.outcome.by_step == ((_at(UsbDetached(), 1),), (_at(UP, 2),))
    without = _feed(Expectation([optional(UsbDetached()), UP], 0, 5), _at(UP, 2))
    assert without.outcome.by_step == ((), (_at(UP, 2),))
    greedy = _feed(Expectation([optional(UP), UP], 0, 5), _at(UP, 2))
    assert isinstance(greedy.outcome, Met)
    after = _feed(Expectation([ATTACHED, optional(UsbDetached()), UP], 0, 5), _at(UsbDetached(), 3))
    assert _feed(after, _at(ATTACHED, 1), _at(UP, 2)).outcome.by_step[1] == ()


def test_a_repeated_step_counts():
    """The third makes it; without at_most more of them do not matter."""
    expectation = Expectation([repeated(ACK, 3), UP], since_ns=0, within_s=9)
    assert _feed(expectation, *(_at(ACK, t) for t in (1, 2, 3, 4))).outcome == Pending(2)
    assert expectation.taken(1) == tuple(_at(ACK, t) for t in (1, 2, 3))
    assert isinstance(expectation.feed(_at(UP, 5)), Met)


def test_one_too_many_at_the_end_fails_at_once():
    """Nothing that still arrives can undo it."""
    expectation = Expectation([repeated(ACK, 1, at_most=2)], since_ns=0, within_s=9)
    assert _feed(expectation, _at(ACK, 1), _at(ACK, 2)).outcome == Pending(2)
    assert expectation.feed(_at(ACK, 3)) == Failed("too many", 1, 3 * NS_PER_S, _at(ACK, 3))


def test_as_many_as_allowed_are_met_when_the_window_closes():
    """at_most is a promise about the whole window."""
    expectation = _feed(Expectation([repeated(ACK, 1, at_most=2)], since_ns=0, within_s=9), _at(ACK, 1))
    assert expectation.deadline_ns == 9 * NS_PER_S + GRACE_NS
    assert isinstance(expectation.wake(expectation.deadline_ns), Met)


def test_at_most_ends_with_the_next_step():
    """More of them after the next step are another matter."""
    events = [_at(ACK, 1), _at(UP, 2), _at(ACK, 3), _at(ACK, 4)]
    expectation = _feed(Expectation([repeated(ACK, 1, at_most=1), UP], 0, 9), *events)
    assert isinstance(expectation.close(), Met)
    events.insert(1, _at(ACK, 1.5))
    expectation = _feed(Expectation([repeated(ACK, 1, at_most=1), UP], 0, 9), *events)
    assert expectation.close() == Failed("too many", 1, to_ns(1.5), _at(ACK, 1.5))


@pytest.mark.parametrize("order", list(itertools.permutations([_at(ATTACHED, 1), _at(UP, 2), _at(ACK, 3)])))
def test_unordered_takes_any_order(order):
    """All have to happen, each by an event of its own, before the next step."""
    expectation = Expectation([unordered(ACK, ATTACHED, UP), SerialLine()], since_ns=0, within_s=5)
    assert _feed(expectation, *order).outcome == Pending(2)
    assert isinstance(expectation.feed(_at(SerialLine("x"), 4)), Met)


def test_unordered_gives_each_pattern_the_event_that_leaves_room():
    """The wide pattern does not keep the only event that the narrow one can take."""
    wide, narrow = DhcpAck(), DhcpAck(address="192.168.7.2")
    events = _at(narrow, 1), _at(DhcpAck(address="10.0.0.1"), 2)
    for patterns in ((wide, narrow), (narrow, wide)):
        assert isinstance(_feed(Expectation([unordered(*patterns)], 0, 5), *events).outcome, Met)


def test_a_sentence_without_order_takes_any_order():
    """ordered=False makes one unordered group of all steps; limits count from the start."""
    expectation = Expectation([ACK, repeated(UP, 2), within(ATTACHED, 2)], 0, 5, ordered=False)
    events = [_at(UP, 1), _at(ATTACHED, 2), _at(UP, 3), _at(ACK, 4)]
    assert isinstance(_feed(expectation, *events).outcome, Met)
    late = _feed(Expectation([ACK, within(ATTACHED, 2)], 0, 5, ordered=False), _at(ATTACHED, 3), _at(ACK, 1))
    assert late.wake(to_ns(2.25)) == Failed("late", 2, 2 * NS_PER_S)


def test_forbidden_at_the_end_fails_at_once():
    """never as the last step reaches from the step before it to the end of the window."""
    expectation = Expectation([UP, never(UsbDetached())], since_ns=0, within_s=5)
    _feed(expectation, _at(UsbDetached(), 1), _at(UP, 2))
    assert expectation.outcome == Pending(3)
    assert expectation.feed(_at(UsbDetached(), 3)) == Failed("forbidden", 2, 3 * NS_PER_S, _at(UsbDetached(), 3))


def test_what_is_forbidden_and_does_not_happen_is_met_at_the_end():
    """Only the close of the window proves that it did not happen."""
    expectation = Expectation([never(UsbDetached())], since_ns=0, within_s=5)
    assert expectation.wake(5 * NS_PER_S) == Pending(2)
    assert expectation.wake(5 * NS_PER_S + GRACE_NS) == Met((), ((),), 5 * NS_PER_S)


def test_forbidden_between_two_steps_is_judged_when_no_event_can_come_between():
    """The next step may have happened earlier and be still under way."""
    between = [ATTACHED, never(UsbDetached()), UP]
    failing = _feed(Expectation(between, 0, 5), _at(ATTACHED, 1), _at(UsbDetached(), 2))
    assert failing.outcome == Pending(3)
    assert failing.deadline_ns == 2 * NS_PER_S + GRACE_NS
    assert failing.wake(2 * NS_PER_S + GRACE_NS) == Failed("forbidden", 2, 2 * NS_PER_S, _at(UsbDetached(), 2))
    overtaken = _feed(Expectation(between, 0, 5), _at(ATTACHED, 1), _at(UsbDetached(), 2), _at(UP, 1.9))
    assert isinstance(overtaken.close(), Met)
    missed = _feed(Expectation(between, 0, 5), _at(ATTACHED, 1), _at(UP, 3), _at(UsbDetached(), 2))
    assert isinstance(missed.close(), Failed)


def test_forbidden_beside_the_stretch_is_allowed():
    """Before the step before and after the step after it may happen, and too close to either to call."""
    events = [_at(UsbDetached(), 0.5), _at(ATTACHED, 1, 0.1), _at(UsbDetached(), 1.1, 0.1), _at(UP, 2)]
    events.append(_at(UsbDetached(), 3))
    assert isinstance(_feed(Expectation([ATTACHED, never(UsbDetached()), UP], 0, 5), *events).close(), Met)


def test_never_with_a_limit_ends_with_it():
    """within(never(p), 2) forbids p for two seconds."""
    sentence = [UP, within(never(UsbDetached()), 2)]
    assert isinstance(_feed(Expectation(sentence, 0, 9), _at(UP, 1), _at(UsbDetached(), 4)).wake(to_ns(3.25)), Met)
    assert isinstance(_feed(Expectation(sentence, 0, 9), _at(UP, 1), _at(UsbDetached(), 2)).outcome, Failed)


def test_a_step_has_its_own_limit_from_the_step_before():
    """It fails as late when the limit and the grace are over, long before the window closes."""
    expectation = _feed(Expectation([ATTACHED, within(UP, 1)], since_ns=0, within_s=60), _at(ATTACHED, 2))
    assert expectation.deadline_ns == 3 * NS_PER_S + GRACE_NS
    expectation.feed(_at(UP, 3.1))
    assert expectation.wake(3 * NS_PER_S + GRACE_NS) == Failed("late", 2, 3 * NS_PER_S)


def test_the_limits_of_all_steps_can_stand_for_the_window():
    """Without within_s the window is as long as the limits together."""
    assert Expectation([within(ATTACHED, 1), within(UP, 2)], since_ns=0).end_ns == 3 * NS_PER_S


def test_other_boards_do_not_count():
    """A board can be given for all steps, and a pattern can name another."""
    expectation = Expectation([UP, UsbDetached(board="s3-b")], since_ns=0, within_s=5, board="s3-a")
    assert expectation.feed(_at(UP, 1, board="s3-b")) == Pending(1)
    assert expectation.feed(_at(UP, 1)) == Pending(2)
    assert expectation.feed(_at(UsbDetached(), 2)) == Pending(2)
    assert isinstance(expectation.feed(_at(UsbDetached(), 2, board="s3-b")), Met)


def test_a_base_class_is_a_step_too():
    """Any event of the board, whichever it is."""
    assert isinstance(_feed(Expectation([Event(board="s3-a")], 0, 5), _at(UP, 1)).outcome, Met)


def test_predicates_are_heeded():
    """A lease of at least a minute."""
    expectation = Expectation([DhcpAck(lease_s=at_least(60))], since_ns=0, within_s=5)
    assert expectation.feed(_at(DhcpAck(lease_s=59), 1)) == Pending(1)
    assert isinstance(expectation.feed(_at(DhcpAck(lease_s=60), 2)), Met)


def test_a_verdict_stands():
    """What comes after it changes nothing and costs nothing."""
    expectation = _feed(Expectation([UP], since_ns=0, within_s=5), _at(UP, 1))
    outcome, examined = expectation.outcome, expectation.steps_examined
    _feed(expectation, _at(UP, 0.5))
    assert expectation.wake(1 << 60) is outcome
    assert expectation.steps_examined == examined


def test_a_negative_grace_is_refused():
    """The message holds the value."""
    with pytest.raises(MisuseError, match=r"grace_s is -0\.1; it is a number of seconds, 0 or more"):
        Expectation([UP], since_ns=0, within_s=5, grace_s=-0.1)


# ---- whatever the order of arrival --------------------------------------------------------------

A, B, C = (Carrier(interface=name) for name in "abc")
SENTENCES = [
    [A, B],
    [A, B, C],
    [A, A, B],
    [Carrier(), B, A],
    [optional(C), A, B],
    [repeated(A, 2), B],
    [repeated(A, 1, at_most=2), B],
    [repeated(A, 1, at_most=1)],
    [unordered(A, B), C],
    [unordered(Carrier(), A), B],
    [A, never(C), B],
    [A, B, never(C)],
    [never(C), A],
    [never(C)],
    [A, within(B, 4e-9), C],
    [A, within(never(C), 5e-9)],
    [repeated(Carrier(), 3), within(unordered(A, B), 6e-9)],
]
stamped = st.builds(
    lambda name, t, err: Carrier(True, name, t_ns=t, t_err_ns=err, board="s3-a", source="netlink"),
    st.sampled_from("abc"),
    st.integers(-3, 30),
    st.integers(0, 3),
)


def _expect(sentence, ordered: bool = True) -> Expectation:
    return Expectation(sentence, since_ns=0, within_s=25e-9, ordered=ordered)


def _verdict(sentence, events, ordered: bool = True) -> str:
    return type(_feed(_expect(sentence, ordered), *events).close()).__name__


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SENTENCES), st.lists(stamped, max_size=9), st.randoms(use_true_random=False))
def test_the_order_of_arrival_decides_nothing(sentence, events, random):
    """Events shuffled within their errors give the verdict that their order by time gives."""
    by_time = sorted(events, key=lambda event: event.t_ns)
    shuffled = sorted(events, key=lambda event: event.t_ns + random.uniform(-event.t_err_ns, event.t_err_ns))
    assert _verdict(sentence, shuffled) == _verdict(sentence, by_time)


@settings(max_examples=60, deadline=None)
@given(st.lists(stamped, max_size=7), st.permutations([A, B, C, A]), st.randoms(use_true_random=False))
def test_a_sentence_of_plain_steps_is_met_exactly_when_the_order_is_possible(events, steps, random):
    """Against all choices of events: met if some choice can have happened in the order of the steps."""
    random.shuffle(events)
    possible = [e for e in events if e.t_ns + e.t_err_ns >= 0 and e.t_ns - e.t_err_ns <= 25]
    wanted = [step.interface for step in steps]
    truth = any(
        [event.interface for event in choice] == wanted
        and all(x.t_ns - x.t_err_ns <= y.t_ns + y.t_err_ns for i, x in enumerate(choice) for y in choice[i + 1 :])
        for choice in itertools.permutations(possible, len(steps))
    )
    assert (_verdict(steps, events) == "Met") == truth


@settings(max_examples=40, deadline=None)
@given(st.lists(stamped, max_size=9), st.randoms(use_true_random=False))
def test_without_order_any_arrival_gives_the_same_verdict(events, random):
    """The matching of events and patterns does not depend on who came first."""
    shuffled = events[:]
    random.shuffle(shuffled)
    sentence = [Carrier(), A, repeated(B, 2)]
    assert _verdict(sentence, shuffled, ordered=False) == _verdict(sentence, events, ordered=False)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SENTENCES), st.lists(stamped, max_size=9))
def test_a_saved_journal_gives_the_same_outcome(sentence, events):
    """Replaying the text of a timeline repeats the verdict, event by event."""
    replayed, _ = read_journal("".join(encode(event) + "\n" for event in events))
    assert _feed(_expect(sentence), *replayed).close() == _feed(_expect(sentence), *events).close()


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SENTENCES), st.sampled_from(SENTENCES), st.lists(stamped, max_size=9))
def test_two_expectations_do_not_disturb_each_other(one, other, events):
    """Feeding consumes nothing."""
    first, second = _expect(one), _expect(other)
    for event in events:
        first.feed(event)
        second.feed(event)
    assert type(first.close()).__name__ == _verdict(one, events)
    assert type(second.close()).__name__ == _verdict(other, events)


def test_an_event_that_moves_several_steps_is_taken_by_the_first():
    """The second b is too close to the a to call: it becomes the first step, and the a is left for the last."""
    a, wide, sharp = (
        Carrier(True, name, t_ns=t_ns, t_err_ns=err_ns, board="s3-a", source="netlink")
        for name, t_ns, err_ns in (("a", -1, 2), ("b", 0, 2), ("b", 0, 0))
    )
    for arrival in itertools.permutations([a, wide, sharp]):
        outcome = _feed(_expect([Carrier(), B, A]), *arrival).close()
        assert isinstance(outcome, Met)
        assert outcome.by_step == ((sharp,), (wide,), (a,))


# ---- what it costs ------------------------------------------------------------------------------


def _flood(count: int):
    frame = _at(Frame(sender="board", length=60), 1)
    line = _at(SerialLine("I (1) x: y"), 1)
    return itertools.chain.from_iterable((frame, line, line, line) for _ in range(count // 4))


def test_events_of_other_classes_are_not_looked_at():
    """A flood costs no comparison at all where no step is of its class."""
    expectation = _feed(Expectation([ATTACHED, UP, ACK], since_ns=0, within_s=5), *_flood(4000))
    assert expectation.steps_examined == 0


def test_each_event_is_looked_at_once_by_the_steps_of_its_class():
    """The number of comparisons is the number of events of a class times the steps of that class."""
    sentence = [ATTACHED, Frame(sender="host"), repeated(Frame(length=1), 2, at_most=9), UP, never(Frame(ethertype=1))]
    expectation = _feed(Expectation(sentence, since_ns=0, within_s=5), *_flood(4000))
    assert expectation.steps_examined == 3 * 1000


def test_a_flood_of_what_fits_is_kept_within_bounds():
    """A step that waits for its turn keeps the newest events only, and says that it dropped some."""
    expectation = Expectation([ATTACHED, Frame(), UP], since_ns=0, within_s=50)
    _feed(expectation, *(_at(Frame(length=n), 1 + n / 1000) for n in range(2000)))
    assert expectation.dropped > 1000
    assert isinstance(_feed(expectation, _at(ATTACHED, 2.9), _at(UP, 3)).outcome, Met)


def test_a_complete_step_keeps_nothing_more():
    """What comes after the event that a step has taken is of no use to it."""
    expectation = Expectation([Frame(), UP], since_ns=0, within_s=50)
    _feed(expectation, *(_at(Frame(length=n), 1 + n / 1000) for n in range(2000)))
    assert expectation.dropped == 0
    assert expectation.taken(1) == (_at(Frame(length=0), 1),)
