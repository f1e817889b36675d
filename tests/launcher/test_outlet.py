"""Our own output, whatever it is."""

import os
import pty
import select
import signal
import socket
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.errors import HarnessError
from hil.launcher.outlet import Outlet
from hil.launcher.signals import Stopped


def patient(reader: int, got: bytearray) -> Callable[[int], None]:
    """Reads what is there as soon as nothing more can be written."""

    def until_writable(fd: int) -> None:
        while not select.select([], [fd], [], 0.0)[1]:
            got.extend(os.read(reader, 1000))

    return until_writable


def pair(kind: str) -> tuple[int, int]:
    """Where to read, and where to write."""
    if kind == "pipe":
        return os.pipe()
    if kind == "socket":
        reader, writer = socket.socketpair()
        return reader.detach(), writer.detach()
    return pty.openpty()


@pytest.mark.parametrize("blocking", [True, False])
@pytest.mark.parametrize("kind", ["pipe", "socket", "terminal"])
def test_every_byte_arrives_and_no_write_waits_for_a_reader(kind: str, blocking: bool) -> None:
    """Pipe, socket and terminal, whoever has set them not to block; a write that waited would hang here."""
    reader, writer = pair(kind)
    os.set_blocking(writer, blocking)
    sent, got = b"0123456789abcde\r\n" * 20_000, bytearray()
    if kind == "terminal":
        attributes = termios.tcgetattr(writer)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(writer, termios.TCSANOW, attributes)
    outlet = Outlet(writer, patient(reader, got))
    outlet.write(sent)
    os.set_blocking(reader, False)
    while len(got) < len(sent) and select.select([reader], [], [], 1.0)[0]:
        got.extend(os.read(reader, 65536))
    assert bytes(got) == sent
    assert os.get_blocking(writer) is blocking
    outlet.close()
    os.close(reader)
    os.close(writer)


def test_a_file_is_appended_to(tmp_path: Path) -> None:
    """Its offset is the one that all its writers share."""
    with (tmp_path / "log").open("wb", buffering=0) as log:
        log.write(b"first ")
        outlet = Outlet(log.fileno(), lambda fd: None)
        outlet.write(bytes(100_000))
        outlet.close()
        log.write(b" last")
    data = (tmp_path / "log").read_bytes()
    assert (data[:6], len(data), data[-5:]) == (b"first ", 100_011, b" last")


def test_a_full_disk_is_named() -> None:
    """/dev/full has no room, ever."""
    full = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(HarnessError, match="the command's output cannot be passed on: No space left on device"):
        Outlet(full, lambda fd: None).write(b"x")
    os.close(full)


def test_a_reader_that_has_gone_stops_us() -> None:
    """As SIGPIPE would."""
    reader, writer = os.pipe()
    os.close(reader)
    outlet = Outlet(writer, lambda fd: None)
    with pytest.raises(Stopped) as stopped:
        outlet.write(b"x")
    outlet.close()
    os.close(writer)
    assert stopped.value.status == 128 + signal.SIGPIPE
