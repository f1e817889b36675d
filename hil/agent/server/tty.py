"""Opening a board's serial port as soon as the kernel has it, under whatever name, without flushing what it holds.

Opening sends control requests, SET_LINE_CODING and SET_CONTROL_LINE_STATE for one, and waits 5 s for a board that does
not answer one of them (drivers/usb/class/cdc-acm.c, ``acm_ctrl_msg``); closing may send some as well. So both happen in
a worker thread, beside the agent's loop.
"""

import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import stat
import struct
import termios
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hil.agent.server.lines import ModemLines
from hil.agent.server.usbdevice import DEV, UsbDevice
from hil.board.identity import LOADERS, Identity
from hil.clock import Deadline, now_ns
from hil.errors import AgentError
from hil.wire.uevent import KernelUevent

OPEN_WITHIN_S = 2.0
AGAIN_S = 0.02
"""A driver that is still probing sends no event when it is ready."""
PASSING = (errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.EBUSY, errno.EIO, errno.EAGAIN)
"""What opening says of a port that is still being made, or has gone already."""
_log = logging.getLogger("hil.agent")


@dataclass(frozen=True)
class LineSettings:
    """How a port is opened."""

    dtr: bool = True
    """False: DTR and RTS are lowered directly after opening, which raises them for a moment (tty_port_open)."""
    hangup: bool = False
    """HUPCL: the last close lowers DTR."""
    baud: int = 115200
    avoided: frozenset[Identity] = frozenset()
    """Whose ports are not opened: DTR and RTS of a loader's port steer the chip, and its bytes are a flasher's."""


def loaders_but(serial_jtag: bool) -> frozenset[Identity]:
    """The chip's loaders, without USB-Serial/JTAG where an application's log comes over it."""
    return LOADERS - {Identity.SERIAL_JTAG} if serial_jtag else LOADERS


@dataclass(frozen=True, slots=True)
class OpenPort:
    """A port that was opened."""

    descriptor: int
    t_ns: int
    """When it was."""
    dtr: bool
    """Its device was told that somebody is there."""


class TtyWatch:
    """One serial port that is opened whenever it appears."""

    def __init__(
        self,
        device: UsbDevice,
        settings: LineSettings,
        opened: Callable[[str, OpenPort], None],
        gone: Callable[[str], None],
        dev: Path = DEV,
    ) -> None:
        """
        Args:
            device: where the port hangs.
            settings: how to open it.
            opened: told the node and the open port, whose descriptor it owns from then on.
            gone: told the node that has vanished.
            dev: where device nodes are.
        """
        self._device = device
        self._settings = settings
        self._opened = opened
        self._gone = gone
        self._dev = dev
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._unwanted: set[asyncio.Task[None]] = set()
        self._open: set[str] = set()

    def look(self) -> None:
        """Open the ports that are there and are not open; forget those that are open and no longer there."""
        names = self._device.ttys()
        for name in self._open.difference(names):
            self._forget(name)
        if names and self._settings.avoided and self._device.identity() in self._settings.avoided:
            return
        for name in names:
            if name not in self._open and name not in self._tasks:
                self._tasks[name] = asyncio.get_running_loop().create_task(self._attempt(name))

    def leaves_alone(self) -> bool:
        """Whether what is there now is none of its business: a port of :attr:`LineSettings.avoided`, and none open."""
        return not (self._open or self._tasks) and self._device.identity() in self._settings.avoided

    def take(self, event: KernelUevent) -> None:
        """React to a kernel uevent of subsystem tty."""
        if not self._device.contains(event.devpath):
            return
        name = event.devpath.rpartition("/")[2]
        if event.action == "remove":
            self._forget(name)
        elif event.action == "add":
            self._forget(name)  # a removal that got lost would otherwise keep the new port closed
            self.look()

    def close(self) -> None:
        """Open nothing more; descriptors that were handed over stay open."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    async def settle(self) -> None:
        """After :meth:`close`: wait until no opening that nobody wants any more is under way, though not for long."""
        await asyncio.sleep(0)  # what was cancelled says by then what it leaves
        if self._unwanted:
            await asyncio.wait(self._unwanted, timeout=OPEN_WITHIN_S)

    def _forget(self, name: str) -> None:
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
        if name in self._open:
            self._open.remove(name)
            self._gone(str(self._dev / name))

    async def _attempt(self, name: str) -> None:
        deadline = Deadline(OPEN_WITHIN_S)
        node = self._dev / name
        while True:
            try:
                port = await self._opening(name)
                break
            except (OSError, AgentError) as error:
                if (isinstance(error, OSError) and error.errno not in PASSING) or deadline.passed:
                    _log.warning("%s of %s could not be opened: %s", node, self._device.path, error)
                    self._tasks.pop(name, None)
                    return
            await asyncio.sleep(AGAIN_S)
        self._tasks.pop(name, None)
        self._open.add(name)
        self._opened(str(node), port)

    async def _opening(self, name: str) -> OpenPort:
        """The port, once it is open; one that is not wanted any more by then is closed."""
        opening = asyncio.get_running_loop().run_in_executor(None, self._open_now, name)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            task = asyncio.get_running_loop().create_task(_throw_away(opening))
            self._unwanted.add(task)
            task.add_done_callback(self._unwanted.discard)
            raise

    def _open_now(self, name: str) -> OpenPort:
        descriptor = open_tty(self._dev / name, self._device.tty_number(name), self._settings)
        return OpenPort(descriptor, now_ns(), dtr_is_high(descriptor))


async def _throw_away(opening: asyncio.Future[OpenPort]) -> None:
    with contextlib.suppress(OSError, AgentError):
        port = await opening
        await asyncio.to_thread(os.close, port.descriptor)


def open_tty(node: Path, number: tuple[int, int], settings: LineSettings) -> int:
    """Open a serial port raw, not as controlling terminal, keeping what it has received.

    Args:
        node: its device node.
        number: major and minor that the node must have.
        settings: how to open it.

    Raises:
        OSError: the kernel refused.
        AgentError: the node is another device.
    """
    descriptor = open_node(node, number)
    try:
        make_raw(descriptor, settings)
    except termios.error as error:
        os.close(descriptor)
        raise OSError(*error.args) from error
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def open_node(node: Path, number: tuple[int, int]) -> int:
    """Open a serial port as it is, not as controlling terminal.

    Raises:
        OSError: the kernel refused.
        AgentError: the node is another device than ``number``, its major and minor.
    """
    descriptor = os.open(node, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    status = os.fstat(descriptor)
    if not stat.S_ISCHR(status.st_mode) or (os.major(status.st_rdev), os.minor(status.st_rdev)) != number:
        os.close(descriptor)
        raise AgentError(f"{node} is not the character device {number[0]}:{number[1]} that the USB device has")
    return descriptor


def make_raw(descriptor: int, settings: LineSettings) -> None:
    """Raw mode as cfmakeraw(3) sets it, 8N1, without waiting and without flushing (TCSANOW).

    Raises:
        termios.error: the kernel refused.
        OSError: the modem lines could not be set.
    """
    speed = getattr(termios, f"B{settings.baud}")
    mode = termios.tcgetattr(descriptor)
    control = mode[6]
    control[termios.VMIN], control[termios.VTIME] = 1, 0
    flags = termios.CS8 | termios.CREAD | termios.CLOCAL | (termios.HUPCL if settings.hangup else 0)
    termios.tcsetattr(descriptor, termios.TCSANOW, [0, 0, flags, 0, speed, speed, control])
    if not settings.dtr:
        fcntl.ioctl(descriptor, termios.TIOCMBIC, struct.pack("I", termios.TIOCM_DTR | termios.TIOCM_RTS))


def dtr_is_high(descriptor: int) -> bool:
    """Whether DTR is set; a bridge is asked (drivers/usb/serial/cp210x.c, ``cp210x_tiocmget``), for up to 5 s.

    False for what has no modem lines, such as a pty.
    """
    try:
        return bool(ModemLines(descriptor).get() & termios.TIOCM_DTR)
    except OSError:
        return False
