"""Where a way into the chip's loader, or out of it, ended instead."""

import pytest

from hil.testing.handmade import PORT, at, attached, detached, names
from hil.timeline.events import ActionFailed, EnumerationFailed, Event, Started, UsbAttached

LOADER = UsbAttached(PORT, 0x303A, 0x1001, "x")
OTG = UsbAttached(PORT, 0x303A, 0x0009, "0")


def way(name: str, *between: Event, action: str = "enter_bootloader") -> list[Event]:
    """A board that was told to go at 5 s, and the failure of that at 15 s."""
    return [
        attached(1.0),
        at(5.0, Started(action, "serial"), "action"),
        *between,
        at(15.0, ActionFailed(action, f"{name}: board s3-a was sent to its loader by serial, and …"), "action"),
    ]


GONE = detached(5.3)


@pytest.mark.parametrize(
    ("name", "between"),
    [
        ("loader-never-appears", [GONE]),
        ("loader-not-enumerated", [GONE, at(6.0, EnumerationFailed(PORT, "descriptor", -71), "kmsg")]),
        ("loader-does-not-answer", [GONE, at(6.0, LOADER, "uevent")]),
        ("loader-on-other-usb", [GONE, at(6.0, OTG, "uevent")]),
        ("bootloader-request-ignored", []),
        ("application-came-back", [GONE, attached(6.5)]),
    ],
)
def test_each_end_of_a_way_in_is_named(name: str, between: list[Event]) -> None:
    """By what the host saw after the order, and no other finding beside it."""
    assert names(way(name, *between)) == [name]


def test_a_loader_that_comes_back_is_named() -> None:
    """On the way out."""
    events = way("download-bit-never-cleared", GONE, at(6.0, LOADER, "uevent"), action="leave_bootloader")
    assert names(events) == ["download-bit-never-cleared"]


@pytest.mark.parametrize(
    ("name", "between"),
    [
        ("loader-never-appears", [GONE, at(6.0, LOADER, "uevent")]),
        ("loader-not-enumerated", [GONE]),
        ("loader-on-other-usb", [GONE, attached(6.0)]),
        ("bootloader-request-ignored", [GONE]),
        ("application-came-back", [GONE, at(6.0, LOADER, "uevent")]),
    ],
)
def test_what_the_host_did_not_see_is_not_named(name: str, between: list[Event]) -> None:
    """The text of an error is no evidence by itself."""
    assert name not in names(way(name, *between))


def test_a_failure_of_another_kind_is_none_of_these() -> None:
    """A bench without the way that a test asks for."""
    failed = at(6.0, ActionFailed("enter_bootloader", "board s3-a has no way"), "action")
    assert names([attached(1.0), at(5.0, Started("enter_bootloader", ""), "action"), failed]) == []
