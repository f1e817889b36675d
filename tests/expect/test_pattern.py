from hil.expect.pattern import closeness, describe, describe_mismatch, mismatches
from hil.expect.predicates import at_least
from hil.timeline.events import Carrier, DhcpAck, Event

ACK = DhcpAck("192.168.4.3", lease_s=30, xid=1, t_ns=1, t_err_ns=0, board="s3-a", source="packet")


def test_mismatches_lists_every_field_that_differs():
    """In the order in which the pattern is written, stamp last."""
    pattern = DhcpAck("192.168.4.2", lease_s=at_least(60), xid=1, board="s3-b")
    assert mismatches(pattern, ACK) == [
        ("address", "192.168.4.2", "192.168.4.3"),
        ("lease_s", at_least(60), 30),
        ("board", "s3-b", "s3-a"),
    ]
    assert mismatches(DhcpAck(), ACK) == []


def test_another_class_is_a_mismatch_of_its_own():
    """Fields that the event does not have are not listed."""
    assert mismatches(Carrier(up=True), ACK) == [("class", "Carrier", "DhcpAck")]
    assert mismatches(Event(), ACK) == []


def test_the_more_fields_agree_the_closer():
    """1.0 is a match, 0.0 another kind of event, and texts count by their likeness."""
    assert closeness(DhcpAck("192.168.4.3"), ACK) == 1.0
    assert closeness(Carrier(), ACK) == 0.0
    near, far = closeness(DhcpAck("192.168.4.2"), ACK), closeness(DhcpAck("nowhere"), ACK)
    assert 1.0 > near > far > 0.0
    assert closeness(DhcpAck("192.168.4.2", xid=1), ACK) > near


def test_a_mismatch_is_described_by_the_predicate_or_by_value():
    """The end of the sentence 'address: …'."""
    assert describe_mismatch("a", "b") == "wanted 'a', got 'b'"
    assert describe_mismatch(at_least(60), 30) == "wanted at_least(60), got 30, 30 too low"


def test_a_pattern_is_described_with_the_stamp_that_it_asks_for():
    """The repr of an event leaves the stamp out; a step that asks for a board must not."""
    assert describe(DhcpAck("1.2.3.4", board="s3-b", t_ns=5)) == "DhcpAck(address='1.2.3.4', t_ns=5, board='s3-b')"
