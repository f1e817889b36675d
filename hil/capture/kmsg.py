"""The kernel log, from the moment the channel is opened (Documentation/ABI/testing/dev-kmsg).

Its own stamps are of ``local_clock()``, which is neither CLOCK_MONOTONIC nor bounded against it; the instant of the
reading is used.
"""

import errno
import os

from hil.capture.source import Moment, Source
from hil.clock import to_s
from hil.timeline.events import Event, KernelLog

LONGEST = 8192
RECORDS_A_ROUND = 128


class KernelLogSource(Source):
    """/dev/kmsg, one record a read."""

    channel = "kmsg"

    def __init__(self, fd: int) -> None:
        super().__init__(fd)
        self._read_ns = self.since_ns
        os.set_blocking(fd, False)
        try:
            os.lseek(fd, 0, os.SEEK_END)
        except OSError as error:
            if error.errno != errno.ESPIPE:  # a pipe in tests
                raise

    def read(self, now: Moment) -> list[Event]:
        found: list[Event] = []
        self.more = False
        for _ in range(RECORDS_A_ROUND):
            try:
                record = os.read(self._fd, LONGEST)
            except BlockingIOError:
                break
            except BrokenPipeError:
                found.append(self.gap(now, "records were overwritten unread", to_s(now.t_ns - self._read_ns)))
                continue
            if not record:
                self.ended = True
                break
            found += self._events(record, now)
        else:
            self.more = True
        self._read_ns = now.t_ns
        return found

    def _events(self, record: bytes, now: Moment) -> list[Event]:
        """``priority,sequence,µs,flags;text``; lines that begin with a blank are a record's dictionary."""
        found: list[Event] = []
        for line in record.decode("utf-8", "replace").splitlines():
            head, semicolon, text = line.partition(";")
            priority = head.partition(",")[0]
            if semicolon and not line.startswith(" ") and priority.isascii() and priority.isdigit():
                level = int(priority[:9]) & 7
                found.append(KernelLog(level, text, **now.stamp("", self.channel)))
        return found
