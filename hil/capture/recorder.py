"""The only writer of timeline.jsonl."""

import os
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path

from hil.timeline.events import Event
from hil.timeline.journal import encode_lines

TIMELINE = "timeline.jsonl"
_instant: Callable[[Event], int] = attrgetter("t_ns")


def write_all(fd: int, data: bytes) -> None:
    """Write every byte; the descriptor is a regular file."""
    written = os.write(fd, data)
    while written < len(data):
        written += os.write(fd, memoryview(data)[written:])


def open_log(path: Path) -> int:
    """A file that is only ever appended to."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)


class Recorder:
    """Appends whole lines, one write a batch, and tells it through an eventfd; it waits for no reader."""

    def __init__(self, directory: Path, event_fd: int = -1) -> None:
        self._fd = open_log(directory / TIMELINE)
        self._event_fd = event_fd
        self.batches = 0

    def write(self, batch: list[Event]) -> None:
        """One batch in order of ``t_ns``; events of equal time keep the order in which they were read."""
        if not batch:
            return
        if len(batch) > 1:
            batch.sort(key=_instant)
        write_all(self._fd, encode_lines(batch))
        self.batches += 1
        if self._event_fd >= 0:
            os.eventfd_write(self._event_fd, 1)

    def close(self) -> None:
        os.close(self._fd)
