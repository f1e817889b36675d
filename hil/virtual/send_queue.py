"""Frames that wait until USB has room for them, as lwIP's thread waits inside ``tinyusb_net_send_sync``.

The firmware's port hands over one frame at a time and tries again while no buffer is free; whoever comes meanwhile
waits behind it. After three waits of 250 ms it gives up (three tries, 10 ms apart, is what the known firmware does).
"""

import asyncio
from collections import deque
from collections.abc import Callable

GIVE_UP_S = 0.77
"""3 × 250 ms, and the pauses between."""
RETRY_S = 0.001
"""One USB frame: a buffer becomes free at the pace of the bus, and TinyUSB has no callback for it."""
TIMED_OUT = "ESP_ERR_TIMEOUT"


class SendQueue:
    """Sends frames in order.

    Args:
        attempt: hands one frame over: None where it was taken, '' where no buffer is free, else an error's name.
        done: is told the outcome of each frame: None, or the error's name.
    """

    def __init__(self, attempt: Callable[[bytes], str | None], done: Callable[[bytes, str | None], None]) -> None:
        self._attempt = attempt
        self._done = done
        self._frames: deque[bytes] = deque()
        self._retry: asyncio.TimerHandle | None = None
        self._trying = False
        self._give_up_at_s: float | None = None
        self._loop = asyncio.get_running_loop()

    def put(self, frame: bytes) -> None:
        """Send ``frame`` now, or as soon as everything before it is gone."""
        self._frames.append(frame)
        if not self._trying and self._retry is None:
            self._try()

    def clear(self) -> None:
        """Forget what waits; nobody is told."""
        self._frames.clear()
        self._give_up_at_s = None
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _try(self) -> None:
        self._retry = None
        self._trying = True
        try:
            while self._frames and self._retry is None:
                self._try_first(self._frames[0])
        finally:
            self._trying = False

    def _try_first(self, frame: bytes) -> None:
        if self._give_up_at_s is None:
            self._give_up_at_s = self._loop.time() + GIVE_UP_S
        outcome = self._attempt(frame)
        if outcome == "" and self._loop.time() < self._give_up_at_s:
            self._retry = self._loop.call_later(RETRY_S, self._try)
            return
        self._frames.popleft()
        self._give_up_at_s = None
        self._done(frame, TIMED_OUT if outcome == "" else outcome)
