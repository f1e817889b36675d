"""Match after 1e5 lines, and from the write of a line to its match: the whole way through hil against a bare loop.

Both ways read the same pty, in a process of their own that tells the waiting one. hil's also keeps the raw bytes, dates
each line, looks for boots, panics and claims, writes the journal that the waiting process reads, and judges order.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from measure import Row, interleaved

from hil.bench import Board
from hil.capture.client import Capture, board_message
from hil.clock import now_ns, to_s
from hil.device.witness import Witness
from hil.expect import Expectation, Met, regex
from hil.profiles import load
from hil.testing.terminal import Terminal
from hil.timeline.events import SerialLine

HERE = Path(__file__).parent
PATTERN = r"answer is (\d+)"
LINES = 100_000
FULL_SPEED = 1216
"""Bytes a millisecond that bulk transfers of a full-speed bus carry at most: 19 packets of 64 (USB 2.0, table 5-9)."""
PINGS = 200
APART_S = 0.005
WITHIN_S = 60.0


class Through:
    """A test's way: pty, capture process, timeline.jsonl, witness, expectation."""

    def __init__(self, terminal: Terminal, profile: str = "generic") -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="hil-bench-")
        self.capture = Capture.start(Path(self._scratch.name))
        self.capture.add(board_message(Board("s3", "1-1"), load(profile)))
        tty = {"add": "tty", "board": "s3", "port": "usb", "node": "/dev/ttyACM0", "t_ns": now_ns()}
        self.capture.add(tty, terminal.host)
        self.capture.sync()
        self.witness = Witness(self.capture)

    def expect(self, number: int = 0) -> Expectation:
        """An expectation of the line with that number, from now on, which is being watched."""
        expectation = Expectation((SerialLine(text=regex(rf"answer is {number}$")),), now_ns(), WITHIN_S)
        self.witness.watch(expectation)
        return expectation

    def await_match(self, expectation: Expectation) -> None:
        """Until it is met."""
        self.witness.settle(expectation)
        assert isinstance(expectation.outcome, Met), expectation.outcome
        self.witness.unwatch(expectation)

    def close(self) -> None:
        """End the capture process."""
        self.witness.close()
        self.capture.stop()
        self._scratch.cleanup()


class Bare:
    """The bare loop, which tells this process of each match through a pipe."""

    def __init__(self, terminal: Terminal) -> None:
        self._pipe, theirs = os.pipe()
        command = (sys.executable, str(HERE / "bare_loop.py"), PATTERN)
        self._process = subprocess.Popen(command, stdin=terminal.host, stdout=theirs)
        os.close(theirs)

    def await_match(self) -> None:
        """Until the loop has found one more."""
        assert os.read(self._pipe, 1), "the bare loop has ended"

    def close(self) -> None:
        """End the loop, whose terminal has hung up."""
        self._process.wait()
        os.close(self._pipe)


def through_s(pace: int = 0, profile: str = "generic") -> float:
    """From the first write to the match of the line after :data:`LINES` others, through capture."""
    with Terminal() as terminal:
        way = Through(terminal, profile)
        expectation = way.expect()
        began_ns, board = speak(terminal, pace)
        way.await_match(expectation)
        took_s = to_s(now_ns() - began_ns)
        board.wait()
        way.close()
        return took_s


def bare_s(pace: int = 0) -> float:
    """The same by the bare loop."""
    with Terminal() as terminal:
        way = Bare(terminal)
        warm_up(terminal, way)
        began_ns, board = speak(terminal, pace)
        way.await_match()
        took_s = to_s(now_ns() - began_ns)
        board.wait()
        terminal.unplug()
        way.close()
        return took_s


def speak(terminal: Terminal, pace: int) -> tuple[int, subprocess.Popen[bytes]]:
    """Have the board begin to speak; returns when it was told to, and the process."""
    command = (sys.executable, str(HERE / "writer.py"), str(LINES), awaited(0), str(pace))
    board = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=terminal.board)
    assert board.stdin is not None
    time.sleep(0.3)  # until it has made its lines: nothing tells when
    began_ns = now_ns()
    board.stdin.write(b"g")
    board.stdin.close()
    return began_ns, board


def warm_up(terminal: Terminal, way: Bare) -> None:
    """The process has started when it finds a first line."""
    say(terminal, 0)
    way.await_match()


def through_latency_s() -> float:
    """Median from the write of one line to its match, through capture."""
    with Terminal() as terminal:
        way = Through(terminal)
        took_s = []
        for number in range(PINGS):
            time.sleep(APART_S)
            expectation = way.expect(number)
            began_ns = say(terminal, number)
            way.await_match(expectation)
            took_s.append(to_s(now_ns() - began_ns))
        way.close()
        return median(took_s)


def bare_latency_s() -> float:
    """The same by the bare loop."""
    with Terminal() as terminal:
        way = Bare(terminal)
        warm_up(terminal, way)
        took_s = []
        for number in range(PINGS):
            time.sleep(APART_S)
            began_ns = say(terminal, number)
            way.await_match()
            took_s.append(to_s(now_ns() - began_ns))
        terminal.unplug()
        way.close()
        return median(took_s)


def awaited(number: int) -> str:
    """A line that is waited for."""
    return f"I (999999) app: the answer is {number}"


def say(terminal: Terminal, number: int) -> int:
    """Write the line of that number; returns the instant before."""
    line = f"{awaited(number)}\r\n".encode()
    began_ns = now_ns()
    os.write(terminal.board, line)
    return began_ns


def rows() -> list[Row]:
    """All of them."""
    paced = interleaved(lambda: through_s(FULL_SPEED), lambda: bare_s(FULL_SPEED))
    burst = interleaved(through_s, bare_s)
    claims = interleaved(lambda: through_s(profile="reference"), bare_s)
    latency = interleaved(through_latency_s, bare_latency_s)
    return [
        Row("match after 1e5 lines at full-speed USB's pace", paced[0] * 1e3, "ms", 1.5, paced[1] * 1e3),
        Row("… as fast as a pty takes them", burst[0] * 1e3, "ms", None, burst[1] * 1e3),
        Row("… and with a profile's claims", claims[0] * 1e3, "ms", None, claims[1] * 1e3),
        Row("write to match, median of 200", latency[0] * 1e6, "us", 1.5, latency[1] * 1e6),
    ]


if __name__ == "__main__":
    for row in rows():
        print(row.text)
