"""Events as events and as patterns."""

import dataclasses

import pytest

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
    assert dataclasses.is_dataclass(kind)
    with pytest.raises(dataclasses.FrozenInstanceError):
        kind().t_ns = 1  # type: ignore[misc]
    assert not set(own_fields(kind)) & set(STAMP)


def test_sources_have_one_name_each() -> None:
    """Every channel is named once."""
    assert len(set(SOURCES)) == len(SOURCES)
