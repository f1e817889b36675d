"""A restart that ends in the chip's loader, and those that do not."""

import pytest

from hil.testing.handmade import PORT, action, at, attached, detached, names
from hil.timeline.events import BootMessage, Event, HttpReply, LoaderAsked, UsbAttached

ASKED = at(3.0, HttpReply("/reset", 200, "POST", "application/json", '{"status":"resetting"}', 0.05), "http")
ROM = at(
    3.4, BootMessage("rom", "rst:0xc (RTC_SW_CPU_RST),boot:0x0 (DOWNLOAD(USB/UART0))", "RTC_SW_CPU_RST"), "console"
)
LOADER = at(4.0, UsbAttached(PORT, 0x303A, 0x1001), "uevent")
POSTED = action(2.9, "http_request", "traffic", "POST /reset")
ENDED: list[Event] = [attached(1.0), *POSTED, ASKED, detached(3.3), LOADER]
FINDING = "restart-ends-in-loader"


@pytest.mark.parametrize(
    "more", [[], [ROM], [ROM, at(5.0, LoaderAsked("usb", True), "action")]], ids=["seen", "told", "answers"]
)
def test_a_restart_that_ends_in_the_loader_is_named(more: list[Event]) -> None:
    """It was granted, and what comes and stays is the chip's own device."""
    assert names([*ENDED, *more]) == [FINDING]


@pytest.mark.parametrize(
    "events",
    [
        [*ENDED, attached(4.5)],
        [attached(1.0), ASKED, detached(3.3), attached(4.0)],
        [attached(1.0), ASKED],
        [attached(1.0), detached(3.3), LOADER, ROM],
        [*ENDED, ROM, *action(3.1, "enter_bootloader", "reset", "serial")],
    ],
    ids=["for a moment", "application", "stays", "nobody asked", "sent there"],
)
def test_a_board_that_is_not_sent_to_its_loader_by_a_restart(events: list[Event]) -> None:
    """Its application came, or something else brought the loader."""
    assert FINDING not in names(events)


def test_a_window_that_ends_with_the_chips_own_device_proves_nothing() -> None:
    """An application may still take the pins; the ROM's line decides."""
    assert FINDING not in names(ENDED, end_s=6.0)
    assert FINDING in names([*ENDED, ROM], end_s=6.0)
