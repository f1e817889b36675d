from hil.expect.predicates import one_of
from hil.timeline.events import ANY, Carrier, Event, HttpReply
from hil.timeline.matching import agrees, matcher, matches, wanted_fields

EVENT = Carrier(up=True, interface="usb0", t_ns=5, t_err_ns=1, board="s3-a", source="netlink")


def test_an_unset_field_of_a_pattern_matches_anything():
    """Only what the pattern sets is compared."""
    assert matches(Carrier(), EVENT)
    assert matches(Carrier(up=True), EVENT)
    assert not matches(Carrier(up=False), EVENT)
    assert not matches(Carrier(up=True, interface="usb1"), EVENT)


def test_a_pattern_of_the_base_class_matches_every_event():
    """A superclass stands for all below it; a class beside it does not."""
    assert matches(Event(), EVENT)
    assert matches(Event(board="s3-a"), EVENT)
    assert not matches(Event(board="s3-b"), EVENT)
    assert not matches(HttpReply(), EVENT)


def test_a_field_that_was_not_recorded_equals_nothing():
    """An event that does not know its status has not the status that is wanted."""
    assert not matches(HttpReply(status=200), HttpReply("/status"))
    assert not matches(HttpReply(status=one_of(200, ANY)), HttpReply("/status"))
    assert not agrees(200, ANY)


def test_a_pattern_lists_what_it_sets_in_written_order():
    """Own fields come before the stamp."""
    assert wanted_fields(Carrier(interface="usb0", board="a", t_ns=1)) == [
        ("interface", "usb0"),
        ("t_ns", 1),
        ("board", "a"),
    ]


def test_a_matcher_can_be_made_once_for_many_events():
    """matcher(pattern) is matches with the pattern worked out."""
    fits = matcher(Carrier(up=True, board=one_of("s3-a", "s3-b")))
    assert fits(EVENT)
    assert not fits(HttpReply())
