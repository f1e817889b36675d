"""One round reads what is ready, sorts it and writes it once."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.capture.loop import Loop
from hil.capture.recorder import TIMELINE, Recorder
from hil.capture.source import Moment, Source
from hil.clock import now_ns
from hil.timeline.events import Event, PersonaNote
from hil.timeline.journal import read_journal


class Notes(Source):
    """Tells each byte it reads, dated by the byte's value."""

    def read(self, now: Moment) -> list[Event]:
        data = os.read(self._fd, 64)
        self.ended = not data
        self.deadline_ns = now.t_ns
        self.readings = [*getattr(self, "readings", []), now]
        return [note(str(value), value) for value in data]

    def wake(self, now: Moment) -> list[Event]:
        self.deadline_ns = None
        return [note("woken", now.t_ns)]

    def finish(self, now: Moment) -> list[Event]:
        return [note("finished", now.t_ns)]


def note(text: str, t_ns: int) -> Event:
    return PersonaNote(text, "", t_ns=t_ns, t_err_ns=0, board="", source="harness")


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    """A loop that writes into a fresh directory."""
    recorder = Recorder(tmp_path)
    made = Loop(recorder)
    yield made
    made.close()
    recorder.close()


@pytest.fixture
def pipes(loop: Loop) -> Iterator[tuple[list[int], list[Notes]]]:
    """Two pipes on the loop: the ends to write to, and their sources."""
    ends, sources = [], []
    for _ in range(2):
        read_fd, write_fd = os.pipe()
        sources.append(Notes(read_fd))
        ends.append(write_fd)
        loop.add(sources[-1])
    yield ends, sources
    for end in ends:
        os.close(end)


def told(directory: Path) -> list[str]:
    events, rest = read_journal((directory / TIMELINE).read_text())
    assert rest == ""
    return [event.text for event in events if isinstance(event, PersonaNote)]


def test_batch_is_in_order_of_time(loop: Loop, pipes: tuple[list[int], list[Notes]], tmp_path: Path) -> None:
    """Events of several sources in one round are written sorted by t_ns."""
    os.write(pipes[0][0], b"\x03\x07")
    os.write(pipes[0][1], b"\x05\x01")
    loop.round(0.0)
    assert told(tmp_path)[:4] == ["1", "3", "5", "7"]


def test_deadline_wakes_its_source_once(loop: Loop, pipes: tuple[list[int], list[Notes]], tmp_path: Path) -> None:
    """A source whose deadline has passed is woken, and not again after it has set none."""
    os.write(pipes[0][0], b"\x03")
    for _ in range(3):
        loop.round(0.0)
    assert told(tmp_path) == ["3", "woken"]


def test_wait_ends_at_the_deadline(loop: Loop, pipes: tuple[list[int], list[Notes]], tmp_path: Path) -> None:
    """A round that may wait for an hour ends when a source's deadline comes."""
    pipes[1][0].deadline_ns = now_ns() + 20_000_000
    loop.round(3600.0)
    assert told(tmp_path) == ["woken"]


def test_ended_source_is_finished_and_closed(loop: Loop, tmp_path: Path) -> None:
    """End of file takes the source from the loop and tells what it held back."""
    read_fd, write_fd = os.pipe()
    source = Notes(read_fd)
    loop.add(source)
    os.close(write_fd)
    loop.round(0.0)
    assert source.fileno() == -1
    assert told(tmp_path) == ["finished"]


def test_sync_comes_after_everything_that_was_readable(
    loop: Loop, pipes: tuple[list[int], list[Notes]], tmp_path: Path
) -> None:
    """What is asked for when all is quiet is called after the last write."""
    os.write(pipes[0][0], b"x" * 300)
    seen: list[int] = []
    loop.when_quiet(lambda: seen.append(len([t for t in told(tmp_path) if t == str(ord("x"))])))
    loop.round(0.0)
    assert seen == [300]


def test_error_reaches_back_to_when_the_source_was_empty(loop: Loop, pipes: tuple[list[int], list[Notes]]) -> None:
    """What is found without waiting may have come at any time since the round before."""
    loop.round(0.0)
    before = now_ns()
    os.write(pipes[0][0], b"\x01")
    os.write(pipes[0][1], b"\x01")
    loop.round(0.0)
    for source in pipes[1]:
        (reading,) = source.readings
        assert reading.t_ns - reading.err_ns <= before
        assert reading.t_ns <= now_ns()


def test_error_of_what_ends_a_wait_is_small(loop: Loop, pipes: tuple[list[int], list[Notes]]) -> None:
    """What ends a wait of half a second is not half a second old."""
    written: list[int] = []

    def write() -> None:
        written.append(now_ns())
        os.write(pipes[0][0], b"\x01")

    timer = threading.Timer(0.1, write)
    timer.start()
    loop.round(0.5)
    timer.join()
    (reading,) = pipes[1][0].readings
    assert reading.err_ns < 90_000_000
    assert reading.t_ns - reading.err_ns <= written[0] + 5_000_000


def test_flood_does_not_starve_the_others(loop: Loop, pipes: tuple[list[int], list[Notes]], tmp_path: Path) -> None:
    """A source that always has more gets one reading a round."""
    os.write(pipes[0][0], b"x" * 4096)
    os.write(pipes[0][1], b"\x01")
    loop.round(0.0)
    assert "1" in told(tmp_path)
    assert len(told(tmp_path)) < 100


class Tidy(Notes):
    """Notes what has been written when it is asked to do the rest."""

    directory: Path

    def afterwards(self) -> None:
        self.written = told(self.directory)


def test_the_rest_is_done_after_the_write(loop: Loop, tmp_path: Path) -> None:
    """What a reading leaves to do waits until its events are in the file."""
    read_fd, write_fd = os.pipe()
    source = Tidy(read_fd)
    source.directory = tmp_path
    loop.add(source)
    os.write(write_fd, b"\x07")
    loop.round(0.0)
    assert source.written == ["7"]
    os.close(write_fd)


def test_eventfd_is_raised_for_each_batch(tmp_path: Path) -> None:
    """The reader learns of a write through the eventfd, and one that never reads does not block the writer."""
    event_fd = os.eventfd(0, os.EFD_NONBLOCK)
    recorder = Recorder(tmp_path, event_fd)
    for _ in range(1000):
        recorder.write([note("x", 1)])
    recorder.write([])
    assert os.eventfd_read(event_fd) == 1000
    recorder.close()
    os.close(event_fd)


def test_run_ends_with_what_is_held_back(loop: Loop, pipes: tuple[list[int], list[Notes]], tmp_path: Path) -> None:
    """Stopping reads what is there and then lets every source finish."""
    os.write(pipes[0][0], b"\x09")
    loop.running = False
    loop.run()
    assert sorted(told(tmp_path)) == ["9", "finished", "finished", "woken"]


def test_source_without_descriptor_lives_on_its_deadlines(loop: Loop, tmp_path: Path) -> None:
    """It is woken like any other, and is forgotten when removed."""
    timed = Notes(-1)
    timed.deadline_ns = now_ns()
    loop.add(timed)
    loop.round(0.0)
    loop.remove(timed)
    assert told(tmp_path) == ["woken"]
