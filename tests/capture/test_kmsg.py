"""Records of /dev/kmsg become events."""

import os
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hil.capture.kmsg import KernelLogSource
from hil.capture.source import Moment
from hil.timeline.events import Event, KernelLog

STAMP: dict[str, Any] = {"t_ns": 5_000_000_000, "t_err_ns": 1_000, "board": "", "source": "kmsg"}


def read(record: bytes, now: Moment) -> list[Event]:
    read_fd, write_fd = os.pipe()
    os.write(write_fd, record)
    source = KernelLogSource(read_fd)
    try:
        return source.read(now)
    finally:
        source.close()
        os.close(write_fd)


def test_record_keeps_its_level_and_text(now: Moment) -> None:
    """The facility is dropped from the priority, and the dictionary lines of a record are not text."""
    record = b"30,339,5140900,-;usb 1-1: new full-speed USB device\n SUBSYSTEM=usb\n DEVICE=+usb:1-1\n"
    assert read(record, now) == [KernelLog(6, "usb 1-1: new full-speed USB device", **STAMP)]


def test_semicolon_in_the_text_stays(now: Moment) -> None:
    """Only the first semicolon ends the head."""
    assert read(b"4,1,2,-;a;b\n", now) == [KernelLog(4, "a;b", **STAMP)]


@given(st.binary(min_size=1, max_size=200))
def test_any_record_only_yields_events(record: bytes) -> None:
    """No record raises."""
    assert all(isinstance(e, Event) for e in read(record, Moment(1, 0)))
