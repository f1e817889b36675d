from hil.expect.channels import channels_of
from hil.timeline.events import REGISTRY, SOURCES, DhcpAck, Event

ANYWHERE = {
    "TestStarted",
    "TestEnded",
    "BenchOpened",
    "Started",
    "Acted",
    "ActionFailed",
    "BenchRestored",
    "CaptureGap",
    "ProfileRead",
    "FlashProgress",
    "LoaderAsked",
}
"""Events of the bench itself: no board's silence can hide them."""


def test_every_event_of_a_board_has_its_channels():
    """A class added to the events is added here, or said to come from anywhere."""
    assert {name for name, kind in REGISTRY.items() if not channels_of(kind())} == ANYWHERE


def test_channels_are_known_sources():
    """They are compared with the source of events."""
    assert {name for kind in REGISTRY.values() for name in channels_of(kind())} <= set(SOURCES)


def test_a_pattern_that_names_its_source_has_that_one():
    """The author knows better."""
    assert channels_of(DhcpAck(source="usbmon")) == ("usbmon",)
    assert channels_of(Event()) == ()
