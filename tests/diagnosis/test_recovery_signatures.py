"""Recovery: too little, too much, too early; and not on a board that does it right."""

from collections.abc import Sequence

import pytest

from hil.testing.handmade import PORT, action, arp, asked, at, attached, detached, names, said, told_of_link
from hil.timeline.events import CaptureGap, Carrier, Event, Started, UsbAttached, UsbSuspended

PULLED = [*action(0.1, "unplug", "vbus_off"), detached(0.2), *action(1.1, "plug", "vbus_off")]
SILENT = [*PULLED, attached(2.0), *told_of_link(2.7, up=True)]
"""A board that is plugged in, gives a link and hears nothing."""


def recovery(t_s: float, attempt: int, mount_ms: int = 900, waited_ms: int = 2500) -> list[Event]:
    """One mount, as the console tells it, the recovery after it, and what the host sees of that."""
    gone_s = t_s + waited_ms / 1e3
    return [
        attached(t_s),
        said(t_s + 0.01, "USB_MOUNTED", "", mount_ms),
        said(gone_s, "USB_RECOVER", f"attempt {attempt}", mount_ms + waited_ms),
        detached(gone_s + 0.02),
    ]


def test_silence_that_nobody_ends_is_named() -> None:
    """The host has carrier and says nothing, nor does the board do anything about it."""
    assert names(SILENT) == ["no-recovery-after-silence"]


def test_a_link_that_came_up_late_by_the_clock_is_no_kick() -> None:
    """The carrier that was missing before it was there may be dated past it by its error alone."""
    uncertain = at(2.6, Carrier(False, "usb0"), "netlink", t_err_s=0.5)
    assert names([*SILENT, uncertain]) == ["no-recovery-after-silence"]


@pytest.mark.parametrize(
    "heard",
    [
        asked(3.0),
        [arp(3.0, "host")],
        told_of_link(6.0, up=False),
        [said(6.0, "USB_RECOVER", "attempt 1")],
        [said(1.2, "USB_RECOVER", "gave up")],
        [at(4.0, UsbSuspended("1-1"), "sysfs")],
        [at(3.0, Started("enter_bootloader", "serial"), "action")],
        [at(3.0, CaptureGap("packet", "ring overflowed", 1.0), "harness")],
    ],
    ids=["asks", "speaks", "link kicked", "recovers", "has given up", "sleeps", "told to leave", "blind"],
)
def test_silence_that_is_none_is_not_named(heard: Sequence[Event]) -> None:
    """A frame of the host, a kick, a recovery, a bus that sleeps, a channel that was blind."""
    assert "no-recovery-after-silence" not in names([*SILENT, *heard])


def test_a_loader_owes_nobody_a_frame() -> None:
    """Its device has no network; the carrier is that of the application before it, and dated no better."""
    vague = at(4.0, Carrier(True, "usb0"), "netlink", t_err_s=2.0)
    loader = at(5.2, UsbAttached(PORT, 0x303A, 0x1001), "uevent")
    assert "no-recovery-after-silence" not in names([attached(1.0), vague, detached(4.5), loader])


def test_short_silence_is_not_named() -> None:
    """A board waits for 2 s before it does anything."""
    assert names(SILENT, end_s=6.0) == []


def test_silence_that_began_before_the_window_is_not_named() -> None:
    """The board may have tried and given up since."""
    assert names([at(-1.0, Carrier(True, "usb0"), "netlink")]) == []


def storm(attempts: Sequence[int], pause_s: float = 1.0) -> list[Event]:
    events, t_s = list(PULLED), 2.0
    for number in attempts:
        events += recovery(t_s, number)
        t_s += 2.52 + pause_s
    return events


def test_a_storm_is_named() -> None:
    """Three recoveries at 3.5 s, each as if it were the first."""
    assert names(storm([1, 1, 1])) == ["recovery-storm"]


def test_recoveries_that_are_counted_are_no_storm() -> None:
    """The count shows that there will be an end."""
    assert names(storm([1, 2, 3])) == []


def test_two_recoveries_are_no_storm() -> None:
    """A host may come late."""
    assert names(storm([1, 1])) == []


def test_recoveries_far_apart_are_no_storm() -> None:
    """A backoff that holds makes the distance grow."""
    assert names(storm([1, 1, 1], pause_s=5.0)) == []


def test_recoveries_after_replugs_are_no_storm() -> None:
    """Each plug by the test begins a count of its own."""
    replugged = [*recovery(2.0, 1), attached(5.5), *action(5.6, "unplug", "vbus_off"), detached(5.7)]
    again = [*recovery(7.0, 1), attached(10.5), *action(10.6, "unplug", "vbus_off"), detached(10.7), *recovery(12.0, 1)]
    assert names([*PULLED, *replugged, *again]) == []


def test_a_recovery_right_after_the_mount_is_named() -> None:
    """Half a second is no silence."""
    assert names([*PULLED, *recovery(2.0, 1, waited_ms=500)]) == ["recovery-timer-underflow"]


def test_a_recovery_in_its_time_is_not_named() -> None:
    """2.5 s after the mount."""
    assert names([*PULLED, *recovery(2.0, 1)]) == []


def test_a_hasty_recovery_that_the_host_does_not_see_is_not_named() -> None:
    """What the board says needs the host's word."""
    told = [event for event in recovery(2.0, 1, waited_ms=500) if event.source == "console"]
    assert names([*PULLED, attached(2.0), *told]) == []


def test_two_channels_that_tell_of_one_recovery_are_not_mixed() -> None:
    """The log has the mount, the console the recovery: their milliseconds are of two boots."""
    stale = said(2.0, "USB_MOUNTED", "", 3000, via="events")
    told = [event for event in recovery(2.0, 1) if not (event.source == "console" and "MOUNT" in repr(event))]
    assert names([*PULLED, stale, *told]) == []
