"""One command in one machine: its output as it comes, its exit status, our signals, its end.

Ports: 1 lines (:mod:`hil.launcher.protocol`), 2 the command's output and 3 its errors, raw, 4 the archive of what
it wrote.
"""

import contextlib
import functools
import math
import os
import select
import selectors
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from hil.clock import Deadline
from hil.errors import HarnessError
from hil.launcher.cpio import Unpacker
from hil.launcher.outlet import Outlet
from hil.launcher.protocol import Outcome, order
from hil.launcher.returns import Receiver
from hil.launcher.signals import SignalInbox, Stopped

PORTS = 4
BOOT_S = 120.0
"""From QEMU's start to the command's, at most; 2 to 5 s are usual without KVM."""
RETURN_S = 120.0
"""From the command's end to the machine's, at most; while nobody reads our output, that stands still."""
GRACE_S = 30.0
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
        self._out_fds = out_fds
        self._timeout_s = timeout_s
        self._unpacker = Unpacker()
        self.outcome = Outcome()
        self._told: int | None = None
        self._late = f"its command has not started after {boot_s:.0f} s"
        self._deadline: Deadline | None = Deadline(boot_s)
        self._grace: Deadline | None = None
        self._takers: dict[socket.socket, Taker] = {}

    def run(self) -> int:
        """The command's exit status.

        Raises:
            HarnessError: the machine ended or stalled before the command did, or the command took too long, or its
                output cannot be written.
            Stopped: a signal ended the machine, or nobody reads the output any more.
        """
        with contextlib.ExitStack() as held:
            inbox = held.enter_context(SignalInbox())
            wait = functools.partial(self._until_writable, inbox)
            out, err = (held.enter_context(contextlib.closing(Outlet(fd, wait))) for fd in self._out_fds)
            takers: Sequence[Taker] = (self._hear, out.write, err.write, self._unpack)
            self._takers = dict(zip(self._machine.ports, takers, strict=True))
            self._relay(inbox)
        if self._late.startswith("overdue"):
            raise HarnessError(self._stalled())
        assert self.outcome.status is not None
        return self.outcome.status

    def _relay(self, inbox: SignalInbox) -> None:
        """Until the machine is done, and all it has sent is out."""
        pidfd = os.pidfd_open(self._machine.pid)
        try:
            with selectors.DefaultSelector() as selector:
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

    def _step(self, selector: selectors.BaseSelector, inbox: SignalInbox, pidfd: int) -> None:
        ready = selector.select(self._deadline.left_s if self._deadline else None)
        self._take_some()
        for number in inbox.take():
            self._forward(number)
        if any(key.fd == pidfd for key, _ in ready):
            self._drain()
            self._require_done()
        elif self._deadline and self._deadline.passed and not self.outcome.done:
            self._expire()

    def _require_done(self) -> None:
        if not self.outcome.done:
            said = self._machine.complaint() or "it said nothing"
            raise HarnessError(f"the virtual machine ended by itself; QEMU: {said}; its console: {self._console}")

    def _until_writable(self, inbox: SignalInbox, fd: int) -> None:
        """Wait for whoever reads our output; signals and the command's limit go on meanwhile, the machine's do not."""
        poll = select.poll()
        poll.register(fd, select.POLLOUT)
        poll.register(inbox.socket, select.POLLIN)
        ready: set[int] = set()
        while fd not in ready:
            ready = _polled(poll, self._patience())
            for number in inbox.take():
                self._forward(number)
            limit = self._patience()
            if fd not in ready and limit is not None and limit.passed:
                self._expire()
        if self._told is None and "end" in self.outcome.phases:
            self._deadline = Deadline(RETURN_S)

    def _patience(self) -> Deadline | None:
        """How long a reader of our output may keep us waiting; None: for ever."""
        if self._told is not None:
            return self._grace
        return None if "end" in self.outcome.phases else self._deadline

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
        if self._told is not None or "start" not in self.outcome.phases or self.outcome.done:
            raise Stopped(number)
        self._tell(number)

    def _tell(self, number: int) -> None:
        self._told = number
        self._deadline = self._grace = Deadline(GRACE_S)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the machine's end is told by its process
            self._machine.ports[0].send(order(number))

    def _drain(self) -> None:
        """Take all that the ports hold."""
        while self._take_some():
            pass

    def _take_some(self) -> bool:
        """Take what each port holds, up to a chunk of it. Returns whether there was anything."""
        taken = False
        for port, take in self._takers.items():
            if data := _received(port):
                take(data)
                taken = True
        return taken

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


def _received(port: socket.socket) -> bytes:
    """What waits at a port; nothing where it is empty or closed."""
    try:
        return port.recv(CHUNK)
    except (BlockingIOError, ConnectionResetError):
        return b""


def _polled(poll: select.poll, limit: Deadline | None) -> set[int]:
    """The descriptors that are ready; none where the limit has passed first."""
    return {fd for fd, _ in poll.poll(None if limit is None else math.ceil(limit.left_s * 1000))}
