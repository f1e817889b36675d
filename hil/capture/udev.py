"""udev's own copy of the uevents, after its rules have run; through libudev, as their format is private to systemd.

A module of its own, imported when the channel is asked for: finding libudev takes longer than the rest of the start.
"""

import pyudev

from hil.capture.boards import Boards
from hil.capture.source import Moment, Source
from hil.capture.uevent import generic
from hil.timeline.events import Event
from hil.wire.uevent import KernelUevent


class UdevSource(Source):
    """A udev monitor of the machine's own namespace; where no udevd runs it stays silent."""

    channel = "udev"

    def __init__(self, monitor: pyudev.Monitor, boards: Boards) -> None:
        monitor.start()
        super().__init__(monitor.fileno())
        self._monitor = monitor
        self._boards = boards

    @classmethod
    def open(cls, boards: Boards) -> "UdevSource":
        """Needs no privilege.

        Raises:
            OSError, ImportError: there is no libudev, or the kernel refused the socket.
        """
        return cls(pyudev.Monitor.from_netlink(pyudev.Context(), "udev"), boards)

    def read(self, now: Moment) -> list[Event]:
        found: list[Event] = []
        while (device := self._monitor.poll(0)) is not None:
            owner = self._boards.owner(device.device_path)
            if owner is not None:
                properties = {str(key): str(value) for key, value in device.properties.items()}
                uevent = KernelUevent(device.action or "", device.device_path, properties)
                found.append(generic(uevent, owner[0].name, self.channel, now))
        return found

    def close(self) -> None:
        self._fd = -1  # the monitor owns it and closes it when it is collected
