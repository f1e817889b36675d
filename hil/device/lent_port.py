"""A board's serial port for one user alone: for what steers a chip or speaks to its loader."""

import errno
import fcntl
import functools
import os
import select
import struct
import termios
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol, TypeVar

from hil.agent.replies import PortWatched
from hil.bench import Board
from hil.clock import Clock
from hil.errors import BoardMute, BoardVanished

CHUNK = 4096
WRITE_S = 2.0
"""A port that takes nothing for so long belongs to a device that reads nothing."""
_GONE = (errno.EIO, errno.ENODEV, errno.ENXIO, errno.EBADF)
"""What the kernel says of a tty whose device has left the bus (drivers/tty/tty_io.c, hung_up_tty_fops; cdc-acm.c)."""
T = TypeVar("T")


class Port(Protocol):
    """An open serial port; every method raises :class:`~hil.errors.BoardVanished` once its device is gone."""

    def write(self, data: bytes) -> None: ...
    def read(self, within_s: float) -> bytes: ...
    def set_lines(self, dtr: bool, rts: bool) -> None: ...
    def set_baud(self, baud: int) -> None: ...
    def hand_over(self) -> int: ...

    @property
    def node(self) -> str: ...


class Lender(Protocol):
    """Lends a port for the length of a block."""

    def __call__(self, port: str, alone: bool = True) -> AbstractContextManager[Port]:
        """
        Args:
            port: 'usb' or 'console'.
            alone: refused where another process has it open; without it, that one may take part of the answers.
        """


Steps = Sequence[tuple[bool, bool, float]]
"""DTR, RTS, and for how many seconds."""

USJ_DOWNLOAD: Steps = (
    (False, False, 0.1),
    (True, False, 0.1),
    (True, True, 0.0),
    (False, True, 0.1),
    (False, False, 0.0),
)
"""USB-Serial/JTAG takes DTR for IO0 and RTS for EN, and resets when RTS falls (ESP32-S3 TRM, "USB Serial/JTAG
Controller", tables of the CDC-ACM control; esptool/reset.py, USBJTAGSerialReset)."""
USJ_RESTART: Steps = ((False, True, 0.2), (False, False, 0.0))
"""RTS alone: from the flash (esptool/reset.py, HardReset)."""
BRIDGE_DOWNLOAD: Steps = ((False, True, 0.1), (True, False, 0.05), (False, False, 0.0))
"""What the two transistors of a development board make of it; a firmware may watch its own port for the same."""


class LentPort:
    """A serial port by its descriptor, which it owns.

    Args:
        descriptor: raw and not blocking.
        node: its name, for messages.
        board: whose.
    """

    def __init__(self, descriptor: int, node: str, board: str) -> None:
        self.descriptor = descriptor
        self.node = node
        self._board = board

    def write(self, data: bytes) -> None:
        """Write all of it.

        Raises:
            BoardMute: the device takes nothing for 2 s.
        """
        left = memoryview(data)
        while left:
            if not self._ready(select.POLLOUT, WRITE_S):
                raise BoardMute(f"board {self._board}: {self.node} has taken no byte for {WRITE_S:g} s")
            left = left[self._done(functools.partial(os.write, self.descriptor, left)) :]

    def read(self, within_s: float) -> bytes:
        """What is there, or comes ``within_s``; b'' where nothing does."""
        if not self._ready(select.POLLIN, within_s):
            return b""
        data = self._done(lambda: os.read(self.descriptor, CHUNK))
        if not data:
            raise self._vanished("hung up")
        return data

    def set_lines(self, dtr: bool, rts: bool) -> None:
        """Set both modem lines by one request."""
        (bits,) = struct.unpack("i", self._done(lambda: fcntl.ioctl(self.descriptor, termios.TIOCMGET, b"\0" * 4)))
        bits &= ~(termios.TIOCM_DTR | termios.TIOCM_RTS)
        bits |= (termios.TIOCM_DTR if dtr else 0) | (termios.TIOCM_RTS if rts else 0)
        self._done(lambda: fcntl.ioctl(self.descriptor, termios.TIOCMSET, struct.pack("i", bits)))

    def set_baud(self, baud: int) -> None:
        """Change the speed, nothing else; what is in the port stays."""
        speed = getattr(termios, f"B{baud}")
        mode = self._done(lambda: termios.tcgetattr(self.descriptor))
        mode[4] = mode[5] = speed
        self._done(lambda: termios.tcsetattr(self.descriptor, termios.TCSANOW, mode))

    def hand_over(self) -> int:
        """The descriptor, for whoever closes it from now on; the port is closed here."""
        descriptor, self.descriptor = self.descriptor, -1
        return descriptor

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _ready(self, what: int, within_s: float) -> bool:
        poller = select.poll()
        poller.register(self.descriptor, what)
        return bool(poller.poll(within_s * 1000))

    def _done(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except termios.error as error:
            raise self._vanished(str(error.args[-1])) from error
        except OSError as error:
            if error.errno not in _GONE:
                raise
            raise self._vanished(error.strerror or str(error)) from error

    def _vanished(self, how: str) -> BoardVanished:
        return BoardVanished(f"board {self._board} left the bus while {self.node} was open: {how}")


class PortAgent(Protocol):
    """What lending needs of the agent."""

    def open_tty(self, board: str, port: str, alone: bool = True) -> tuple[str, int]: ...


class PortCapture(Protocol):
    """What lending needs of the capture process."""

    def lend(self, board: str, port: str) -> None: ...
    def take_back(self, board: str, port: str) -> None: ...


def lender(spec: Board, agent: PortAgent, capture: PortCapture) -> Lender:
    """Lends the ports of one board.

    A port that the capture reads is let go of first, and read again at the end of each block, however that ends. Of a
    loader's, which it leaves alone, it is not told.
    """

    def opened(port: str, alone: bool) -> LentPort:
        node, descriptor = agent.open_tty(spec.name, port, alone)
        return LentPort(descriptor, node, spec.name)

    @contextmanager
    def lend(port: str, alone: bool = True) -> Iterator[Port]:
        with ExitStack() as stack:
            try:
                lent = opened(port, alone)
            except PortWatched:
                capture.lend(spec.name, port)
                stack.callback(capture.take_back, spec.name, port)
                lent = opened(port, alone)
            stack.callback(lent.close)
            yield lent

    return lend


def steer(port: Port, steps: Steps, clock: Clock) -> None:
    """Set DTR and RTS, step by step."""
    for dtr, rts, held_s in steps:
        port.set_lines(dtr, rts)
        if held_s:
            clock.sleep(held_s)
