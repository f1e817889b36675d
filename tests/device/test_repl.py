"""A statement for MicroPython, played with a pseudo-terminal whose far end is a thread."""

import os
import select
import threading
from collections.abc import Callable, Iterator

import pytest

from hil.clock import MonotonicClock
from hil.device import repl
from hil.device.lent_port import LentPort
from hil.errors import BoardMute
from hil.testing.raw_repl import RawRepl
from hil.testing.terminal import Terminal


class FarEnd(threading.Thread):
    """Reads what is written, and says what ``answer`` makes of it, until its terminal is unplugged."""

    def __init__(self, terminal: Terminal, answer: Callable[[bytes], bytes | None]) -> None:
        super().__init__(daemon=True)
        self.heard = b""
        self._terminal = terminal
        self._answer = answer
        self._stop_r, self._stop_w = os.pipe()
        self.start()

    def run(self) -> None:
        while True:
            ready, _, _ = select.select([self._terminal.board, self._stop_r], [], [], 10.0)
            if self._terminal.board not in ready:
                return
            data = os.read(self._terminal.board, 4096)
            self.heard += data
            said = self._answer(data)
            if said is None:
                self._terminal.unplug()
                return
            os.write(self._terminal.board, said)

    def stop(self) -> None:
        os.write(self._stop_w, b"x")
        self.join(10.0)
        os.close(self._stop_r)
        os.close(self._stop_w)


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


def told(terminal: Terminal, port: LentPort, answer: Callable[[bytes], bytes | None]) -> tuple[str, bytes]:
    far = FarEnd(terminal, answer)
    try:
        return repl.tell(port, "s3-a", "import machine; machine.bootloader()", MonotonicClock()), far.heard
    finally:
        far.stop()


@pytest.mark.slow
def test_a_repl_that_stays_is_heard(terminal: Terminal, port: LentPort) -> None:
    """A program that runs is interrupted, the statement goes out whole, and what was printed comes back."""
    answer, heard = told(terminal, port, RawRepl(b"Entering bootloader...\r\n", stays=True).answer)
    assert answer == "Entering bootloader..."
    assert heard.index(b"\x03") < heard.index(b"\x01") < heard.index(b"import machine; machine.bootloader()")


@pytest.mark.slow
def test_a_device_that_vanishes_is_no_error(terminal: Terminal, port: LentPort) -> None:
    """mpremote raises OSError then, and in closing again."""
    answer, _ = told(terminal, port, RawRepl(b"", stays=False).answer)
    assert answer == ""


@pytest.mark.slow
def test_something_else_than_a_repl_is_said(
    terminal: Terminal, port: LentPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firmware that logs, for example."""
    monkeypatch.setattr(repl, "RAW_REPL_S", 0.3)
    with pytest.raises(BoardMute, match="no MicroPython REPL at /dev/ttyACM0: could not enter raw repl"):
        told(terminal, port, lambda data: b"I (17) main: x\r\n")
