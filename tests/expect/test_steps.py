import pytest

from hil.errors import MisuseError
from hil.expect.steps import as_sentence, never, optional, repeated, unordered, within
from hil.timeline.events import Carrier, DhcpAck, UsbAttached

ACK, UP = DhcpAck("192.168.7.2"), Carrier(up=True)


@pytest.mark.parametrize(
    ("step", "written"),
    [
        (optional(UP), "optional(Carrier(up=True))"),
        (repeated(UP, 3), "repeated(Carrier(up=True), 3)"),
        (repeated(UP, 0, at_most=4), "repeated(Carrier(up=True), 0, at_most=4)"),
        (unordered(UP, ACK), "unordered(Carrier(up=True), DhcpAck(address='192.168.7.2'))"),
        (never(Carrier(board="s3-b")), "never(Carrier(board='s3-b'))"),
        (within(UP, 2), "within(Carrier(up=True), 2.0)"),
        (within(repeated(UP, 2), 0.5), "within(repeated(Carrier(up=True), 2), 0.5)"),
    ],
)
def test_a_step_shows_as_it_is_written(step, written):
    """A failing test prints the sentence of its author."""
    assert repr(step) == written


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: repeated(UP, -1), r"repeated\(…, times=-1\): times is a whole number, 0 or more"),
        (lambda: repeated(UP, 1.5), r"times=1\.5"),
        (lambda: repeated(UP, True), r"times=True"),
        (lambda: repeated(UP, 0), r"times=0\) asks for nothing; give at_most too, or use never or optional"),
        (lambda: repeated(UP, 3, at_most=2), r"times=3, at_most=2\): at_most is a whole number, 3 or more"),
        (lambda: repeated(UP, 0, at_most=0), r"1 or more; for none at all use never"),
        (lambda: unordered(UP), r"unordered\(\) has 1 patterns; it takes two or more"),
        (lambda: unordered(UP, "x"), r"unordered\('x'\): it takes an event such as UsbAttached\(\)"),
        (lambda: optional(UsbAttached), r"the class UsbAttached \(write UsbAttached\(\)\)"),
        (lambda: never(optional(UP)), r"never\(optional\(Carrier\(up=True\)\)\): it takes an event"),
        (lambda: within(UP, 0), r"within\(Carrier\(up=True\), …\) is 0; a time limit is a number of seconds above 0"),
        (lambda: within(UP, float("inf")), r"is inf; a time limit"),
        (lambda: within(UP, "2"), r"is '2'; a time limit"),
        (lambda: within(within(UP, 1), 2), r"has a time limit already; within\(…, 2\) would be a second one"),
        (lambda: within("x", 1), r"within\(…\) is 'x'; a step is an event .* or made by optional, repeated"),
        (lambda: as_sentence([], 1, True), r"an expectation without a step; give at least one event"),
        (lambda: as_sentence([UP, 7], 1, True), r"step 2 is 7; a step is an event such as UsbAttached\(\), or made by"),
        (lambda: as_sentence([UsbAttached], 1, True), r"step 1 is the class UsbAttached \(write UsbAttached\(\)\)"),
        (lambda: as_sentence([optional(UP)], 1, True), r"optional\(.*\) can not fail: every step is optional"),
        (lambda: as_sentence([UP], 0, True), r"within_s of the expectation is 0; a time limit"),
        (lambda: as_sentence([never(UP)], None, True), r"no within_s is given and never\(.*\) has no limit of its own"),
        (lambda: as_sentence([within(UP, 1), ACK], None, True), r"DhcpAck\(.*\) has no limit of its own"),
        (lambda: as_sentence([unordered(UP, ACK)], 1, False), r"unordered\(…\) in an expectation with ordered=False"),
    ],
)
def test_what_cannot_be_judged_is_refused_when_it_is_written(make, message):
    """The message holds the value and the choices."""
    with pytest.raises(MisuseError, match=message):
        make()


def test_the_window_is_given_or_is_the_sum_of_the_limits():
    """Without order the limits all count from the start, so the longest is enough."""
    assert as_sentence([UP], 5, True)[1] == 5.0
    assert as_sentence([within(UP, 1), optional(ACK), within(ACK, 2)], None, True)[1] == 3.0
    assert as_sentence([within(UP, 1), within(ACK, 2)], None, False)[1] == 2.0
