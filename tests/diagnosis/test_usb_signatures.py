"""A board that does not answer, whose endpoints are dead, that leaves: each by its own name."""

import errno
import sys
from collections.abc import Sequence

import pytest

from hil.testing.handmade import action, arp, asked, at, attached, detached, names, said, told_of_link
from hil.timeline.events import BoardPanicked, BootMessage, CaptureGap, Event, UsbBulkCount, UsbControl

BULK_OUT, BULK_IN = 0x04, 0x84


def request(t_s: float, took_s: float, name: str = "SET_CONFIGURATION", value: int = 1, status: int = 0) -> UsbControl:
    """A control transfer that ended at ``t_s``."""
    return at(t_s, UsbControl(name, value, 3, 0, status, "", took_s), "usbmon")


def selected(*values: int) -> list[Event]:
    return [request(2.0 + n / 100, 0.001, "SET_INTERFACE", value) for n, value in enumerate(values)]


# ---- usb-task-starved


@pytest.mark.parametrize("status", [0, -errno.ENOENT])
def test_a_request_that_waits_for_seconds_is_named(status: int) -> None:
    """Whether it is answered in the end or not."""
    assert names([attached(1.0), request(6.0, 4.6, status=status)]) == ["usb-task-starved"]


def test_a_request_that_is_answered_in_time_is_not_named() -> None:
    """500 ms are allowed; a busy bench may add as much."""
    assert names([attached(1.0), request(2.5, 1.0)]) == []


def test_a_recovery_in_the_middle_of_the_wait_does_not_hide_it() -> None:
    """The board's other tasks run: it left the bus after 2.5 s in which it did not answer."""
    gone = [said(4.0, "USB_RECOVER", "attempt 1"), detached(6.5), attached(7.5)]
    assert names([attached(1.0), *gone, request(6.5, 5.0, status=-errno.ENODEV)]) == ["usb-task-starved"]


@pytest.mark.parametrize(
    "why",
    [
        action(1.6, "unplug", "vbus_off"),
        [said(1.6, "USB_RECOVER", "attempt 1")],
        [at(1.6, BootMessage("rom", "ESP-ROM:esp32s3", ""), "console")],
    ],
    ids=["unplugged", "recovered", "reset"],
)
def test_a_request_under_way_when_the_board_left_is_not_named(why: Sequence[Event]) -> None:
    """The kernel waits 5 s for an answer to it: the board was gone 0.1 s after it was asked."""
    assert "usb-task-starved" not in names(
        [attached(1.0), *why, detached(6.5), request(6.5, 5.0, status=-errno.ENODEV)]
    )


def test_a_panic_that_is_read_late_excuses_a_request_too() -> None:
    """The board was gone 0.1 s after the request began; the kernel learns of it when the test pulls the cable."""
    panicked = at(1.6, BoardPanicked("LoadProhibited", 0, ""), "console", t_err_s=0.8)
    pulled = [*action(6.51, "unplug", "vbus_off"), detached(6.56)]
    under_way = request(6.5, 5.0, "SET_ETHERNET_PACKET_FILTER", status=-errno.ENOENT)
    assert "usb-task-starved" not in names([attached(1.0), panicked, under_way, *pulled])


def test_a_start_of_unknown_time_excuses_nothing() -> None:
    """The event log of a firmware without an uptime spans the whole run."""
    undated = at(5.0, said(5.0, "BOOT", "POWERON", via="events"), "http", t_err_s=10.0)
    assert names([attached(1.0), undated, request(6.0, 4.6)]) == ["usb-task-starved"]


def test_a_request_of_unknown_length_proves_nothing() -> None:
    """A timeline of before may not say how long it took."""
    assert names([attached(1.0), at(6.0, UsbControl("SET_CONFIGURATION", 1, 0, 0, 0, ""), "usbmon")]) == []


# ---- alternate-setting-not-rearmed

DEAF = [attached(1.0), *selected(1, 0, 1), *told_of_link(2.5, up=True), *asked(3.0, 4.5)]


def test_endpoints_that_move_nothing_are_named_and_the_server_is_not_blamed() -> None:
    """Two questions with carrier, and no bulk OUT transfer ends."""
    assert names(DEAF) == ["alternate-setting-not-rearmed"]


@pytest.mark.parametrize(
    "alive",
    [at(3.5, UsbBulkCount(BULK_OUT, 1, 342), "usbmon"), arp(3.5, "board")],
    ids=["transfer", "frame"],
)
def test_endpoints_that_move_something_are_not_named(alive: Event) -> None:
    """Then nobody answers, which is another finding."""
    assert "alternate-setting-not-rearmed" not in names([*DEAF, alive])


def test_transfers_of_the_board_alone_do_not_save_its_endpoints() -> None:
    """IN transfers say nothing of OUT."""
    assert names([*DEAF, at(3.5, UsbBulkCount(BULK_IN, 1, 64), "usbmon")]) == ["alternate-setting-not-rearmed"]


@pytest.mark.parametrize("values", [(1,), (0, 1), (1, 0)])
def test_without_a_second_selection_it_is_not_named(values: tuple[int, ...]) -> None:
    """The picture needs 1, 0 and 1."""
    events = [attached(1.0), *selected(*values), *told_of_link(2.5, up=True), *asked(3.0, 4.5)]
    assert names(events) == ["dhcp-server-silent"]


def test_blind_usbmon_proves_nothing() -> None:
    """Transfers may have ended unseen; that nobody answers stands all the same."""
    assert names([*DEAF, at(2.9, CaptureGap("usbmon", "lost 12", 1.0), "harness")]) == ["dhcp-server-silent"]


# ---- board-left-the-bus


def test_a_disconnect_that_nothing_explains_is_named() -> None:
    """The board was there, and was not, and nobody speaks of it."""
    assert names([attached(1.0), *told_of_link(2.0, up=True), *asked(2.5), detached(3.0), attached(4.0)]) == [
        "board-left-the-bus"
    ]


@pytest.mark.parametrize(
    "why",
    [
        action(2.9, "unplug", "disconnect"),
        [said(2.99, "USB_RECOVER", "attempt 1")],
        [at(3.02, BootMessage("rom", "ESP-ROM:esp32s3", ""), "console")],
        [at(2.0, CaptureGap("uevent", "socket overflowed", 1.0), "harness")],
    ],
    ids=["unplugged", "recovered", "reset", "blind"],
)
def test_a_disconnect_that_something_explains_is_not_named(why: Sequence[Event]) -> None:
    """The test, the board's recovery, a reset; and where uevents were lost nothing is sure."""
    assert names([attached(1.0), *why, detached(3.0)]) == []


def test_twice_the_requests_cost_about_twice_the_work() -> None:
    """A board that starts over for minutes leaves thousands of them; calls are counted, not seconds."""

    def calls(number: int) -> int:
        """Function calls that a diagnosis of so many requests makes."""
        events = [attached(1.0), *(request(2.0 + n / number, 0.001) for n in range(number))]
        counted = [0]

        def count(frame: object, kind: str, argument: object) -> None:
            counted[0] += kind == "call"

        sys.setprofile(count)
        try:
            names(events)
        finally:
            sys.setprofile(None)
        return counted[0]

    assert calls(800) / calls(400) < 2.5
