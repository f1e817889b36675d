"""udev's events are told under their own source."""

from typing import Any

from hil.capture.boards import Boards
from hil.capture.claims import Claims
from hil.capture.source import Moment
from hil.capture.udev import UdevSource
from hil.timeline.events import Uevent


class Device:
    """What a udev monitor returns."""

    def __init__(self, path: str) -> None:
        self.device_path = path
        self.action = "add"
        self.properties = {"SUBSYSTEM": "tty", "ID_SERIAL": "x"}


class Monitor:
    """A udev monitor with two events in it."""

    def __init__(self) -> None:
        self.started = False
        self._devices = [Device("/devices/usb1/1-1/1-1:1.2/tty/ttyACM0"), Device("/devices/usb1/1-9")]

    def start(self) -> None:
        self.started = True

    def fileno(self) -> int:
        return -1

    def poll(self, timeout: float) -> Any:
        assert timeout == 0
        return self._devices.pop(0) if self._devices else None


def test_events_of_the_boards_are_told_with_udevs_properties(now: Moment) -> None:
    """Only what lies on a board's path is told."""
    boards = Boards()
    boards.add("s3-a", {"usb": "1-1"}, Claims())
    monitor = Monitor()
    source = UdevSource(monitor, boards)
    (event,) = source.read(now)
    assert monitor.started
    assert isinstance(event, Uevent)
    assert (event.subsystem, event.source, event.board) == ("tty", "udev", "s3-a")
    assert event.properties["ID_SERIAL"] == "x"
