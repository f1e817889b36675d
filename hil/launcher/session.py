"""One command in one machine: its output as it comes, its exit status, our signals, its end.

Ports: 1 lines (:mod:`hil.launcher.protocol`), 2 the command's output and 3 its errors, raw, 4 the archive of what
it wrote.
"""

import os
import selectors
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from hil.clock import Deadline
from hil.errors import HarnessError
from hil.launcher.cpio import Unpacker
from hil.launcher.protocol import Outcome, order
from hil.launcher.returns import Receiver
from hil.launcher.signals import SignalInbox, Stopped

PORTS = 4
BOOT_S = 120.0
"""From QEMU's start to the command's, at most; 2 to 5 s are usual without KVM."""
RETURN_S = 120.0
"""From the command's end to the machine's, at most."""
GRACE_S = 15.0
"""From a forwarded signal to the end of everything, at most."""
CHUNK = 1 << 16

Taker = Callable[[bytes], None]


class Running(Protocol):
    """What a session needs of a machine; :class:`hil.launcher.machine.Machine` is one."""

    @property
    def ports(self) -> Sequence[socket.socket]:
        """Our ends, port 1 first."""

    @property
    def pid(self) -> int:
        """The process whose end is the machine's."""

    @property
    def console(self) -> Path:
        """What the kernel prints."""

    def complaint(self) -> str:
        """Why it ended, as far as it said so."""


class Session:
    """Relays between a machine's ports and our own descriptors until the machine is done.

    Args:
        out_fds: where the command's output and errors go.
        boot_s: limit from QEMU's start to the command's.
        timeout_s: limit from the command's start to its end; None for none.
    """

    def __init__(
        self,
        machine: Running,
        receiver: Receiver,
        out_fds: tuple[int, int],
        *,
        boot_s: float = BOOT_S,
        timeout_s: float | None = None,
    ) -> None:
        self._machine = machine
        self._receiver = receiver
        self._console = machine.console
        self._timeout_s = timeout_s
        self._unpacker = Unpacker()
        self.outcome = Outcome()
        self._told: int | None = None
        self._late = f"its command has not started after {boot_s:.0f} s"
        self._deadline: Deadline | None = Deadline(boot_s)
        takers: Sequence[Taker] = (self._hear, _writer(out_fds[0]), _writer(out_fds[1]), self._unpack)
        self._takers = dict(zip(machine.ports, takers, strict=True))

    def run(self) -> int:
        """The command's exit status.

        Raises:
            HarnessError: the machine ended or stalled before the command did, or the command took too long.
            Stopped: a signal ended the machine.
        """
        pidfd = os.pidfd_open(self._machine.pid)
        try:
            with selectors.DefaultSelector() as selector, SignalInbox() as inbox:
                for port in self._takers:
                    port.setblocking(False)
                    selector.register(port, selectors.EVENT_READ)
                selector.register(pidfd, selectors.EVENT_READ)
                selector.register(inbox.socket, selectors.EVENT_READ)
                while not self.outcome.done:
                    self._step(selector, inbox, pidfd)
        finally:
            os.close(pidfd)
        self._drain()
        if self._late.startswith("overdue"):
            raise HarnessError(self._stalled())
        assert self.outcome.status is not None
        return self.outcome.status

    def _step(self, selector: selectors.BaseSelector, inbox: SignalInbox, pidfd: int) -> None:
        ready = selector.select(self._deadline.left_s if self._deadline else None)
        if not ready:
            self._expire()
        self._drain()
        for number in inbox.take():
            self._forward(number)
        if any(key.fd == pidfd for key, _ in ready) and not self.outcome.done:
            said = self._machine.complaint() or "it said nothing"
            raise HarnessError(f"the virtual machine ended by itself; QEMU: {said}; its console: {self._console}")

    def _expire(self) -> None:
        """The deadline has passed: a command is interrupted first, everything else ends here."""
        if self._told is not None and not self._late.startswith("overdue"):
            raise Stopped(self._told)
        if self._told is not None or "start" not in self.outcome.phases or "end" in self.outcome.phases:
            raise HarnessError(self._stalled())
        self._late = f"overdue: its command had not ended after {self._timeout_s} s"
        self._tell(signal.SIGINT)

    def _stalled(self) -> str:
        return f"the virtual machine was ended: {self._late}; its console: {self._console}"

    def _forward(self, number: int) -> None:
        if self._told is not None or "start" not in self.outcome.phases:
            raise Stopped(number)
        self._tell(number)

    def _tell(self, number: int) -> None:
        self._told = number
        self._machine.ports[0].send(order(number))
        self._deadline = Deadline(GRACE_S)

    def _drain(self) -> None:
        """Take all that the ports hold."""
        for port, take in self._takers.items():
            try:
                while data := port.recv(CHUNK):
                    take(data)
            except (BlockingIOError, ConnectionResetError):
                continue

    def _hear(self, data: bytes) -> None:
        before = set(self.outcome.phases)
        self.outcome.feed(data)
        begun = set(self.outcome.phases) - before
        if "end" in begun:
            self._deadline = Deadline(RETURN_S)
            if self._told is None:
                self._late = f"it has not sent back everything after {RETURN_S:.0f} s"
        elif "start" in begun:
            self._deadline = Deadline(self._timeout_s) if self._timeout_s is not None else None

    def _unpack(self, data: bytes) -> None:
        for entry in self._unpacker.feed(data):
            self._receiver.take(entry)


def _writer(fd: int) -> Taker:
    """Writes all it gets to ``fd``.

    Raises:
        Stopped: nobody reads there any more.
    """

    def write(data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(fd, rest) :]
        except BrokenPipeError:
            raise Stopped(signal.SIGPIPE) from None

    return write
