"""A serial port that somebody else has opened, as a pyserial object for esptool.

An ordinary user may not open a board's tty; the agent does, and hands over the descriptor. So this port is opened once,
and what was lost with it is lost: it cannot be opened again. What esptool would try for seconds on a port that has gone
ends at once, with the exceptions of hil, and no read or write outlasts the port's deadline.
"""

import errno
import os
import select
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import serial

from hil.clock import Deadline
from hil.errors import BoardMute, BoardVanished

ROM_BAUD = 115200
READ_S, WRITE_S = 3.0, 10.0
"""Where the caller sets no timeout: those that esptool itself sets; its largest block takes 1.5 s at 115200 baud."""
_GONE = (errno.EIO, errno.ENODEV, errno.ENXIO, errno.EBADF, errno.ENOENT)
"""What the kernel says of a tty whose device has left the bus; pyserial wraps the same."""


class TtyPort(serial.Serial):
    """Takes over ``fd``, and closes it when it is closed.

    Args:
        fd: of a tty.
        name: of its node: esptool looks the USB identity up by it.
        board: for messages.
        within_s: no read or write goes on after so long; see :attr:`deadline`.
    """

    def __init__(self, fd: int, name: str, board: str, within_s: float = 60.0) -> None:
        super().__init__(baudrate=ROM_BAUD)
        self.port = name
        self.board = board
        self.deadline = Deadline(within_s)
        """Replace it for the next phase."""
        self.fd: int | None = fd
        os.set_blocking(fd, False)
        self.is_open = True
        self._reconfigure_port(force_update=True)

    def open(self) -> None:
        """
        Raises:
            BoardVanished: always: it was open already, and has gone.
        """
        raise self._vanished("has gone")

    def close(self) -> None:
        """What was not sent is thrown away: the last close of a tty waits up to 30 s for it (tty_port_close_start)."""
        if self.is_open and self.fd is not None:
            with suppress(termios.error):
                termios.tcflush(self.fd, termios.TCOFLUSH)
            os.close(self.fd)
        self.is_open, self.fd = False, None

    @property
    def in_waiting(self) -> int:
        with self._present("was read"):
            return int(super().in_waiting)

    def read(self, size: int = 1) -> bytes:
        """At most ``size`` bytes, as soon as they are there or the timeout has passed.

        Raises:
            BoardVanished: the device has left the bus.
            BoardMute: the deadline has passed.
        """
        found = b""
        patience = Deadline(READ_S if self.timeout is None else self.timeout)
        while len(found) < size and self._ready(select.POLLIN, patience):
            with self._present("was read"):
                data = os.read(self._descriptor, size - len(found))
            if not data:
                raise self._vanished("hung up")
            found += data
        return found

    def write(self, data: Any, /) -> int:
        """All of ``data``.

        Raises:
            BoardVanished: the device has left the bus.
            BoardMute: it takes no more bytes.
        """
        left = memoryview(data)
        patience = Deadline(WRITE_S if self.write_timeout is None else self.write_timeout)
        while left:
            if not self._ready(select.POLLOUT, patience):
                raise BoardMute(f"board {self.board}: {self.name} has taken no byte for {patience.within_s:g} s")
            with self._present("was written to"):
                left = left[os.write(self._descriptor, left) :]
        return len(data)

    def _reconfigure_port(self, force_update: bool = False) -> None:
        """What pyserial calls when anything of the port is set, its timeouts included."""
        with self._present("was set up"):
            super()._reconfigure_port(force_update)  # type: ignore[misc]  # the stubs leave it out

    def reset_input_buffer(self) -> None:
        with self._present("was emptied"):
            termios.tcflush(self._descriptor, termios.TCIFLUSH)

    def reset_output_buffer(self) -> None:
        with self._present("was emptied"):
            termios.tcflush(self._descriptor, termios.TCOFLUSH)

    @property
    def _descriptor(self) -> int:
        if self.fd is None:
            raise self._vanished("was closed")
        return self.fd

    def _ready(self, what: int, patience: Deadline) -> bool:
        """Whether it is ready before ``patience`` ends.

        Raises:
            BoardMute: the port's own deadline ended first.
        """
        poller = select.poll()
        poller.register(self._descriptor, what)
        left_s = min(patience.left_s, self.deadline.left_s)
        if poller.poll(left_s * 1000):
            return True
        if self.deadline.passed:
            raise BoardMute(f"board {self.board}: {self.name} was not done within {self.deadline.within_s:g} s")
        return False

    @contextmanager
    def _present(self, done: str) -> Iterator[None]:
        """Turns what the kernel says of a port that has gone into :class:`BoardVanished`."""
        try:
            yield
        except BlockingIOError:
            raise self._vanished(f"was not ready when it {done}") from None
        except termios.error as error:
            raise self._vanished(f"had gone when it {done}: {error.args[-1]}") from error
        except OSError as error:
            if error.errno is not None and error.errno not in _GONE:
                raise
            raise self._vanished(f"had gone when it {done}: {error.strerror or error}") from error

    def _vanished(self, how: str) -> BoardVanished:
        return BoardVanished(f"board {self.board} left the bus: {self.name} {how}")
