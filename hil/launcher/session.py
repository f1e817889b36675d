"""One command in one machine: its output as it comes, its exit status, our signals, its end.

Port 1 carries lines. Guest to host: ``phase NAME UPTIME``, ``exit STATUS``, ``done``. Host to guest: ``signal NAME`` (to the
command's process group, as a terminal does) and ``only NAME`` (to the command itself). Ports 2 and 3 are the command's output
and errors, raw; port 4 the archive of :mod:`hil.launcher.returns`.
"""

import os
import selectors
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hil.clock import Deadline
from hil.errors import HarnessError
from hil.launcher.cpio import Unpacker
from hil.launcher.machine import Machine
from hil.launcher.returns import Receiver

PORTS = 4
BOOT_S = 60.0
"""From QEMU's start to the command's, at most; 3 to 6 s are usual without KVM."""
RETURN_S = 120.0
"""From the command's end to the machine's, at most."""
GRACE_S = 15.0
"""From a forwarded signal to the end of everything, at most."""
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CHUNK = 1 << 16


class Stopped(Exception):
    """A signal of ours ended the machine before the command could."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


@dataclass
class Outcome:
    """What port 1 has said so far."""

    phases: dict[str, float] = field(default_factory=dict)
    """Seconds of the machine's uptime at which each phase began."""
    status: int | None = None
    """The command's exit status, as a shell gives it."""
    done: bool = False

    def hear(self, line: str) -> None:
        """Take one line.

        Raises:
            HarnessError: it means nothing.
        """
        match line.split():
            case ["phase", name, uptime]:
                self.phases[name] = float(uptime)
            case ["exit", status]:
                self.status = int(status)
            case ["done"]:
                self.done = True
            case _:
                raise HarnessError(f"the virtual machine said {line!r}; known: phase NAME UPTIME, exit STATUS, done")


def order(number: int) -> bytes:
    """The line that hands signal ``number`` on: a terminal's signals go to the whole group, SIGTERM to one process."""
    verb = "only" if number == signal.SIGTERM else "signal"
    return f"{verb} {signal.Signals(number).name.removeprefix('SIG')}\n".encode()


class Session:
    """Relays between a machine's ports and our own descriptors until the machine is done.

    Args:
        out_fds: where the command's output and errors go.
        console: what the kernel prints, for messages.
    """

    def __init__(self, machine: Machine, receiver: Receiver, out_fds: tuple[int, int], console: Path) -> None:
        self._machine = machine
        self._receiver = receiver
        self._console = console
        self._unpacker = Unpacker()
        self._line = b""
        self.outcome = Outcome()
        self._interrupted: int | None = None
        self._signals, self._signal_end = socket.socketpair()
        self._deadline = Deadline(BOOT_S)
        self._late = f"its command has not started after {BOOT_S:.0f} s"
        self._selector = selectors.DefaultSelector()
        self._pidfd = os.pidfd_open(machine.process.pid)
        takers: Sequence[Callable[[bytes], None]] = (self._hear, _writer(out_fds[0]), _writer(out_fds[1]), self._unpack)
        for port, take in zip(machine.ports, takers, strict=True):
            port.setblocking(False)
            self._selector.register(port, selectors.EVENT_READ, take)
        self._selector.register(self._pidfd, selectors.EVENT_READ, None)
        self._selector.register(self._signals, selectors.EVENT_READ, None)

    def run(self, timeout_s: float | None) -> int:
        """The command's exit status.

        Raises:
            HarnessError: the machine ended or stalled before the command did.
            Stopped: a signal ended it.
        """
        with _signals_to(self._signal_end):
            while not self.outcome.done:
                phases = len(self.outcome.phases)
                self._step()
                self._set_deadline(phases, timeout_s)
        self._drain()
        assert self.outcome.status is not None
        return self.outcome.status

    def close(self) -> None:
        """Give up our own descriptors; the machine's are its own."""
        self._selector.close()
        os.close(self._pidfd)
        self._signals.close()
        self._signal_end.close()

    def _step(self) -> None:
        ready = self._selector.select(self._deadline.left_s)
        if not ready:
            self._expire()
        objects = [key.fileobj for key, _ in ready]
        for key, _ in ready:
            if callable(key.data):
                self._read(key.fileobj, key.data)
        if self._signals in objects:
            for number in self._signals.recv(CHUNK):
                self._forward(number)
        if self._pidfd in objects and not self.outcome.done:
            self._drain()
            raise HarnessError(self._ended())

    def _expire(self) -> None:
        if self._interrupted is not None:
            raise Stopped(self._interrupted)
        raise HarnessError(f"the virtual machine was ended: {self._late}; its console: {self._console}")

    def _ended(self) -> str:
        said = self._machine.complaint()
        return f"the virtual machine ended by itself; its console: {self._console}" + (f"; QEMU: {said}" if said else "")

    def _set_deadline(self, phases_before: int, timeout_s: float | None) -> None:
        if self._interrupted is not None or len(self.outcome.phases) == phases_before:
            return
        if "end" in self.outcome.phases:
            self._deadline, self._late = Deadline(RETURN_S), f"it has not sent back everything after {RETURN_S:.0f} s"
        elif "start" in self.outcome.phases:
            limit_s = timeout_s if timeout_s is not None else 86400.0
            self._deadline, self._late = Deadline(limit_s), f"its command has not ended after {limit_s:.0f} s"

    def _forward(self, number: int) -> None:
        if number not in FORWARDED:
            return
        if self._interrupted is not None or "start" not in self.outcome.phases:
            raise Stopped(number)
        self._interrupted = number
        self._machine.ports[0].send(order(number))
        self._deadline = Deadline(GRACE_S)

    def _read(self, port: object, take: Callable[[bytes], None]) -> bool:
        assert isinstance(port, socket.socket)
        try:
            data = port.recv(CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(port)
            return False
        take(data)
        return True

    def _drain(self) -> None:
        for key in list(self._selector.get_map().values()):
            while callable(key.data) and self._read(key.fileobj, key.data):
                pass

    def _hear(self, data: bytes) -> None:
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self.outcome.hear(line.decode(errors="replace"))

    def _unpack(self, data: bytes) -> None:
        for entry in self._unpacker.feed(data):
            self._receiver.take(entry)


def _writer(fd: int) -> Callable[[bytes], None]:
    def write(data: bytes) -> None:
        while data:
            data = data[os.write(fd, data) :]

    return write


@contextmanager
def _signals_to(end: socket.socket) -> Iterator[None]:
    """Signals become bytes on ``end``, where this thread may have them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    end.setblocking(False)
    before = {number: signal.signal(number, lambda *_: None) for number in FORWARDED}
    wakeup = signal.set_wakeup_fd(end.fileno())
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
