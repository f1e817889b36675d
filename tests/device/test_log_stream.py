"""A log stream that is read for the length of a block."""

import socket
from pathlib import Path

import pytest

from hil.device.actions import Actions
from hil.device.log_stream import reading
from hil.errors import BoardMute
from hil.testing.fake_capture import FakeCapture
from hil.testing.fake_clock import FakeClock
from hil.timeline.events import Acted, ActionFailed, Event, Started

OPEN = ("add", {"add": "stream", "board": "s3-a", "path": "/logs", "host": "board"})
CLOSE = ("add", {"close": "stream", "board": "s3-a"})


@pytest.fixture
def capture(tmp_path: Path) -> FakeCapture:
    """Notes what it is told to read."""
    return FakeCapture(tmp_path, FakeClock(1_000_000_000))


def actions_of(capture: FakeCapture) -> tuple[Actions, list[Event]]:
    told: list[Event] = []

    def record(event: Event) -> Event:
        told.append(event)
        return capture.record(event)

    return Actions("s3-a", record), told


def test_a_stream_is_opened_and_closed_with_the_block(capture: FakeCapture) -> None:
    """Both are actions; what was read by then is written down before the block is over."""
    near, far = socket.socketpair()
    actions, told = actions_of(capture)
    with reading(lambda: near, "/logs", capture, actions, capture.clock) as opened:
        assert capture.calls == [OPEN]
        assert (opened.action, opened.sees, opened.detail) == ("open_log_stream", "traffic", "/logs")
    assert capture.calls == [OPEN, CLOSE]
    assert capture.syncs == 1
    assert [type(event) for event in told] == [Started, Acted, Started, Acted]
    assert near.fileno() == -1
    far.close()


def test_a_stream_is_closed_when_the_block_fails(capture: FakeCapture) -> None:
    """The board is not left with a reader that nobody knows of."""
    near, far = socket.socketpair()
    actions, _ = actions_of(capture)
    with pytest.raises(ZeroDivisionError), reading(lambda: near, "/logs", capture, actions, capture.clock):
        raise ZeroDivisionError
    assert capture.calls == [OPEN, CLOSE]
    far.close()


def test_a_board_that_takes_no_connection_has_no_stream(capture: FakeCapture) -> None:
    """The action has failed, and nothing is closed that was never open."""

    def refuse() -> socket.socket:
        raise BoardMute("refused")

    actions, told = actions_of(capture)
    with pytest.raises(BoardMute), reading(refuse, "/logs", capture, actions, capture.clock):
        pytest.fail("the block is not entered")
    assert capture.calls == []
    assert [type(event) for event in told] == [Started, ActionFailed]
