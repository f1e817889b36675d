"""The capture process as pytest sees it."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from hil.agent import protocol
from hil.bench import Board
from hil.capture.client import STDERR, Capture, board_message
from hil.clock import Deadline, now_ns
from hil.errors import HarnessError, SetupError
from hil.profiles import load
from hil.testing.terminal import Terminal
from hil.timeline.events import Acted, CaptureGap, Event, SerialLine, SerialOpened
from hil.timeline.journal import read_journal

pytestmark = pytest.mark.slow
BURST = 1 << 20

SEIZE = """
import ctypes, signal, sys
ptrace = ctypes.CDLL(None).ptrace
ptrace.argtypes = [ctypes.c_long] * 4
print(ptrace(0x4206, int(sys.argv[1]), 0, 0), flush=True)  # PTRACE_SEIZE, include/uapi/linux/ptrace.h
signal.pause()
"""


def told(capture: Capture) -> list[Event]:
    events, rest = read_journal(capture.path.read_text())
    assert rest == ""
    return events


def attach(capture: Capture, host_end: int, port: str = "usb", node: str = "/dev/ttyACM0") -> None:
    capture.add({"add": "tty", "board": "s3-a", "port": port, "node": node, "t_ns": now_ns()}, host_end)


def raw(capture: Capture) -> bytes:
    file = capture.directory / "serial-s3-a-usb.raw"
    return file.read_bytes() if file.exists() else b""


def burst(board_end: int) -> bytes:
    """Write a mebibyte of numbered lines as fast as they are taken; returns what was written."""
    data = b"".join(b"I (%d) net: line %d of the burst\n" % (n, n) for n in range(40_000))[:BURST]
    sent = 0
    while sent < len(data):
        sent += os.write(board_end, data[sent : sent + 4096])
    return data


def said(lines: int) -> bytes:
    """What :func:`speaking` writes."""
    return b"".join(b"I (%d) main: line %d\n" % (n, n) for n in range(lines))


def speaking(terminal: Terminal, lines: int, for_s: float = 0.0) -> subprocess.Popen[bytes]:
    """A board's process that says so many lines, spread over ``for_s``."""
    pause = f"time.sleep({for_s / lines})" if for_s else ""
    script = f"import os, time\nfor n in range({lines}):\n os.write(1, b'I (%d) main: line %d\\n' % (n, n)); {pause}"
    return subprocess.Popen([sys.executable, "-c", script], stdout=terminal.board)


def settle(capture: Capture, octets: int) -> None:
    """Until so many bytes are in the raw file, for at most ten seconds."""
    deadline = Deadline(10.0)
    while len(raw(capture)) < octets and not deadline.passed:
        capture.wait(min(deadline.left_s, 0.1))  # the raw bytes follow the write that wakes


def read_on(capture: Capture) -> None:
    """Wait for more until there is none within a second."""
    while capture.wait(1.0):
        continue


def test_recorded_event_is_stamped_and_on_disk_after_sync(capture: Capture) -> None:
    """What the stamp leaves open is filled in, and sync makes it readable."""
    before = now_ns()
    whole = capture.record(Acted("connect", "nothing", "", board="s3-a", source="action"))
    capture.sync()
    assert told(capture) == [whole]
    assert before <= whole.t_ns <= now_ns()
    assert (whole.t_err_ns, whole.board, whole.source) == (0, "s3-a", "action")


def test_wait_tells_that_the_file_has_grown(capture: Capture) -> None:
    """wait is false while nothing comes, true once something is in the file, and then false again."""
    assert not capture.wait(0.05)
    capture.record(Acted("x", "nothing", ""))
    assert capture.wait(5.0)
    assert len(told(capture)) == 1
    assert not capture.wait(0.0)


def test_burst_loses_no_byte(capture: Capture, terminal: Terminal) -> None:
    """A mebibyte through a pty is in the raw file to the last byte, and in the lines."""
    attach(capture, terminal.host)
    capture.sync()
    data = burst(terminal.board)
    settle(capture, len(data))
    capture.sync()
    assert raw(capture) == data
    capture.stop()
    assert sum(event.length for event in told(capture) if isinstance(event, SerialLine)) == len(data)


def test_busy_client_loses_no_byte(capture: Capture, terminal: Terminal) -> None:
    """While the test process holds its interpreter for three seconds, the board's log is read all the same."""
    attach(capture, terminal.host)
    capture.sync()
    board = speaking(terminal, lines=3_000, for_s=3.0)
    while board.poll() is None:
        re.match(r"(a?){18}a{18}", "a" * 18)
    assert board.wait() == 0
    settle(capture, len(said(3_000)))
    assert raw(capture) == said(3_000)


def test_log_of_a_boot_that_nobody_read_yet_is_kept(capture: Capture, terminal: Terminal) -> None:
    """What a port holds when it is opened, and what the board goes on to say meanwhile, is read from its first byte."""
    board = speaking(terminal, lines=4_000)
    terminal.await_host()
    attach(capture, terminal.host)
    assert board.wait(10) == 0
    settle(capture, len(said(4_000)))
    assert raw(capture) == said(4_000)


def test_port_that_comes_back_under_another_name_loses_no_byte(capture: Capture) -> None:
    """A board that vanishes in the middle of a line, five times, and speaks again before its port is opened."""
    for number in range(5):
        with Terminal() as terminal:
            terminal.say(said(50) + b"cut off in the mid")
            attach(capture, terminal.host, node=f"/dev/ttyACM{number}")
            settle(capture, (number + 1) * (len(said(50)) + 18))
            terminal.unplug()
    capture.sync()
    assert raw(capture) == (said(50) + b"cut off in the mid") * 5
    lines = [event for event in told(capture) if isinstance(event, SerialLine)]
    assert [line.offset for line in lines] == [0, *accumulate(line.length for line in lines[:-1])]
    assert [line.complete for line in lines].count(False) == 5


def test_client_that_never_reads_does_not_block_capture(capture: Capture, terminal: Terminal) -> None:
    """Unread answers and an unread eventfd stop nothing."""
    attach(capture, terminal.host)
    for number in range(1000):
        capture.add({"sync": number})
    os.write(terminal.board, b"still here\n")
    settle(capture, 11)
    assert raw(capture) == b"still here\n"


@pytest.mark.timeout(30)
def test_process_that_hangs_in_the_kernel_is_not_waited_for(tmp_path: Path) -> None:
    """Not even SIGKILL ends it; a tracer that looks away keeps this one from being seen to end (ptrace(2))."""
    capture = Capture.start(tmp_path)
    with subprocess.Popen([sys.executable, "-c", SEIZE, str(capture.pid)], stdout=subprocess.PIPE) as tracer:
        assert tracer.stdout is not None
        try:
            if tracer.stdout.readline() != b"0\n":
                pytest.skip("this kernel lets nobody trace another process")
            capture.stop(within_s=0.2)
            assert not capture.dead
        finally:
            tracer.kill()
    capture._process.wait(10.0)


def test_killed_process_leaves_a_readable_timeline(tmp_path: Path) -> None:
    """SIGKILL in the middle of writing leaves whole lines, and the client says what has happened."""
    with Capture.start(tmp_path) as capture:
        written = [capture.record(Acted("x", "nothing", str(n))) for n in range(200)]
        capture.wait(5.0)
        os.kill(capture._process.pid, signal.SIGKILL)
        with pytest.raises(HarnessError, match="capture process is dead, exit status -9"):
            capture.sync()
        with pytest.raises(HarnessError, match=STDERR):
            read_on(capture)
        assert capture.dead
        events = told(capture)
    assert events == written[: len(events)]
    assert events


def test_death_names_the_last_words(tmp_path: Path) -> None:
    """The message of a process that could not start holds the end of its stderr."""
    (tmp_path / "timeline.jsonl").mkdir()
    with Capture.start(tmp_path) as capture, pytest.raises(HarnessError, match="IsADirectoryError"):
        capture.sync()


def test_stop_writes_the_half_line_and_may_be_repeated(capture: Capture, terminal: Terminal) -> None:
    """At the end what was held back is in the file."""
    attach(capture, terminal.host)
    capture.sync()
    os.write(terminal.board, b"half")
    settle(capture, 4)
    capture.stop()
    capture.stop()
    assert capture.dead
    assert [event.text for event in told(capture) if isinstance(event, SerialLine)] == ["half"]


def test_interrupt_from_the_terminal_is_not_the_captures(capture: Capture) -> None:
    """Ctrl-C reaches pytest alone; capture goes on until pytest ends it."""
    capture.sync()
    os.kill(capture._process.pid, signal.SIGINT)
    capture.sync()
    assert not capture.dead


def test_board_without_agent_is_refused(capture: Capture) -> None:
    """Boards need the agent's descriptors."""
    with pytest.raises(HarnessError, match="without an agent"):
        capture.add_board(Board("s3-a", usb="1-1"))


def test_threads_may_record_at_once(capture: Capture) -> None:
    """Events of several threads arrive whole."""

    def work(name: str) -> None:
        for number in range(50):
            capture.record(Acted(name, "nothing", str(number)))
        capture.sync()

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told(capture)) == 200


def test_profile_goes_to_the_process_as_patterns() -> None:
    """A board's announcement holds its paths and its profile's claims."""
    message = board_message(Board("s3-a", usb="1-1", console="1-2"), load("reference"))
    assert message["paths"] == {"usb": "1-1", "console": "1-2"}
    assert {"name": "USB_MOUNTED", "pattern": r"\*\*\* USB MOUNTED"} in message["profile"]["claims"]


class Agent:
    """Opens socketpairs instead of kernel sockets, has no usbmon, and keeps the far ends."""

    def __init__(self) -> None:
        self.ends: dict[str, socket.socket] = {}
        self.unwatched: list[tuple[str, str]] = []

    def _open(self, name: str) -> socket.socket:
        self.ends[name], theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return theirs

    def second_connection(self) -> socket.socket:
        return self._open("link")

    def open_packet_socket(self, board: str) -> socket.socket:
        return self._open("packet")

    def open_route_socket(self, board: str) -> socket.socket:
        return self._open("route")

    def open_uevent_socket(self, board: str | None, udev: bool) -> socket.socket:
        return self._open(f"uevent {board}")

    def open_usbmon(self, board: str) -> int:
        raise SetupError("kernel module usbmon is missing")

    def open_kmsg(self) -> int:
        read_fd, write_fd = os.pipe()
        os.close(write_fd)
        return read_fd

    def unwatch_tty(self, board: str, port: str) -> None:
        self.unwatched.append((board, port))

    def requests(self) -> list[protocol.Request]:
        """What came over the connection that the process reads."""
        found = []
        while select.select([self.ends["link"]], [], [], 0.0)[0]:
            found.append(protocol.parse_request(self.ends["link"].recv(1 << 16))[1])
        return found

    def close(self) -> None:
        for end in self.ends.values():
            end.close()


def test_board_is_captured_through_the_agent(tmp_path: Path, terminal: Terminal) -> None:
    """Channels are opened before the interface is moved, a kernel without usbmon is a gap, a port can be released."""
    agent = Agent()
    with Capture.start(tmp_path, agent) as capture:
        capture.add_board(Board("s3-a", usb="1-1", console="1-2", profile="reference"))
        assert agent.requests() == [
            protocol.Follow("s3-a"),
            protocol.WatchTty("s3-a", "usb", True, False, 115_200, False),
            protocol.WatchTty("s3-a", "console", True, False, 115_200, False),
        ]
        words: dict[str, Any] = {"board": "s3-a", "port": "usb", "node": "/dev/ttyACM0", "t_ns": now_ns()}
        socket.send_fds(agent.ends["link"], [protocol.pack({"notify": "tty_opened", **words})], [terminal.host])
        capture.sync()
        capture.release_tty("s3-a", "usb")
        assert agent.unwatched == [("s3-a", "usb")]
        events = told(capture)
    agent.close()
    assert [e.reason for e in events if isinstance(e, CaptureGap)] == ["kernel module usbmon is missing"]
    assert any(isinstance(e, SerialOpened) for e in events)
    assert type(events[-1]).__name__ == "SerialClosed"


def test_a_lent_port_is_watched_as_before_when_it_comes_back(tmp_path: Path) -> None:
    """With its DTR; lending twice is lending once, and what nobody watched stays unwatched."""
    agent = Agent()
    with Capture.start(tmp_path, agent) as capture:
        capture.watch_tty("s3-a", "usb", dtr=False, hangup=True)
        capture.lend("s3-a", "usb")
        capture.lend("s3-a", "usb")
        capture.take_back("s3-a", "usb")
        capture.take_back("s3-a", "usb")
        capture.lend("s3-a", "console")
        capture.take_back("s3-a", "console")
        asked = agent.requests()
    agent.close()
    assert asked == [protocol.WatchTty("s3-a", "usb", False, True, 115_200, False)] * 2
    assert agent.unwatched == [("s3-a", "usb"), ("s3-a", "usb"), ("s3-a", "console")]


def test_a_log_over_serial_jtag_is_listened_to(tmp_path: Path) -> None:
    """Where the profile says that the log comes there, its port is no loader's."""
    profile = tmp_path / "jtag.toml"
    profile.write_text('name = "jtag"\n[log]\nserial_jtag = true\n')
    agent = Agent()
    with Capture.start(tmp_path / "run", agent) as capture:
        capture.add_board(Board("s3-a", usb="1-1", profile=str(profile)))
        asked = agent.requests()
    agent.close()
    assert asked[-1] == protocol.WatchTty("s3-a", "usb", True, False, 115_200, True)
