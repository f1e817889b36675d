"""Why a board left the bus, as far as the board says so itself."""

import pytest

from hil.clock import to_ns
from hil.testing.handmade import at, attached, detached, said
from hil.timeline.departure import RECOVERY, RESET, UNTOLD, around, why_it_left
from hil.timeline.events import BoardPanicked, BootMessage, Event, UsbAttached
from hil.timeline.timeline import Timeline

ROM = at(6.0, BootMessage("rom", "rst:0x1 (POWERON),boot:0x8 (SPI_FAST_FLASH_BOOT)", "POWERON"), "console")
RECOVERS = said(4.9, "USB_RECOVER", "attempt 1")
LEFT = detached(5.0)


def why(*events: Event) -> tuple[str, Event | None]:
    """Of the departure at 5 s, in a run from 0 s to 20 s."""
    timeline = Timeline([LEFT, *events])
    return why_it_left(timeline.of, *around(LEFT, timeline.of, 0, to_ns(20)))


def test_the_span_is_that_between_the_attaches_around_it() -> None:
    """Those nearest, of its own port; without any the run's ends."""
    timeline = Timeline([attached(1.0), attached(3.0), LEFT, attached(7.0), attached(9.0)])
    assert around(LEFT, timeline.of, 0, to_ns(20)) == (to_ns(3), to_ns(7))
    assert around(LEFT, Timeline([LEFT]).of, 0, to_ns(20)) == (0, to_ns(20))
    elsewhere = at(4.0, UsbAttached("1-1.3", 0x1A86, 0x55D4), "uevent")
    assert around(LEFT, Timeline([elsewhere, LEFT]).of, 0, to_ns(20)) == (0, to_ns(20))


@pytest.mark.parametrize(
    ("reason", "said_so", "others"),
    [
        (RECOVERY, RECOVERS, [attached(1.0), attached(7.0)]),
        (RECOVERY, RECOVERS, []),
        (RESET, ROM, [RECOVERS, attached(1.0), attached(7.0)]),
        (RESET, at(5.5, BoardPanicked(), "console"), [attached(1.0), attached(7.0)]),
        (RESET, said(6.5, "BOOT", "SW"), [attached(1.0), attached(7.0)]),
    ],
)
def test_what_it_said_between_them_is_why(reason: str, said_so: Event, others: list[Event]) -> None:
    """A start outweighs a recovery, which it ends."""
    assert why(said_so, *others) == (reason, said_so)


@pytest.mark.parametrize(
    "events",
    [
        [],
        [said(0.9, "USB_RECOVER"), attached(1.0)],
        [attached(1.0), attached(5.9), ROM],
        [attached(4.95), at(5.0, RECOVERS, "console", 0.1)],
    ],
    ids=["nothing", "before it came", "after it was back", "too vague to have been after it came"],
)
def test_what_belongs_to_another_departure_says_nothing(events: list[Event]) -> None:
    """A board has booted before it comes onto the bus."""
    assert why(*events) == (UNTOLD, None)
