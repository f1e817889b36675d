"""Frames that wait for room."""

import asyncio

import pytest

from hil.virtual import send_queue
from hil.virtual.send_queue import SendQueue


class Link:
    """Takes frames while ``room`` lasts; remembers outcomes."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken: list[bytes] = []
        self.outcomes: list[tuple[bytes, str | None]] = []
        self.queue = SendQueue(self.attempt, lambda frame, error: self.outcomes.append((frame, error)))

    def attempt(self, frame: bytes) -> str | None:
        if not self.room:
            return ""
        self.room -= 1
        self.taken.append(frame)
        return None


def test_frames_wait_in_order_until_there_is_room() -> None:
    """A later frame never overtakes the one that waits."""

    async def scenario() -> None:
        link = Link(room=1)
        for frame in (b"1", b"2", b"3"):
            link.queue.put(frame)
        assert link.taken == [b"1"]
        link.room = 2
        async with asyncio.timeout(5):
            while len(link.outcomes) < 3:
                await asyncio.sleep(0.001)
        assert link.outcomes == [(b"1", None), (b"2", None), (b"3", None)]

    asyncio.run(scenario())


def test_a_frame_is_given_up_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The firmware is told ESP_ERR_TIMEOUT."""
    monkeypatch.setattr(send_queue, "GIVE_UP_S", 0.005)

    async def scenario() -> None:
        link = Link(room=0)
        link.queue.put(b"1")
        async with asyncio.timeout(5):
            while not link.outcomes:
                await asyncio.sleep(0.001)
        assert link.outcomes == [(b"1", "ESP_ERR_TIMEOUT")]

    asyncio.run(scenario())


def test_what_waits_is_forgotten_without_a_word() -> None:
    """A chip that is reset tells nobody about its frames."""

    async def scenario() -> None:
        link = Link(room=0)
        link.queue.put(b"1")
        link.queue.clear()
        link.room = 1
        link.queue.put(b"2")
        assert (link.taken, link.outcomes) == ([b"2"], [(b"2", None)])

    asyncio.run(scenario())
