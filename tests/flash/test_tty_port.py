"""A port over a descriptor: its deadlines, and what becomes of it when the device goes."""

import os
import pty
import tty
from collections.abc import Iterator

import pytest

from hil.clock import Deadline
from hil.errors import BoardMute, BoardVanished
from hil.flash.tty_port import TtyPort


@pytest.fixture
def ends() -> Iterator[tuple[int, TtyPort]]:
    """The device's end as a descriptor, and the port."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    port = TtyPort(slave, "/dev/ttyACM7", "s3-a", within_s=5.0)
    port.timeout = 0.05
    yield master, port
    port.close()
    try:
        os.close(master)
    except OSError:
        return  # the test has pulled it


def test_bytes_go_both_ways(ends: tuple[int, TtyPort]) -> None:
    """What is there is read; a timeout gives what came until then."""
    device, port = ends
    assert port.write(b"ping") == 4
    assert os.read(device, 10) == b"ping"
    os.write(device, b"pong")
    assert port.read(4) == b"pong"
    assert (port.read(4), port.in_waiting) == (b"", 0)
    os.write(device, b"old")
    port.reset_input_buffer()
    assert port.read(1) == b""
    assert (port.name, port.port) == ("/dev/ttyACM7", "/dev/ttyACM7")


def test_a_device_that_goes_is_told_at_once(ends: tuple[int, TtyPort]) -> None:
    """By read, by write, and whoever wants to open it again."""
    device, port = ends
    os.close(device)
    with pytest.raises(BoardVanished, match=r"^board s3-a left the bus: /dev/ttyACM7 hung up$"):
        port.read(1)
    with pytest.raises(BoardVanished, match="had gone when it was written to"):
        port.write(b"x")
    with pytest.raises(BoardVanished, match="board s3-a left the bus: /dev/ttyACM7 has gone"):
        port.open()
    port.close()
    with pytest.raises(BoardVanished, match="was closed"):
        port.read(1)


def test_no_read_outlasts_the_deadline(ends: tuple[int, TtyPort]) -> None:
    """However patient the caller."""
    _, port = ends
    port.timeout, port.deadline = 60.0, Deadline(0.05)
    with pytest.raises(BoardMute, match=r"^board s3-a: /dev/ttyACM7 was not done within 0.05 s$"):
        port.read(1)


def test_a_device_that_takes_nothing_is_mute(ends: tuple[int, TtyPort]) -> None:
    """Once its buffer is full, for as long as a write may take."""
    _, port = ends
    port.write_timeout = 0.05
    with pytest.raises(BoardMute, match=r"board s3-a: /dev/ttyACM7 has taken no byte for 0.05 s"):
        port.write(bytes(1 << 20))


def test_opening_flushes_nothing() -> None:
    """What the device said before is still there."""
    device, slave = pty.openpty()
    tty.setraw(slave)
    os.write(device, b"early")
    port = TtyPort(slave, "/dev/ttyACM7", "s3-a")
    port.timeout = 1.0
    assert port.read(5) == b"early"
    port.close()
    os.close(device)
