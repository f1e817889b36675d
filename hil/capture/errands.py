"""Calls that the kernel may take its time over, beside the loop.

The last close of a serial port may ask its device for something: lowering DTR is a control request, which a device has
5 s to answer (drivers/usb/class/cdc-acm.c, ``acm_ctrl_msg``), and so are those that switch a bridge off
(drivers/usb/serial/cp210x.c, ``cp210x_close``). An attribute may wait for its device's lock, which is held through a
reset or a new configuration (drivers/usb/core/sysfs.c, ``usb_string_attr``).
"""

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeVar

from hil.capture.source import Moment, Source
from hil.timeline.events import Event

T = TypeVar("T")


class Fetch(Protocol):
    """Has something read, now or beside the loop."""

    def __call__(self, read: Callable[[], T], told: Callable[[T], list[Event]]) -> list[Event] | None:
        """The events that ``told`` makes of what ``read`` returns; None where they are written later."""


def at_once(read: Callable[[], T], told: Callable[[T], list[Event]]) -> list[Event] | None:
    """A :class:`Fetch` that waits."""
    return told(read())


class Errands(Source):
    """Readable when an errand is done. A thread each: they are few, and do next to nothing but wait in the kernel."""

    def __init__(self) -> None:
        super().__init__(os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC))
        self._done: deque[Callable[[], list[Event]]] = deque()
        self._under_way = 0
        self._closing = 0
        self._when_closed: list[Callable[[], None]] = []

    def fetch(self, read: Callable[[], T], told: Callable[[T], list[Event]]) -> list[Event] | None:
        """A :class:`Fetch`; ``read`` must not raise."""
        self._send(lambda: self._done.append(_with(told, read())))
        return None

    def close_port(self, fd: int) -> None:
        """Close ``fd``, which belongs to nobody else any more."""
        self._closing += 1
        self._send(lambda: self._close(fd))

    def when_closed(self, call: Callable[[], None]) -> None:
        """Call when no port is being closed, at once where none is."""
        self._when_closed.append(call)
        self._call_if_closed()

    def read(self, now: Moment) -> list[Event]:
        found: list[Event] = []
        for _ in range(os.eventfd_read(self._fd)):
            self._under_way -= 1
            found += self._done.popleft()()
        self._call_if_closed()
        return found

    def close(self) -> None:
        if self._under_way == 0:  # else a thread writes into the descriptor
            super().close()

    def _send(self, errand: Callable[[], None]) -> None:
        def run() -> None:
            errand()
            if self._fd >= 0:  # the loop has not ended
                os.eventfd_write(self._fd, 1)

        self._under_way += 1
        threading.Thread(target=run, name="hil-errand", daemon=True).start()

    def _close(self, fd: int) -> None:
        with contextlib.suppress(OSError):  # it is closed whatever close(2) says
            os.close(fd)
        self._done.append(self._closed)

    def _closed(self) -> list[Event]:
        self._closing -= 1
        return []

    def _call_if_closed(self) -> None:
        if self._closing == 0:
            calls, self._when_closed = self._when_closed, []
            for call in calls:
                call()


def _with(told: Callable[[T], list[Event]], value: T) -> Callable[[], list[Event]]:
    return lambda: told(value)
