"""Records of /dev/kmsg become events."""

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.capture.boards import Boards
from hil.capture.claims import Claims
from hil.capture.kmsg import KernelLogSource
from hil.capture.source import Moment
from hil.timeline.events import EnumerationFailed, Event, KernelLog

STAMP: dict[str, Any] = {"t_ns": 5_000_000_000, "t_err_ns": 1_000, "board": "", "source": "kmsg"}


def read(record: bytes, now: Moment) -> list[Event]:
    boards = Boards()
    boards.add("s3-a", {"usb": "1-1.2", "console": "1-3"}, Claims())
    read_fd, write_fd = os.pipe()
    os.write(write_fd, record)
    source = KernelLogSource(read_fd, boards)
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


@pytest.mark.parametrize(
    ("text", "path", "stage", "error"),
    [
        ("usb 1-1.2: device descriptor read/64, error -71", "1-1.2", "descriptor", -71),
        ("usb 1-1.2: device descriptor read/all, error -110", "1-1.2", "descriptor", -110),
        ("usb 1-1.2: device not accepting address 12, error -71", "1-1.2", "address", -71),
        ("usb 1-1.2: can't set config #1, error -32", "1-1.2", "configuration", -32),
        ("usb 1-1-port2: Cannot enable. Maybe the USB cable is bad?", "1-1.2", "enable", 0),
        ("usb 1-1-port2: unable to enumerate USB device", "1-1.2", "given_up", 0),
        ("usb usb1-port3: unable to enumerate USB device", "1-3", "given_up", 0),
    ],
)
def test_a_board_that_cannot_be_enumerated_has_an_event(
    now: Moment, text: str, path: str, stage: str, error: int
) -> None:
    """Beside the line itself, at the board's path, whether the kernel names the device or the hub's port."""
    log, failed = read(f"3,1,2,-;{text}\n".encode(), now)
    assert log == KernelLog(3, text, **STAMP)
    assert failed == EnumerationFailed(path, stage, error, **{**STAMP, "board": "s3-a"})


@pytest.mark.parametrize(
    "text",
    [
        "usb 1-1.3: device descriptor read/64, error -71",
        "usb 1-1-port4: unable to enumerate USB device",
        "usb 1-1.2: new full-speed USB device number 5 using vhci_hcd",
        "usb 1-1.2: device descriptor read/64, error -999999999999",
    ],
)
def test_others_and_other_lines_have_none(now: Moment, text: str) -> None:
    """A neighbour's trouble is not the board's, and a new device is no trouble."""
    assert read(f"3,1,2,-;{text}\n".encode(), now) == [KernelLog(3, text, **STAMP)]


@given(st.binary(min_size=1, max_size=200))
def test_any_record_only_yields_events(record: bytes) -> None:
    """No record raises."""
    assert all(isinstance(e, Event) for e in read(record, Moment(1, 0)))
