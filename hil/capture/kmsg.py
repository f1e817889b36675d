"""The kernel log, from the moment the channel is opened (Documentation/ABI/testing/dev-kmsg).

Its own stamps are of ``local_clock()``, which is neither CLOCK_MONOTONIC nor bounded against it; the instant of the
reading is used.
"""

import errno
import os
import re

from hil.capture.boards import Boards
from hil.capture.source import Moment, Source
from hil.clock import to_s
from hil.timeline.events import EnumerationFailed, Event, KernelLog

LONGEST = 8192
RECORDS_A_ROUND = 128
_FAILURES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("descriptor", re.compile(r"device descriptor read/\w+, error (?P<error>-\d{1,5})$")),
    ("address", re.compile(r"device not accepting address \d+, error (?P<error>-\d{1,5})$")),
    ("address", re.compile(r"device not responding to setup address\.?$")),
    ("configuration", re.compile(r"can't set config #\d+, error (?P<error>-\d{1,5})$")),
    ("enable", re.compile(r"[Cc]annot enable\. Maybe the USB cable is bad\?$")),
    ("given_up", re.compile(r"unable to enumerate USB device$")),
)
"""What drivers/usb/core/hub.c and message.c say of a device that cannot be enumerated."""
_DEVICE = re.compile(r"usb (?P<path>\d+-\d+(?:\.\d+)*): (?P<said>.+)")
_PORT = re.compile(r"usb (?:usb(?P<bus>\d+)|(?P<hub>\d+-\d+(?:\.\d+)*))-port(?P<port>\d+): (?P<said>.+)")
"""A hub's port: usb1-port2 is 1-2, 1-1-port2 is 1-1.2 (drivers/usb/core/port.c, usb_hub_create_port_device)."""


class KernelLogSource(Source):
    """/dev/kmsg, one record a read.

    Args:
        fd: it.
        boards: whose enumeration is told of beyond the record's text.
    """

    channel = "kmsg"

    def __init__(self, fd: int, boards: Boards | None = None) -> None:
        super().__init__(fd)
        self._boards = boards or Boards()
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
                found += self._failure(text, now)
        return found

    def _failure(self, text: str, now: Moment) -> list[Event]:
        """What a line says of the enumeration at a board's port."""
        path, said = _placed(text)
        owner = self._boards.owner(path) if path else None
        if owner is None:
            return []
        for stage, pattern in _FAILURES:
            found = pattern.match(said)
            if found:
                error = int(found.groupdict().get("error") or 0)
                return [EnumerationFailed(owner[1], stage, error, **now.stamp(owner[0].name, self.channel))]
        return []


def _placed(text: str) -> tuple[str, str]:
    """The topology path that a line of the USB core is about, and what it says of it; '' for any other line."""
    device = _DEVICE.match(text)
    if device:
        return device["path"], device["said"]
    port = _PORT.match(text)
    if port is None:
        return "", ""
    return f"{port['bus']}-{port['port']}" if port["bus"] else f"{port['hub']}.{port['port']}", port["said"]
