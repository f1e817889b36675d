"""The relay between a machine and ourselves."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.errors import HarnessError
from hil.launcher import cpio
from hil.launcher.returns import Receiver
from hil.launcher.session import PORTS, Session
from hil.launcher.signals import Stopped

READY = b"phase shell 1.0\nphase start 1.1\n"
FINISHED = b"phase end 1.2\nexit 3\ndone\n"


class FakeMachine:
    """Ports whose other ends a test holds, and a process that it may end."""

    def __init__(self) -> None:
        pairs = [socket.socketpair() for _ in range(PORTS)]
        self.ports = [ours for ours, _ in pairs]
        self.guest = [theirs for _, theirs in pairs]
        self.console = Path("/srv/console.log")
        self.process = subprocess.Popen(["sleep", "60"])

    @property
    def pid(self) -> int:
        return self.process.pid

    def complaint(self) -> str:
        return "out of memory"

    def close(self) -> None:
        self.process.kill()
        self.process.wait(5.0)
        for end in (*self.ports, *self.guest):
            end.close()


@pytest.fixture
def machine() -> Iterator[FakeMachine]:
    made = FakeMachine()
    yield made
    made.close()


@pytest.fixture
def output() -> Iterator[tuple[int, int]]:
    """A pipe: what the session writes, and where to read it."""
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def session(machine: FakeMachine, out: int = 2, boot_s: float = 5.0, timeout_s: float | None = None) -> Session:
    return Session(machine, Receiver((), None), (out, out), boot_s=boot_s, timeout_s=timeout_s)


def test_the_exit_status_is_the_commands(machine: FakeMachine) -> None:
    """What the machine says on port 1 is what run returns."""
    machine.guest[0].send(READY + FINISHED)
    assert session(machine).run() == 3


def test_output_passes_unchanged(machine: FakeMachine, output: tuple[int, int]) -> None:
    """Raw bytes, none of them lost that were sent before the end."""
    reader, writer = output
    machine.guest[1].send(b"\x1b[31mred\r\n\xff")
    machine.guest[0].send(READY + FINISHED)
    session(machine, writer).run()
    assert os.read(reader, 100) == b"\x1b[31mred\r\n\xff"


def test_files_are_put_in_place(machine: FakeMachine, tmp_path: Path) -> None:
    """The archive of port 4 goes to the receiver."""
    machine.guest[3].send(cpio.pack([cpio.file(f".{tmp_path}/x", b"1")]))
    machine.guest[0].send(READY + FINISHED)
    Session(machine, Receiver([tmp_path], None), (2, 2)).run()
    assert (tmp_path / "x").read_bytes() == b"1"


def test_a_machine_that_ends_by_itself_is_an_error(machine: FakeMachine) -> None:
    """QEMU's words and the console's place are in the message."""
    machine.process.kill()
    with pytest.raises(HarnessError, match=r"ended by itself; QEMU: out of memory; its console: /srv/console.log"):
        session(machine).run()


def test_a_machine_that_never_starts_the_command_is_an_error(machine: FakeMachine) -> None:
    """The limit and the console's place are in the message."""
    with pytest.raises(HarnessError, match=r"has not started after 0 s; its console: /srv/console.log"):
        session(machine, boot_s=0.01).run()


def test_an_overdue_command_is_interrupted_first(machine: FakeMachine) -> None:
    """It gets SIGINT and may finish; the run is an error all the same."""
    machine.guest[0].send(READY)
    running = session(machine, timeout_s=0.01)

    def obey() -> None:
        machine.guest[0].settimeout(5.0)
        if machine.guest[0].recv(100) == b"group INT\n":
            machine.guest[0].send(FINISHED)

    command = threading.Thread(target=obey)
    command.start()
    with pytest.raises(HarnessError, match=r"had not ended after 0.01 s"):
        running.run()
    command.join(5.0)
    assert running.outcome.status == 3


def test_a_signal_before_the_command_ends_all(machine: FakeMachine) -> None:
    """Nobody is there to hand it to."""
    machine.guest[0].send(b"phase shell 1.0\n")
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGHUP))
    timer.start()
    with pytest.raises(Stopped) as stopped:
        session(machine).run()
    timer.join(5.0)
    assert stopped.value.status == 129


def test_nobody_reading_ends_the_machine(machine: FakeMachine) -> None:
    """As SIGPIPE would."""
    reader, writer = os.pipe()
    os.close(reader)
    machine.guest[1].send(b"more")
    with pytest.raises(Stopped) as stopped:
        session(machine, writer).run()
    os.close(writer)
    assert stopped.value.status == 141
