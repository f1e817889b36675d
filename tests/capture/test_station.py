"""What the control socket brings becomes sources and lines of the timeline."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.capture.recorder import TIMELINE
from hil.capture.station import Station
from hil.clock import now_ns, to_s
from hil.testing.terminal import Terminal
from hil.timeline.events import (
    Acted,
    CaptureGap,
    Event,
    SerialClosed,
    SerialLine,
    SerialOpened,
    StreamClosed,
    StreamLine,
    StreamOpened,
    UsbAttached,
    UsbSerialNumber,
    UsbSuspended,
)
from hil.timeline.journal import encode, read_journal
from hil.wire.uevent import KernelUevent

from .conftest import SlowToClose

BOARD = {"add": "board", "board": "s3-a", "paths": {"usb": "1-1"}, "profile": {"claims": []}}


class Bench:
    """A station in this process, and the test's end of its control socket."""

    def __init__(self, directory: Path, sysfs: Path) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.setblocking(False)
        self.station = Station(directory, theirs, sysfs=sysfs)
        self._timeline = directory / TIMELINE

    def send(self, message: object, *fds: int) -> None:
        """Send a message, give the descriptors away, and let the station read it."""
        socket.send_fds(self.control, [json.dumps(message).encode()], list(fds))
        for fd in fds:
            os.close(fd)
        self.station.loop.round(0.0)

    def told(self) -> list[Event]:
        return read_journal(self._timeline.read_text())[0]

    def gaps(self) -> list[str]:
        return [event.reason for event in self.told() if isinstance(event, CaptureGap)]

    def end(self) -> None:
        """As when pytest has gone."""
        self.control.close()
        self.station.run()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A bench over a made-up sysfs."""
    made = Bench(tmp_path, tmp_path / "sys")
    yield made
    made.end()


def opened(board_end: int) -> dict[str, Any]:
    return {"add": "tty", "board": "s3-a", "port": "usb", "node": f"/dev/ttyACM{board_end}", "t_ns": 5}


def test_recorded_event_is_in_the_file_as_it_was(bench: Bench) -> None:
    """An event goes through unchanged."""
    event = Acted("replug", "disconnect", "", t_ns=1, t_err_ns=2, board="s3-a", source="action")
    bench.send({"record": json.loads(encode(event))})
    assert bench.told() == [event]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"record": {"event": "Nonsense"}}, "event is 'Nonsense'"),
        ({"add": "telescope"}, "known: record, sync, stop, close"),
        ({"add": "packet", "board": "../x"}, "board is '../x'"),
        ({"add": "packet", "board": "s3-a"}, "0 descriptors"),
        ({"add": "tty", "board": "s3-a", "port": "lpt1"}, "port is 'lpt1'"),
        ({"add": "tty", "board": "s3-a", "port": "usb"}, "'node'"),
        ({**BOARD, "profile": {"claims": [{"name": "X", "pattern": "("}]}}, "claim X"),
        ([1], "wanted a JSON object"),
        ({"add": "power", "board": "s3-a"}, "'usb'"),
        ({"add": "usbmon", "board": "s3-a", "bus": 1}, "IndexError"),
    ],
)
def test_wrong_message_is_a_gap_that_names_it(bench: Bench, message: object, words: str) -> None:
    """Nothing that is sent ends the process; what it could not do is in the timeline."""
    bench.send(message)
    (reason,) = bench.gaps()
    assert words in reason


def test_descriptor_of_a_wrong_message_is_closed(bench: Bench) -> None:
    """What nobody has taken is not kept open: the far end sees its end."""
    read_fd, write_fd = os.pipe()
    bench.send({"add": "telescope"}, write_fd)
    assert os.read(read_fd, 1) == b""
    os.close(read_fd)


def test_sync_is_answered_after_the_write(bench: Bench, terminal: Terminal) -> None:
    """When the answer comes, what was readable is in the file."""
    bench.send(BOARD)
    bench.send(opened(0), terminal.duplicate())
    terminal.say(b"I (1) main: hello\n")
    bench.send({"sync": 7})
    assert json.loads(bench.control.recv(100)) == {"synced": 7}
    assert [type(event) for event in bench.told()] == [SerialOpened, SerialLine]


def test_port_that_comes_back_closes_the_old_one(bench: Bench) -> None:
    """A second opening without a removal in between ends the first; the log goes on."""
    bench.send(BOARD)
    pipes = [os.pipe(), os.pipe()]
    for number, (host_end, board_end) in enumerate(pipes):
        bench.send(opened(number), host_end)
        os.write(board_end, b"line\n")
        bench.station.loop.round(0.0)
    kinds = [type(event) for event in bench.told()]
    assert kinds == [SerialOpened, SerialLine, SerialOpened, SerialClosed, SerialLine]
    for _, board_end in pipes:
        os.close(board_end)


def test_released_port_is_read_out_and_closed(bench: Bench, terminal: Terminal) -> None:
    """Letting go of a port tells what it still held, and closes its descriptor."""
    bench.send(BOARD)
    bench.send(opened(0), terminal.duplicate())
    terminal.say(b"last\n")
    bench.send({"close": "tty", "board": "s3-a", "port": "usb"})
    line, closed = (event for event in bench.told() if isinstance(event, SerialLine | SerialClosed))
    assert isinstance(line, SerialLine)
    assert isinstance(closed, SerialClosed)
    assert (line.text, closed.reason) == ("last", "released")
    bench.send({"close": "tty", "board": "s3-a", "port": "usb"})
    assert bench.gaps() == []


@pytest.mark.slow
def test_port_that_closes_slowly_holds_up_no_channel(bench: Bench, slow_to_close: SlowToClose) -> None:
    """Its board may not answer when DTR falls; the rest is told meanwhile, and whoever asks hears when it is closed."""
    bench.send(BOARD)
    bench.send(opened(0), slow_to_close.fd)
    began_ns = now_ns()
    bench.send({"close": "tty", "board": "s3-a", "port": "usb"})
    bench.send({"sync": 7, "closed": True})
    bench.send({"sync": 8})
    assert [type(event) for event in bench.told()] == [SerialOpened, SerialClosed]
    assert to_s(now_ns() - began_ns) < 0.5 * slow_to_close.takes_s
    assert json.loads(bench.control.recv(100)) == {"synced": 8}
    with pytest.raises(BlockingIOError):
        bench.control.recv(100)
    bench.station.loop.round(10.0)
    assert json.loads(bench.control.recv(100)) == {"synced": 7}


def test_port_is_told_of_as_the_agent_opened_it(bench: Bench, terminal: Terminal) -> None:
    """Whether DTR is high is the agent's to find out: a bridge that hangs takes 5 s to say so."""
    bench.send(BOARD)
    bench.send({**opened(0), "dtr": True}, terminal.duplicate())
    (told,) = bench.told()
    assert isinstance(told, SerialOpened)
    assert told.dtr


def test_agent_brings_and_takes_serial_ports(bench: Bench, terminal: Terminal) -> None:
    """A port notified as opened is read; one notified as gone is closed."""
    bench.send(BOARD)
    agent, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    bench.send({"add": "agent"}, theirs.detach())
    words = {"board": "s3-a", "port": "usb", "node": "/dev/ttyACM0", "t_ns": 9}
    socket.send_fds(agent, [json.dumps({"notify": "tty_opened", **words}).encode()], [terminal.host])
    bench.station.loop.round(0.0)
    agent.send(json.dumps({"notify": "tty_gone", **words}).encode())
    bench.station.loop.round(0.0)
    first, last = (e for e in bench.told() if isinstance(e, SerialOpened | SerialClosed))
    assert isinstance(first, SerialOpened)
    assert isinstance(last, SerialClosed)
    assert (first.t_ns, last.reason) == (9, "removed")
    agent.close()


@pytest.mark.timeout(20)
def test_device_that_is_locked_holds_up_no_channel(bench: Bench, tmp_path: Path) -> None:
    """Somebody resets it right after its drivers were bound: its serial number is told when the kernel is done."""
    bench.send(BOARD)
    kernel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    bench.send({"add": "uevent"}, theirs.detach())
    serial = tmp_path / "sys/devices/usb1/1-1/serial"
    serial.parent.mkdir(parents=True)
    os.mkfifo(serial)  # nobody writes yet: opening it waits
    names = {"SUBSYSTEM": "usb", "DEVTYPE": "usb_device", "DRIVER": "usb"}
    kernel.send(KernelUevent("bind", "/devices/usb1/1-1", names).pack())
    bench.send({"sync": 1})
    assert json.loads(bench.control.recv(100)) == {"synced": 1}
    assert bench.told() == []
    serial.write_text("123456\n")
    bench.station.loop.round(10.0)
    (told,) = bench.told()
    assert isinstance(told, UsbSerialNumber)
    assert told.serial == "123456"
    kernel.close()


def test_uevent_socket_feeds_the_board(bench: Bench) -> None:
    """A uevent of the board's path is told; the socket needs no board of its own."""
    bench.send(BOARD)
    kernel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    bench.send({"add": "uevent"}, theirs.detach())
    names = {"SUBSYSTEM": "usb", "DEVTYPE": "usb_device", "PRODUCT": "303a/1001/101"}
    kernel.send(KernelUevent("add", "/devices/usb1/1-1", names).pack())
    bench.station.loop.round(0.0)
    (event,) = bench.told()
    assert isinstance(event, UsbAttached)
    assert (event.vid, event.pid) == (0x303A, 0x1001)
    kernel.close()


def test_power_is_polled_from_the_start(bench: Bench, sysfs: Callable[[str, str], Path]) -> None:
    """The board's runtime status is looked at without a descriptor."""
    sysfs("power/control", "auto")
    sysfs("power/runtime_status", "suspended")
    bench.send(BOARD)
    bench.send({"add": "power", "board": "s3-a"})
    bench.station.loop.round(0.0)
    assert [type(event) for event in bench.told()] == [UsbSuspended]


def test_end_of_the_control_socket_writes_what_is_held_back(tmp_path: Path, terminal: Terminal) -> None:
    """When pytest is gone the half line is told and the process ends."""
    bench = Bench(tmp_path, tmp_path / "sys")
    bench.send(BOARD)
    bench.send(opened(0), terminal.duplicate())
    terminal.say(b"half a li")
    bench.end()
    assert [event.text for event in bench.told() if isinstance(event, SerialLine)] == ["half a li"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(("add", "close", "record", "sync", "board", "port", "node", "paths", "profile", "t_ns", "bus"))
KINDS = st.sampled_from(
    ("tty", "board", "packet", "usb", "s3-a", "route", "kmsg", "power", "agent", "usbmon", "uevent")
)


@given(st.lists(st.dictionaries(KEYS, KINDS | JSON, max_size=5) | JSON, max_size=6))
def test_any_messages_leave_a_readable_timeline(tmp_path_factory: pytest.TempPathFactory, messages: list[Any]) -> None:
    """No message ends the station or leaves a line that cannot be read."""
    directory = tmp_path_factory.mktemp("any")
    bench = Bench(directory, directory)
    for message in messages:
        bench.send(message)
    assert bench.station.loop.running
    bench.end()
    assert all(isinstance(event, Event) for event in bench.told())


def test_a_stream_is_read_until_it_is_closed(bench: Bench) -> None:
    """Its lines are events, and hanging up is one too; a second close does nothing."""
    near, board = socket.socketpair()
    bench.send({"add": "stream", "board": "s3-a", "path": "/logs", "host": "192.168.7.1"}, near.detach())
    board.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: hello\n\n")
    bench.station.loop.round(1.0)
    bench.send({"close": "stream", "board": "s3-a"})
    bench.send({"close": "stream", "board": "s3-a"})
    assert [type(event) for event in bench.told()] == [StreamOpened, StreamLine, StreamClosed]
    assert bench.told()[-1].reason == "released"  # type: ignore[attr-defined]
    board.settimeout(1.0)
    assert b"GET /logs" in board.recv(4096)
    assert board.recv(4096) == b""
    board.close()


def test_a_second_stream_of_a_board_is_refused(bench: Bench) -> None:
    """Its descriptor is closed and the timeline says why."""
    near, board = socket.socketpair()
    bench.send({"add": "stream", "board": "s3-a", "path": "/logs", "host": "x"}, near.detach())
    other, far = socket.socketpair()
    bench.send({"add": "stream", "board": "s3-a", "path": "/logs", "host": "x"}, other.detach())
    assert len(bench.gaps()) == 1
    assert "a stream of s3-a is open already: /logs" in bench.gaps()[0]
    board.close()
    far.close()
