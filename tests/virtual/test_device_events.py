"""What a USB device tells the firmware, and when that ends."""

from collections.abc import Callable

import pytest

from hil.virtual.device_events import DeviceEvents
from hil.virtual.firmware import Command, Firmware
from hil.virtual.seen import Seen


class Heard:
    def __init__(self) -> None:
        self.count = 0
        self.frames: list[bytes] = []

    def mounted(self) -> None:
        self.count += 1

    def frame_from_host(self, frame: bytes) -> None:
        self.frames.append(frame)

    def tell(self, callback: Callable[[int], list[Command]]) -> None:
        callback(0)
        self.count += 1


INPUTS: dict[str, Callable[[DeviceEvents], object]] = {
    "mounted": lambda events: events.on_mounted(),
    "unmounted": lambda events: events.on_unmounted(),
    "suspended": lambda events: events.on_suspended(True),
    "resumed": lambda events: events.on_resumed(),
    "line state": lambda events: events.on_line_state(True, True),
}


@pytest.mark.parametrize("name", INPUTS)
def test_each_event_is_told_while_the_device_lives_and_never_after(name: str) -> None:
    """After detach the same call reaches nobody."""
    heard = Heard()
    firmware = Firmware()
    firmware.boot("POWERON", 0)
    events = DeviceEvents(heard, firmware)
    INPUTS[name](events)
    assert heard.count == 1
    events.detach()
    INPUTS[name](events)
    assert heard.count == 1


def test_frames_of_a_dead_device_are_taken_and_lost() -> None:
    """The host is never left waiting with a frame for a chip that was reset."""
    heard = Heard()
    events = DeviceEvents(heard, Firmware())
    assert events.on_frame(b"one")
    events.detach()
    assert events.on_frame(b"two")
    assert heard.frames == [b"one"]


def test_what_the_board_has_seen_is_counted_while_the_device_lives() -> None:
    """Bus resets too, which the firmware is not told of."""
    firmware, seen = Firmware(), Seen()
    firmware.boot("POWERON", 0)
    events = DeviceEvents(Heard(), firmware, seen)
    events.on_bus_reset()
    for _ in range(2):
        for tell in INPUTS.values():
            tell(events)
        assert seen == Seen(bus_resets=1, mounts=1, unmounts=1, suspends=1, resumes=1)
        events.detach()
        events.on_bus_reset()
