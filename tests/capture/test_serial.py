"""Serial bytes become a raw file, lines, boot messages, panics and claims."""

import os
import re
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.capture.claims import Claims
from hil.capture.serial import HOP_NS, LINE_LIMIT, PANIC_NS, SILENCE_NS, SerialLog, SerialSource
from hil.capture.source import Moment
from hil.testing.terminal import Terminal
from hil.timeline.events import BoardPanicked, BoardSaid, BootMessage, Event, SerialClosed, SerialLine, SerialOpened

CLAIMS = Claims([("NCM_LINK_UP", re.compile(r"LINK UP \*\*\* \((?P<detail>[^)]*)\)"))])


@pytest.fixture
def log(tmp_path: Path) -> SerialLog:
    """The log of a board that claims one thing."""
    return SerialLog("s3-a", "usb", tmp_path, CLAIMS)


def lines(events: list[Event]) -> list[tuple[str, bool]]:
    return [(e.text, e.complete) for e in events if isinstance(e, SerialLine)]


def test_line_loses_its_colour_and_keeps_its_place(log: SerialLog, now: Moment) -> None:
    """Colour is stripped from the text, while offset and length are those of the raw bytes."""
    log.feed(b"first\r\n", now)
    (line,) = log.feed(b"\x1b[0;32mI (663) net: up\x1b[0m\n", now)
    assert line == SerialLine(
        "I (663) net: up", 7, 27, True, t_ns=now.t_ns, t_err_ns=now.err_ns, board="s3-a", source="serial"
    )


def test_bytes_are_stored_once_their_lines_are_told(log: SerialLog, tmp_path: Path, now: Moment) -> None:
    """By settle, by the next reading, or by the end, whichever comes first."""
    raw = tmp_path / "serial-s3-a-usb.raw"
    log.feed(b"first\n", now)
    assert raw.read_bytes() == b""
    log.settle()
    assert raw.read_bytes() == b"first\n"
    log.feed(b"second\n", now)
    log.feed(b"half", now)
    assert raw.read_bytes() == b"first\nsecond\n"
    log.finish()
    assert raw.read_bytes() == b"first\nsecond\nhalf"


def test_rest_of_a_line_is_told_after_silence_with_the_time_of_its_last_byte(log: SerialLog, now: Moment) -> None:
    """A line without end is an incomplete line after 200 ms, dated when its bytes came."""
    assert log.feed(b"cut mid-te", now) == []
    assert log.overdue(Moment(now.t_ns + SILENCE_NS - 1, 0)) == []
    (line,) = log.overdue(Moment(now.t_ns + SILENCE_NS, 0))
    assert isinstance(line, SerialLine)
    assert (line.text, line.complete, line.t_ns) == ("cut mid-te", False, now.t_ns)
    assert log.deadline_ns is None


def test_line_without_end_is_bounded(log: SerialLog, now: Moment) -> None:
    """A stream without a line end is cut at the limit."""
    (line,) = log.feed(b"x" * LINE_LIMIT, now)
    assert isinstance(line, SerialLine)
    assert (line.length, line.complete) == (LINE_LIMIT, False)


def test_claim_is_dated_by_the_board_clock(log: SerialLog, now: Moment) -> None:
    """A claim carries the board's own milliseconds, and host time no later than the line was read."""
    events = log.feed(b"W (921) net: *** USB NCM LINK UP *** (stack_ready_kick_up)\n", now)
    (claim,) = [e for e in events if isinstance(e, BoardSaid)]
    assert (claim.name, claim.detail, claim.board_ms) == ("NCM_LINK_UP", "stack_ready_kick_up", 921)
    assert claim.t_ns - claim.t_err_ns <= now.t_ns
    assert claim.t_ns <= now.t_ns


def test_claim_without_board_time_is_dated_by_the_reading(log: SerialLog, now: Moment) -> None:
    """A line that the board did not stamp keeps the stamp of its reading, on a port that holds nothing back."""
    log.opened(now.t_ns - 3_000_000_000)
    (claim,) = [e for e in log.feed(b"LINK UP *** (x)\n", now) if isinstance(e, BoardSaid)]
    assert (claim.board_ms, claim.t_ns, claim.t_err_ns) == (-1, now.t_ns, now.err_ns)


def test_rom_line_is_a_boot_message(log: SerialLog, now: Moment) -> None:
    """The ROM's reset line is recognised, with its reason."""
    (boot,) = [e for e in log.feed(b"rst:0x1 (POWERON),boot:0x8\n", now) if isinstance(e, BootMessage)]
    assert (boot.stage, boot.reset_reason) == ("rom", "POWERON")


def test_panic_holds_its_backtrace_and_its_own_time(log: SerialLog, now: Moment) -> None:
    """A panic is told with the backtrace that follows a page of registers, dated by its first line."""
    log.feed(b"Guru Meditation Error: Core  1 panic'ed (LoadProhibited). Exception was unhandled.\n", now)
    log.feed(b"PC      : 0x42008e3c\n", Moment(now.t_ns + 1000, 0))
    events = log.feed(b"Backtrace: 0x42008e39:0x3fc98d10\n", Moment(now.t_ns + 2000, 0))
    (panic,) = [e for e in events if isinstance(e, BoardPanicked)]
    assert (panic.reason, panic.core, panic.t_ns) == ("LoadProhibited", 1, now.t_ns)
    assert panic.backtrace == "0x42008e39:0x3fc98d10"


def test_panic_without_backtrace_is_told_all_the_same(log: SerialLog, now: Moment) -> None:
    """A panic whose backtrace was lost is told after half a second."""
    log.feed(b"Guru Meditation Error: Core  0 panic'ed (IllegalInstruction).\n", now)
    log.overdue(Moment(now.t_ns + SILENCE_NS, 0))
    assert log.deadline_ns == now.t_ns + PANIC_NS
    (panic,) = log.overdue(Moment(now.t_ns + PANIC_NS, 0))
    assert isinstance(panic, BoardPanicked)
    assert panic.backtrace == ""


def test_offsets_go_on_when_the_port_comes_back(log: SerialLog, tmp_path: Path, now: Moment) -> None:
    """A second opening of the port continues the same raw file and the same offsets."""
    for node in ("/dev/ttyACM0", "/dev/ttyACM3"):
        read_fd, write_fd = os.pipe()
        source = SerialSource(read_fd, node, log, now.t_ns)
        os.write(write_fd, f"from {node}\n".encode())
        os.close(write_fd)
        events = source.read(now) + source.read(now)
        assert events[-1] == SerialClosed(node, "hang-up", **now.stamp("s3-a", "serial"))
        assert source.ended
        source.close()
    assert (tmp_path / "serial-s3-a-usb.raw").read_bytes() == b"from /dev/ttyACM0\nfrom /dev/ttyACM3\n"
    assert lines(events) == [("from /dev/ttyACM3", True)]
    assert events[0].offset == 18  # type: ignore[attr-defined]


def test_what_a_tty_brings_while_it_is_read_is_read_too(log: SerialLog, terminal: Terminal, now: Moment) -> None:
    """No byte of more than a tty holds is lost, none is dated before it came, and a hang-up behind it is told."""
    source = SerialSource(terminal.duplicate(), "/dev/ttyACM0", log, now.t_ns)
    data = b"I (12) net: up\r\n" * 1000
    writer = threading.Thread(target=os.write, args=(terminal.board, data))
    writer.start()
    told: list[Event] = []
    while len(told) < 1000:
        terminal.await_host()
        told += source.read(now)
    writer.join()
    assert [event.t_ns >= now.t_ns for event in told] == [True] * 1000
    assert sum(event.length for event in told if isinstance(event, SerialLine)) == len(data)
    assert not source.more
    terminal.unplug()
    terminal.await_host()
    assert isinstance(source.read(now)[-1], SerialClosed)


def test_hang_up_tells_what_was_held_back(log: SerialLog, terminal: Terminal, now: Moment) -> None:
    """When the device vanishes the half line that was read is told, then the close."""
    source = SerialSource(terminal.duplicate(), "/dev/ttyACM0", log, now.t_ns)
    terminal.say(b"last wor")
    assert source.read(now) == []
    terminal.unplug()
    terminal.await_host()
    line, closed = source.read(now)
    assert lines([line]) == [("last wor", False)]
    assert isinstance(closed, SerialClosed)
    source.close()


def test_error_of_a_line_covers_the_kernels_worker(log: SerialLog, terminal: Terminal, now: Moment) -> None:
    """A line's error is that of the reading and of the hop through the tty layer."""
    source = SerialSource(terminal.duplicate(), "/dev/ttyACM0", log, now.t_ns)
    terminal.say(b"line\n")
    (line,) = source.read(now)
    assert line.t_err_ns == now.err_ns + HOP_NS
    source.close()


def test_opened_is_dated_by_the_agent(log: SerialLog, terminal: Terminal) -> None:
    """SerialOpened carries the instant at which the agent opened the port; a pty has no DTR."""
    source = SerialSource(terminal.duplicate(), "/dev/ttyACM0", log, 42)
    assert source.opened() == SerialOpened("/dev/ttyACM0", False, t_ns=42, t_err_ns=0, board="s3-a", source="serial")
    source.close()


@settings(deadline=None)
@given(chunks=st.lists(st.binary(max_size=200), max_size=20))
def test_any_bytes_are_kept_whole(tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes]) -> None:
    """Whatever bytes come in whatever pieces, no exception leaves, no byte is missing from lines or raw file."""
    directory = tmp_path_factory.mktemp("any")
    log = SerialLog("s3-a", "console", directory, CLAIMS)
    events: list[Event] = []
    for number, chunk in enumerate(chunks):
        events += log.feed(chunk, Moment(number, 0))
    events += log.finish()
    log.close()
    told = [e for e in events if isinstance(e, SerialLine)]
    assert sum(line.length for line in told) == len(b"".join(chunks))
    assert (directory / "serial-s3-a-console.raw").read_bytes() == b"".join(chunks)


RAW_LINES = st.lists(
    st.tuples(
        st.sampled_from(
            [b"", b"I (12) net: up", b"\x1b[0;32mI (13) usb: x", b"W (9) boot: y", b"\xe2\x82", b"LINK UP *** (x)"]
        ),
        st.binary(max_size=6).map(lambda noise: noise.replace(b"\n", b"")),
        st.sampled_from([b"\n", b"\r\n", b"\x1b[0m\n", b"\x1b[0m\r\n", b"\r\r\n"]),
    ).map(b"".join),
    max_size=6,
)


@settings(deadline=None)
@given(RAW_LINES)
def test_lines_read_at_once_mean_what_each_means_alone(
    tmp_path_factory: pytest.TempPathFactory, raw: list[bytes]
) -> None:
    """One reading or many: the same events, whatever the bytes."""
    now = Moment(5_000_000_000, 1_000)
    one, many = (SerialLog("s3-a", "usb", tmp_path_factory.mktemp("log"), CLAIMS) for _ in range(2))
    try:
        assert one.feed(b"".join(raw), now) == [event for line in raw for event in many.feed(line, now)]
    finally:
        one.close()
        many.close()


def test_a_boot_between_two_lines_read_at_once_is_noticed(log: SerialLog, now: Moment) -> None:
    """Times that do not ascend mean a new boot, whose first claim is not dated by the boot before."""
    log.feed(b"I (100) net: a\nI (90000) net: b\nI (5) net: c\nI (200) net: d\n", now)
    later = Moment(now.t_ns + 1_000_000_000, 0)
    (claim,) = [e for e in log.feed(b"I (1200) net: LINK UP *** (x)\n", later) if isinstance(e, BoardSaid)]
    assert claim.board_ms == 1200
    assert claim.t_ns + claim.t_err_ns > now.t_ns


@pytest.mark.parametrize(
    ("port", "dtr", "prompt"), [("usb", True, True), ("usb", False, False), ("console", False, True)]
)
def test_a_board_that_sees_dtr_low_may_keep_its_lines(
    port: str, dtr: bool, prompt: bool, tmp_path: Path, now: Moment
) -> None:
    """A claim that comes then may have been made long before; a bridge does not look at DTR."""
    log = SerialLog("s3-a", port, tmp_path, CLAIMS)
    log.opened(now.t_ns - 4_000_000_000, dtr)
    (claim,) = [e for e in log.feed(b"I (663) a: LINK UP *** (x)\n", now) if isinstance(e, BoardSaid)]
    assert (claim.t_err_ns < 140_000_000) is prompt
    log.close()
