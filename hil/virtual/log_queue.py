"""Log lines that wait until the CDC port has room for the whole of them.

TinyUSB's transmit FIFO takes what fits and leaves the rest to the caller (``tud_cdc_write``), so a port that writes
without looking cuts lines in mid text whenever the host is slow or the bus asleep. This one asks for room first, keeps
what has to wait in a buffer of its own, and says how many lines it had to drop once there is room again.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

CAPACITY = 8192
"""Bytes that wait at most; a ring buffer between the log hook and the task that writes."""


class LinePort(Protocol):
    """The CDC-ACM function, as the log sees it."""

    on_sent: Callable[[], None]
    """Called when the host has taken a packet."""

    @property
    def dtr(self) -> bool: ...

    @property
    def room(self) -> int:
        """Bytes that a write would take now."""

    def write(self, data: bytes) -> int: ...

    def flush(self) -> None: ...


class LogQueue:
    """One device's log.

    Args:
        port: takes the lines.
        told: is called with the number of lines that were lost, as soon as lines can be written again.
        capacity: bytes that wait at most.
    """

    def __init__(self, port: LinePort, told: Callable[[int], None], capacity: int = CAPACITY) -> None:
        self._port = port
        self._told = told
        self._capacity = capacity
        self._lines: deque[bytes] = deque()
        self._waiting = 0
        self._lost = 0
        port.on_sent = self._go_on

    def put(self, line: bytes) -> None:
        """Write ``line`` after all that waits; where too much does, it is dropped and counted."""
        self._port.flush()
        self._go_on()
        if self._waiting + len(line) > self._capacity:
            self._lost += 1
            return
        self._lines.append(line)
        self._waiting += len(line)
        self._go_on()

    def _go_on(self) -> None:
        if not self._port.dtr:  # nobody listens: what waits was for somebody who has gone
            self._lines.clear()
            self._waiting = self._lost = 0
        while self._lines and len(self._lines[0]) <= self._port.room:
            line = self._lines.popleft()
            self._waiting -= len(line)
            self._port.write(line)
        if self._lost and not self._lines:
            lost, self._lost = self._lost, 0
            self._told(lost)
