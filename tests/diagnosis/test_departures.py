"""What explains that a board left the bus."""

import pytest

from hil.clock import to_ns
from hil.diagnosis.departures import RECOVERY, RESET, TEST, UNEXPLAINED, departures
from hil.diagnosis.window import Window
from hil.testing.handmade import BOARD, action, at, attached, detached, said
from hil.timeline.events import BoardPanicked, BootMessage, Event, Started, UsbAttached, UsbDetached


def reasons(*events: Event, since_s: float = 0.0) -> list[str]:
    return [each.reason for each in departures(Window(events, BOARD, to_ns(since_s), to_ns(20.0)))]


ROM = at(0.5, BootMessage("rom", "ESP-ROM:esp32s3", ""), "console")


def test_nothing_explains_a_departure_that_nobody_speaks_of() -> None:
    """No action, no claim, no line of the ROM since it was attached; that it had booted before counts for nothing."""
    assert reasons(ROM, attached(1.0), detached(3.0), attached(4.0)) == [UNEXPLAINED]


def test_an_action_explains_the_departure_that_follows_it_and_no_other() -> None:
    """The cable is pulled once, the board goes twice; putting it back takes nobody off."""
    pulled, put_back = action(2.0, "unplug", "vbus_off"), action(4.0, "plug", "vbus_off")
    assert reasons(attached(1.0), *pulled, detached(2.1), *put_back, attached(5.0), detached(6.0)) == [
        TEST,
        UNEXPLAINED,
    ]


def test_a_disconnect_that_the_kernel_holds_up_is_the_actions_all_the_same() -> None:
    """A request that is under way delays the uevent by seconds."""
    assert reasons(attached(1.0), *action(2.0, "unplug", "disconnect"), detached(7.2)) == [TEST]


def test_an_action_that_has_not_ended_explains_too() -> None:
    """The window may end in the middle of it."""
    assert reasons(attached(1.0), at(2.0, Started("unplug", ""), "action"), detached(2.1)) == [TEST]


@pytest.mark.parametrize("sees", ["suspend", "traffic", "nothing"])
def test_an_action_that_takes_nobody_off_explains_nothing(sees: str) -> None:
    """A reading or a nap may be followed by a disconnect, and does not cause it."""
    assert reasons(attached(1.0), *action(2.0, "read", sees), detached(2.2)) == [UNEXPLAINED]


def test_an_action_that_leads_through_the_loader_explains_all_its_departures() -> None:
    """Flashing: the firmware goes, the loader goes."""
    flash = action(2.0, "flash", "traffic", took_s=8.0)
    assert reasons(attached(1.0), *flash, detached(2.5), attached(3.0), detached(9.5), attached(10.5)) == [TEST, TEST]


@pytest.mark.parametrize(
    "sign",
    [
        at(3.02, BootMessage("rom", "ESP-ROM:esp32s3", "POWERON"), "console"),
        at(2.9, BoardPanicked("LoadProhibited", 0, ""), "console"),
        said(3.0, "BOOT", "PANIC", via="events"),
    ],
)
def test_a_start_since_it_was_attached_is_a_reset(sign: Event) -> None:
    """Whether the ROM, the panic handler or the firmware tells of it."""
    assert reasons(ROM, attached(1.0), sign, detached(3.0)) == [RESET]


def test_a_recovery_is_told_by_the_board() -> None:
    """And of two departures it explains the one of its own enumeration."""
    assert reasons(
        attached(1.0), said(3.49, "USB_RECOVER", "attempt 1"), detached(3.5), attached(4.5), detached(5.0)
    ) == [
        RECOVERY,
        UNEXPLAINED,
    ]


def test_another_port_is_not_the_boards() -> None:
    """The UART bridge of the same board may come and go."""
    bridge = at(2.0, UsbDetached("1-2"), "uevent")
    other = at(0.9, UsbAttached("1-2", 0x10C4, 0xEA60), "uevent")
    assert reasons(other, attached(1.0), bridge) == []


def test_a_board_that_was_there_before_the_window_counts_from_its_begin() -> None:
    """What was said before the window is of no departure in it."""
    assert reasons(attached(1.0), said(2.0, "USB_RECOVER", "attempt 1"), detached(6.0), since_s=5.0) == [UNEXPLAINED]
