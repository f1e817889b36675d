"""The relay between a machine and ourselves."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
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


def until(condition: Callable[[], object]) -> None:
    """Return when it holds, or after five seconds."""
    limit = time.monotonic() + 5.0
    while not condition() and time.monotonic() < limit:
        time.sleep(0.005)


def reading(reader: int, wanted: int, after: threading.Event | None = None) -> tuple[threading.Thread, bytearray]:
    """A thread that reads ``wanted`` bytes, once ``after`` is set, and what it has got."""
    got = bytearray()

    def read() -> None:
        if after is not None:
            after.wait(5.0)
        while len(got) < wanted and select.select([reader], [], [], 5.0)[0]:
            got.extend(os.read(reader, wanted))

    thread = threading.Thread(target=read)
    thread.start()
    return thread, got


def sending(machine: FakeMachine, output: bytes, then: bytes = b"") -> threading.Thread:
    """A guest that has all of ``output`` taken before it says what follows."""

    def send() -> None:
        with contextlib.suppress(OSError):  # the session may have ended
            machine.guest[1].sendall(output)
            machine.guest[0].sendall(then)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@pytest.mark.parametrize("blocking", [True, False])
def test_no_byte_is_lost_on_a_full_pipe(machine: FakeMachine, output: tuple[int, int], blocking: bool) -> None:
    """Whoever reads late gets everything, also where the pipe that was inherited does not block."""
    reader, writer = output
    os.set_blocking(writer, blocking)
    sent = bytes(range(256)) * 2000
    machine.guest[0].send(READY)
    guest = sending(machine, sent, FINISHED)
    full = threading.Timer(0.1, (late := threading.Event()).set)
    full.start()
    thread, got = reading(reader, len(sent), late)
    assert session(machine, writer).run() == 3
    for each in (guest, full, thread):
        each.join(5.0)
    assert bytes(got) == sent


def test_an_interrupt_is_handed_on_while_nobody_reads(machine: FakeMachine, output: tuple[int, int]) -> None:
    """The first goes to the command, the second ends everything."""
    machine.guest[0].send(READY)
    guest = sending(machine, bytes(1 << 20))

    def interrupt() -> None:
        machine.guest[0].settimeout(5.0)
        until(lambda: not select.select([], [output[1]], [], 0.0)[1])  # the pipe is full
        os.kill(os.getpid(), signal.SIGINT)
        told.append(machine.guest[0].recv(100))
        os.kill(os.getpid(), signal.SIGINT)

    told: list[bytes] = []
    user = threading.Thread(target=interrupt)
    user.start()
    with pytest.raises(Stopped) as stopped:
        session(machine, output[1]).run()
    machine.close()
    for each in (user, guest):
        each.join(5.0)
    assert (told, stopped.value.status) == ([b"group INT\n"], 130)


def test_limits_hold_while_nobody_reads(
    machine: FakeMachine, output: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An overdue command is interrupted, and the machine ended, whatever waits in the pipe."""
    monkeypatch.setattr("hil.launcher.session.GRACE_S", 0.05)
    machine.guest[0].send(READY)
    guest = sending(machine, bytes(1 << 20))
    with pytest.raises(HarnessError, match=r"was ended: overdue: its command had not ended after 0.05 s"):
        session(machine, output[1], timeout_s=0.05).run()
    machine.close()
    guest.join(5.0)


def test_a_command_that_never_stops_talking_is_overdue_too(machine: FakeMachine) -> None:
    """Output that always waits keeps no limit from passing."""
    machine.guest[0].send(READY)
    sink = os.open(os.devnull, os.O_WRONLY)
    talker = subprocess.Popen(["cat", "/dev/zero"], stdout=machine.guest[1])
    command = threading.Thread(target=lambda: machine.guest[0].recv(100) and machine.guest[0].send(FINISHED))
    command.start()
    with pytest.raises(HarnessError, match=r"had not ended after 0.05 s"):
        session(machine, sink, timeout_s=0.05).run()
    talker.kill()
    talker.wait(5.0)
    os.close(sink)
    command.join(5.0)


def test_a_slow_reader_is_not_the_machines_fault(
    machine: FakeMachine, output: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the command's end the machine's limit stands still until its output has been read."""
    monkeypatch.setattr("hil.launcher.session.RETURN_S", 0.1)
    reader, writer = output
    sent = bytes(1 << 18)
    machine.guest[0].send(READY + b"phase end 1.2\n")
    guest = sending(machine, sent, b"exit 0\ndone\n")
    timer = threading.Timer(0.3, (late := threading.Event()).set)
    timer.start()
    thread, got = reading(reader, len(sent), late)
    assert session(machine, writer).run() == 0
    for each in (guest, timer, thread):
        each.join(5.0)
    assert len(got) == len(sent)


def test_an_interrupt_and_the_machines_death_at_once_name_the_machine(machine: FakeMachine) -> None:
    """An order that nobody can take any more is no traceback."""
    machine.guest[0].send(READY)
    running = session(machine)

    def end() -> None:
        until(lambda: "start" in running.outcome.phases)
        machine.guest[0].close()
        os.kill(os.getpid(), signal.SIGINT)
        machine.process.kill()

    death = threading.Thread(target=end)
    death.start()
    with pytest.raises(HarnessError, match="ended by itself; QEMU: out of memory"):
        running.run()
    death.join(5.0)
