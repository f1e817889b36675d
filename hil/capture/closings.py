"""Closing serial ports beside the loop: the last close of a port may ask its device for something, and wait for it.

Lowering DTR is a control request, which a device has 5 s to answer (drivers/usb/class/cdc-acm.c, ``acm_ctrl_msg``), and
so are those that switch a bridge off (drivers/usb/serial/cp210x.c, ``cp210x_close``).
"""

import os
import threading
from collections.abc import Callable

from hil.capture.source import Moment, Source
from hil.timeline.events import Event


class Closings(Source):
    """Readable when a closing has ended. A thread each: they are few, and do nothing but wait in the kernel."""

    def __init__(self) -> None:
        super().__init__(os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC))
        self._under_way = 0
        self._afterwards: list[Callable[[], None]] = []

    def begin(self, fd: int) -> None:
        """Close ``fd``, which belongs to nobody else any more."""
        self._under_way += 1
        threading.Thread(target=self._close, args=(fd,), name="hil-closing", daemon=True).start()

    def after(self, call: Callable[[], None]) -> None:
        """Call when no closing is under way, at once where none is."""
        self._afterwards.append(call)
        self._call_if_over()

    def read(self, now: Moment) -> list[Event]:
        self._under_way -= os.eventfd_read(self._fd)
        self._call_if_over()
        return []

    def close(self) -> None:
        if self._under_way == 0:  # else its thread writes into the descriptor
            super().close()

    def _call_if_over(self) -> None:
        if self._under_way == 0:
            calls, self._afterwards = self._afterwards, []
            for call in calls:
                call()

    def _close(self, fd: int) -> None:
        try:
            os.close(fd)
        finally:
            if self._fd >= 0:
                os.eventfd_write(self._fd, 1)
