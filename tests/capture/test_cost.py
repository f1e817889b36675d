"""What lies between a line and the test that waits for it, counted in calls: another process cannot change that."""

import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from hil.capture.claims import Claims
from hil.capture.loop import Loop
from hil.capture.recorder import TIMELINE, Recorder
from hil.capture.serial import SerialLog, SerialSource
from hil.clock import now_ns
from hil.device.witness import Witness
from hil.expect import Expectation, Met, regex
from hil.testing.terminal import Terminal
from hil.timeline.events import SerialLine

SYSTEM = (os.read, os.write, os.pread, os.eventfd_write, os.eventfd_read, select.epoll.poll, time.sleep)
NAMES = {call.__name__ for call in SYSTEM}
WAY_TO_THE_WRITE = 20
"""Python functions that may run for a line between its coming and the test's being woken."""
WAY_OF_MANY = 26
"""… for however many lines read at once."""
WAY_TO_THE_MATCH = 14
"""… and from then on until its sentence is met."""


class Calls:
    """Counts the functions that run inside the ``with`` statement."""

    def __init__(self) -> None:
        self.python = 0
        self.system: list[str] = []
        self.before_wake = 0
        """Python functions that had run when the eventfd was raised."""

    def _note(self, frame: FrameType, what: str, about: Any) -> None:
        self.python += what == "call"
        if what == "c_call" and about.__name__ in NAMES:
            self.system.append(about.__name__)
            if about.__name__ == "eventfd_write":
                self.before_wake = self.python

    def of(self, call: Callable[[], object]) -> "Calls":
        """Count while ``call`` runs."""
        sys.setprofile(self._note)
        try:
            call()
        finally:
            sys.setprofile(None)
        return self


class Bench:
    """A port whose lines go through a loop into a journal, all in this process."""

    def __init__(self, directory: Path, terminal: Terminal) -> None:
        self.path = directory / TIMELINE
        self.terminal = terminal
        self.event_fd = os.eventfd(0, os.EFD_NONBLOCK)
        self.recorder = Recorder(directory, self.event_fd)
        self.log = SerialLog("s3-a", "usb", directory, Claims())
        self.loop = Loop(self.recorder)
        self.loop.add(SerialSource(terminal.duplicate(), "/dev/ttyACM0", self.log, now_ns()))

    def round(self) -> None:
        """One round of the loop."""
        self.loop.round(0.0)

    def wait(self, timeout_s: float) -> bool:
        """The journal has grown."""
        return True

    def sync(self, timeout_s: float) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Close every file."""
        self.loop.close()
        self.log.close()
        self.recorder.close()
        os.close(self.event_fd)


@pytest.fixture
def bench(tmp_path: Path, terminal: Terminal) -> Iterator[Bench]:
    """A bench that has seen a line before."""
    made = Bench(tmp_path, terminal)
    terminal.say(b"I (12) net: up\r\n")
    made.round()
    yield made
    made.close()


def test_a_line_is_written_and_told_before_anything_else_is_done(bench: Bench) -> None:
    """One look, one read, one write, one wake-up; the raw bytes, which no test waits for, are stored after those."""
    bench.terminal.say(b"I (13) net: the answer is 1\r\n")
    calls = Calls().of(bench.round)
    assert calls.system == ["poll", "read", "write", "eventfd_write", "write"]
    assert calls.before_wake <= WAY_TO_THE_WRITE


@pytest.mark.parametrize("lines", [2, 50])
def test_lines_read_at_once_cost_the_system_calls_of_one(bench: Bench, lines: int) -> None:
    """And the functions of one: what is done for each line is done in C."""
    bench.terminal.say(b"".join(b"I (%d) net: line\r\n" % (20 + number) for number in range(lines)))
    calls = Calls().of(bench.round)
    assert calls.system == ["poll", "read", "write", "eventfd_write", "write"]
    assert calls.before_wake <= WAY_OF_MANY


def test_a_line_that_is_there_meets_its_sentence_in_few_steps(bench: Bench) -> None:
    """From the wake-up: one read of the journal, and what judges one event."""
    witness = Witness(bench)
    expectation = Expectation((SerialLine(text=regex(r"answer is 1$")),), now_ns(), 60.0)
    witness.watch(expectation)
    bench.terminal.say(b"I (13) net: the answer is 1\r\n")
    bench.round()
    calls = Calls().of(witness.refresh)
    assert isinstance(expectation.outcome, Met)
    assert calls.python <= WAY_TO_THE_MATCH
    witness.close()
