"""Events as events and as patterns."""

import pytest
from msgspec.structs import replace

from hil.timeline.events import ANY, REGISTRY, SOURCES, STAMP, Carrier, Event, HttpReply, own_fields


def test_repr_shows_what_is_set_and_not_the_stamp() -> None:
    """An event prints as what a person would type to expect it."""
    assert repr(Carrier(up=True, interface="usb0", t_ns=1, t_err_ns=2, board="s3-a", source="netlink")) == (
        "Carrier(up=True, interface='usb0')"
    )
    assert repr(HttpReply("/status", 200)) == "HttpReply(path='/status', status=200)"


def test_a_field_left_out_is_open() -> None:
    """What a pattern does not name is ANY, the stamp included."""
    assert Carrier(up=True).interface is ANY
    assert Carrier().t_ns is ANY


@pytest.mark.parametrize("kind", REGISTRY.values(), ids=REGISTRY)
def test_every_event_is_frozen_and_documented(kind: type[Event]) -> None:
    """No event can be changed once it has happened; each says what it is, by its name or its docstring."""
    with pytest.raises(AttributeError, match="immutable"):
        kind().t_ns = 1  # type: ignore[misc]
    assert not set(own_fields(kind)) & set(STAMP)
    assert not hasattr(kind(), "__dict__")
    assert kind.__match_args__ == own_fields(kind)


def test_events_are_equal_when_all_their_fields_are() -> None:
    """The stamp counts too; events of different classes are never equal."""
    event = HttpReply("/status", 200, t_ns=1)
    assert event == HttpReply("/status", 200, t_ns=1)
    assert hash(event) == hash(HttpReply("/status", 200, t_ns=1))
    assert event != HttpReply("/status", 200, t_ns=2)
    assert Carrier() != Event()


def test_a_changed_copy_leaves_the_event_as_it_was() -> None:
    """A pattern is limited to a board by a copy."""
    event = Carrier(up=True)
    assert replace(event, board="s3-a") == Carrier(up=True, board="s3-a")
    assert event.board is ANY


def test_only_the_stamp_is_by_name_alone() -> None:
    """A position never means the stamp."""
    with pytest.raises(TypeError):
        Carrier(True, "usb0", 1200)  # type: ignore[misc]


def test_sources_have_one_name_each() -> None:
    """Every channel is named once."""
    assert len(set(SOURCES)) == len(SOURCES)
