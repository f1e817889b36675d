"""A link that a resume takes down."""

import pytest

from hil.testing.handmade import at, attached, detached, names, said, told_of_link
from hil.timeline.events import BoardSaid, CaptureGap, Event, LinkChanged, UsbResumed, UsbSuspended

SLEPT = [
    attached(1.0),
    *told_of_link(1.5, up=True),
    at(4.0, UsbSuspended("1-1"), "sysfs"),
    at(6.0, UsbResumed("1-1"), "sysfs"),
    *told_of_link(6.1, up=False),
]


def left_down(events: list[Event], end_s: float = 20.0) -> bool:
    return "link-left-down-after-resume" in names(events, end_s)


def test_a_link_that_a_resume_leaves_down_is_named() -> None:
    """Down 0.1 s after the resume, and no more carrier."""
    assert names(SLEPT) == ["link-left-down-after-resume"]


def test_a_second_nap_does_not_hide_it() -> None:
    """The link has been down since the first; the second resume changes nothing."""
    again = [at(7.0, UsbSuspended("1-1"), "sysfs"), at(9.0, UsbResumed("1-1"), "sysfs")]
    assert left_down([*SLEPT, *again])


@pytest.mark.parametrize(
    "then",
    [
        told_of_link(6.4, up=True),
        [detached(6.5)],
        [at(6.05, LinkChanged("usb0", False, "down"), "netlink")],
        [at(7.0, CaptureGap("netlink", "socket overflowed", 1.0), "harness")],
    ],
    ids=["kicked", "gone", "set down", "blind"],
)
def test_a_link_that_comes_back_or_went_otherwise_is_not_named(then: list[Event]) -> None:
    """A kick has two halves; who left the bus or set the interface down took the carrier, too."""
    assert not left_down([*SLEPT, *then])


def test_a_window_that_ends_in_the_kick_proves_nothing() -> None:
    """The second half may still come."""
    assert not left_down(SLEPT, end_s=7.0)


def test_a_link_that_was_down_before_the_nap_is_not_named() -> None:
    """Nothing changed with the resume."""
    assert not left_down([*SLEPT[:1], *SLEPT[3:5], *told_of_link(3.0, up=False)])


def log(*claims: tuple[str, float]) -> list[BoardSaid]:
    """Entries of the event log, each with the second at which it was written."""
    return [said(t_s, name, "", round(t_s * 1e3), via="events") for name, t_s in claims]


NAP = [attached(1.0), at(4.0, UsbSuspended("1-1"), "sysfs"), at(6.0, UsbResumed("1-1"), "sysfs")]
AFTER_A_BOOT = [said(4.9, "NCM_LINK_UP", "", 800, via="events")]
MOVED = log(("USB_SUSPENDED", 4.01), ("NCM_LINK_UP", 4.3), ("USB_RESUMED", 6.01))


def test_a_link_that_comes_up_while_the_bus_sleeps_is_named() -> None:
    """Between the board's own suspend and resume, which the host saw."""
    assert names([*NAP, *MOVED]) == ["link-moved-while-asleep"]


@pytest.mark.parametrize(
    "events",
    [
        [*NAP, *log(("USB_SUSPENDED", 4.01), ("USB_RESUMED", 6.01), ("NCM_LINK_UP", 6.3))],
        [*NAP, *log(("NCM_LINK_UP", 3.9), ("USB_SUSPENDED", 4.01), ("USB_RESUMED", 6.01))],
        [*NAP, *log(("USB_SUSPENDED", 4.01)), *AFTER_A_BOOT, *log(("USB_RESUMED", 6.01))],
        [*NAP, *log(("USB_SUSPENDED", 4.01), ("NCM_LINK_UP", 4.3))],
        [attached(1.0), *MOVED],
        [*NAP, *MOVED, *told_of_link(5.0, up=True)],
    ],
    ids=["after", "before", "started over", "no end", "no nap", "the host was told"],
)
def test_a_link_that_moves_at_another_time_is_not_named(events: list[Event]) -> None:
    """Outside of the nap, in another boot, or with the host awake."""
    assert "link-moved-while-asleep" not in names(events)
