"""Messages of the control socket."""

import os
import socket
from typing import Any

import pytest

from hil.capture.control import ControlSource
from hil.capture.source import Moment
from hil.timeline.events import CaptureGap, Event


class Desk:
    """Remembers what it is told, and refuses what it is told to refuse."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.over = False

    def handle(self, message: dict[str, Any], fds: list[int], now: Moment) -> list[Event]:
        self.messages.append(message)
        if "fail" in message:
            raise OSError(19, "No such device")
        return []

    def end(self) -> None:
        self.over = True


@pytest.fixture
def desk() -> Desk:
    """What the station would be."""
    return Desk()


@pytest.fixture
def control(pair: tuple[socket.socket, socket.socket], desk: Desk) -> ControlSource:
    """The process's end of the control socket."""
    return ControlSource(pair[1], desk.handle, desk.end)


def test_messages_are_handed_over_in_order(
    pair: tuple[socket.socket, socket.socket], control: ControlSource, desk: Desk, now: Moment
) -> None:
    """Everything that waits is read in one round."""
    for number in range(3):
        pair[0].send(b'{"sync": %d}' % number)
    assert control.read(now) == []
    assert desk.messages == [{"sync": 0}, {"sync": 1}, {"sync": 2}]


def test_failure_is_told_with_the_message(
    pair: tuple[socket.socket, socket.socket], control: ControlSource, now: Moment
) -> None:
    """What the kernel refused is a gap that repeats the message."""
    pair[0].send(b'{"fail": 1}')
    (gap,) = control.read(now)
    assert isinstance(gap, CaptureGap)
    assert "No such device" in gap.reason
    assert '{"fail": 1}' in gap.reason


def test_descriptors_of_garbage_are_closed(
    pair: tuple[socket.socket, socket.socket], control: ControlSource, now: Moment
) -> None:
    """A message that is no JSON takes its descriptors with it."""
    read_fd, write_fd = os.pipe()
    socket.send_fds(pair[0], [b"{"], [write_fd])
    os.close(write_fd)
    assert len(control.read(now)) == 1
    assert os.read(read_fd, 1) == b""
    os.close(read_fd)


def test_end_of_file_ends_the_process(
    pair: tuple[socket.socket, socket.socket], control: ControlSource, desk: Desk, now: Moment
) -> None:
    """When the other end is gone, the run is over."""
    pair[0].close()
    control.read(now)
    assert desk.over
    assert control.ended


def test_answer_to_nobody_is_dropped(pair: tuple[socket.socket, socket.socket], control: ControlSource) -> None:
    """A client that does not read its answers, or is gone, blocks nothing."""
    for number in range(2000):
        control.answer({"synced": number})
    pair[0].close()
    control.answer({"synced": 1})
