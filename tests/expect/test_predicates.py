import pytest

from hil.errors import MisuseError
from hil.expect.predicates import at_least, between, contains, not_, one_of, regex
from hil.timeline.events import ANY, HttpReply
from hil.timeline.matching import agrees


@pytest.mark.parametrize(
    ("predicate", "good", "bad", "written"),
    [
        (one_of("a", "b"), ["a", "b"], ["c", 1, ANY], "one_of('a', 'b')"),
        (one_of(1, at_least(7)), [1, 7, 8], [2], "one_of(1, at_least(7))"),
        (regex(r"MTU \d+"), ["an MTU 1500 x"], ["MTU x", 5, ANY], r"regex('MTU \\d+')"),
        (between(1, 5), [1, 3.5, 5], [0, 6, "3", None, ANY], "between(1, 5)"),
        (at_least(60), [60, 61], [59, "61", None, ANY], "at_least(60)"),
        (not_(""), ["x", 0], ["", ANY], "not_('')"),
        (not_(regex("^x")), ["y"], ["xy"], "not_(regex('^x'))"),
        (contains("121"), ["1,121,3", {"121": ""}], ["1,3", 121, ANY], "contains('121')"),
    ],
)
def test_a_predicate_accepts_what_it_says_and_shows_as_it_is_written(predicate, good, bad, written):
    """Values of other types are not accepted and raise nothing."""
    assert all(agrees(predicate, value) for value in good)
    assert not any(agrees(predicate, value) for value in bad)
    assert repr(predicate) == written


@pytest.mark.parametrize(
    ("predicate", "value", "text"),
    [
        (between(1, 5), 7, "wanted between(1, 5), got 7, 2 too high"),
        (between(1, 5), 0.5, "wanted between(1, 5), got 0.5, 0.5 too low"),
        (at_least(60), 20, "wanted at_least(60), got 20, 40 too low"),
        (at_least(60), "x", "wanted at_least(60), got 'x'"),
        (one_of(200, 204), 500, "wanted one_of(200, 204), got 500"),
    ],
)
def test_a_mismatch_says_what_was_wanted_and_by_how_much_it_was_missed(predicate, value, text):
    """Numbers tell their distance."""
    assert predicate.describe_mismatch(value) == text


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (one_of, r"one_of\(\) has no values; give at least one"),
        (lambda: regex("("), r"regex\('\('\) is no regular expression: "),
        (lambda: between(5, 1), r"between\(5, 1\) holds nothing: the lower bound comes first"),
        (lambda: between(5, "a"), r"between\(5, 'a'\): the two cannot be compared"),
    ],
)
def test_a_predicate_that_can_accept_nothing_is_refused(make, message):
    """When it is made, not when it is used."""
    with pytest.raises(MisuseError, match=message):
        make()


def test_a_predicate_stands_in_the_repr_of_its_pattern():
    """A failing test prints what the author wrote."""
    assert repr(HttpReply("/status", one_of(200, 204))) == "HttpReply(path='/status', status=one_of(200, 204))"
