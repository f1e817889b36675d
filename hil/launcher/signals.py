"""Signals of this process as bytes to read, for as long as a command runs in the machine."""

import signal
import socket
import threading
from types import FrameType

from hil.launcher.protocol import FORWARDED


class Stopped(Exception):
    """A signal ended the machine before its command had ended."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number
        """What a shell would give as exit status."""


def _note(number: int, frame: FrameType | None) -> None:
    """The interpreter has written the number to the wakeup descriptor already (signal.set_wakeup_fd)."""


class SignalInbox:
    """From ``with`` on, forwarded signals can be read from :attr:`socket`, one byte each, and do nothing else.

    Off the main thread, where Python allows no handlers, nothing ever arrives.
    """

    def __init__(self) -> None:
        self.socket, self._write_end = socket.socketpair()
        self.socket.setblocking(False)
        self._write_end.setblocking(False)

    def __enter__(self) -> "SignalInbox":
        self._active = threading.current_thread() is threading.main_thread()
        if self._active:
            self._handlers = {number: signal.signal(number, _note) for number in FORWARDED}
            self._wakeup = signal.set_wakeup_fd(self._write_end.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._active:
            signal.set_wakeup_fd(self._wakeup)
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
        self.socket.close()
        self._write_end.close()

    def take(self) -> list[int]:
        """Signals that have arrived."""
        try:
            return [number for number in self.socket.recv(256) if number in FORWARDED]
        except BlockingIOError:
            return []
