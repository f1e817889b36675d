"""A lent serial port, played with a pseudo-terminal."""

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from hil.agent.replies import PortWatched
from hil.bench import Board
from hil.device.lent_port import BRIDGE_DOWNLOAD, USJ_DOWNLOAD, LentPort, lender, steer
from hil.errors import AgentError, BoardVanished
from hil.testing.fake_clock import FakeClock
from hil.testing.fake_port import FakePort
from hil.testing.terminal import Terminal

BOARD = Board("s3-a", "1-1.2")


class Bench:
    """Agent and capture in one: who had the port, in order."""

    def __init__(self, terminal: Terminal) -> None:
        self.told: list[Any] = []
        self.held = False
        self.watched = True
        self._terminal = terminal

    def lend(self, board: str, port: str) -> None:
        self.told.append(("lend", board, port))
        self.watched = False

    def take_back(self, board: str, port: str) -> None:
        self.told.append(("take_back", board, port))
        self.watched = True

    def open_tty(self, board: str, port: str, alone: bool = True) -> tuple[str, int]:
        self.told.append(("open_tty" if alone else "open_tty as it is", board, port))
        if self.watched:
            raise PortWatched("port usb of s3-a is being watched; unwatch_tty ends that")
        if self.held:
            raise AgentError("/dev/ttyACM0 is held by screen (process 77)")
        return "/dev/ttyACM0", self._terminal.duplicate()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with Terminal() as made:
        yield made


@pytest.fixture
def port(terminal: Terminal) -> Iterator[LentPort]:
    descriptor = terminal.duplicate()
    os.set_blocking(descriptor, False)
    made = LentPort(descriptor, "/dev/ttyACM0", "s3-a")
    yield made
    made.close()


def test_bytes_go_both_ways(terminal: Terminal, port: LentPort) -> None:
    """And reading in vain brings nothing."""
    port.write(b"bootloader\n")
    assert os.read(terminal.board, 100) == b"bootloader\n"
    terminal.say(b"ok bootloader\r\n")
    assert port.read(1.0) == b"ok bootloader\r\n"
    assert port.read(0.0) == b""


def test_the_speed_is_changed_alone(port: LentPort) -> None:
    """1200 baud is what a touch is."""
    import termios

    before = termios.tcgetattr(port.descriptor)
    port.set_baud(1200)
    after = termios.tcgetattr(port.descriptor)
    assert after[4:6] == [termios.B1200, termios.B1200]
    assert after[0:2] == before[0:2]


def test_a_device_that_goes_is_told(terminal: Terminal, port: LentPort) -> None:
    """With board and node."""
    terminal.unplug()
    with pytest.raises(BoardVanished, match=r"^board s3-a left the bus while /dev/ttyACM0 was open: "):
        port.read(1.0)


@pytest.mark.parametrize("held", [False, True])
def test_the_capture_gets_its_port_back(terminal: Terminal, held: bool) -> None:
    """Whether the block ran or the port could not be opened at all."""
    bench = Bench(terminal)
    bench.held = held
    try:
        with lender(BOARD, bench, bench)("usb"):
            bench.told.append("used")
    except AgentError:
        assert held
    used = [] if held else ["used"]
    asked = [("lend", "s3-a", "usb"), ("open_tty", "s3-a", "usb")]
    assert bench.told == [("open_tty", "s3-a", "usb"), *asked, *used, ("take_back", "s3-a", "usb")]


@pytest.mark.parametrize("held", [False, True])
def test_the_capture_is_not_told_of_a_port_that_it_leaves_alone(terminal: Terminal, held: bool) -> None:
    """A loader's is a flasher's from the start; whoever else holds it is named."""
    bench = Bench(terminal)
    bench.held, bench.watched = held, False
    with suppress(AgentError), lender(BOARD, bench, bench)("usb"):
        bench.told.append("used")
    assert bench.told == [("open_tty", "s3-a", "usb"), *([] if held else ["used"])]


@pytest.mark.parametrize("steps", [USJ_DOWNLOAD, BRIDGE_DOWNLOAD])
def test_each_way_ends_with_both_lines_released(steps: Any) -> None:
    """IO0 is low when EN rises: DTR was asserted, RTS was, and neither is at the end."""
    clock = FakeClock()
    port = FakePort(clock)
    steer(port, steps, clock)
    assert port.lines == [(dtr, rts) for dtr, rts, _ in steps]
    assert port.lines[-1] == (False, False)
    assert clock.now_ns() > 0
