"""Lines of log that find no room at once."""

from collections.abc import Callable

from hil.virtual.log_queue import LogQueue


class Port:
    """A FIFO that the test empties."""

    def __init__(self, room: int) -> None:
        self.on_sent: Callable[[], None] = lambda: None
        self.dtr = True
        self.room = room
        self.written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.written.append(data)
        self.room -= len(data)
        return len(data)

    def flush(self) -> None:
        """The test says when something leaves."""

    def send(self, octets: int) -> None:
        self.room += octets
        self.on_sent()


def queue_on(port: Port, capacity: int = 100) -> tuple[LogQueue, list[int]]:
    lost: list[int] = []
    return LogQueue(port, lost.append, capacity), lost


def test_a_line_waits_until_all_of_it_has_room() -> None:
    """It is never written in part, and a shorter line does not overtake it."""
    port = Port(room=10)
    queue, _ = queue_on(port)
    for line in (b"12345\n", b"abcdefgh\n", b"x\n"):
        queue.put(line)
    assert port.written == [b"12345\n"]
    port.send(4)
    assert port.written == [b"12345\n"]
    port.send(10)
    assert port.written == [b"12345\n", b"abcdefgh\n", b"x\n"]


def test_lines_beyond_the_capacity_are_dropped_whole_and_told_when_there_is_room_again() -> None:
    """The count comes after the lines that waited."""
    port = Port(room=0)
    queue, lost = queue_on(port, capacity=10)
    for _ in range(4):
        queue.put(b"1234\n")
    assert (port.written, lost) == ([], [])
    port.send(100)
    assert (port.written, lost) == ([b"1234\n"] * 2, [2])
    queue.put(b"next\n")
    assert (port.written[-1], lost) == (b"next\n", [2])


def test_what_waits_is_forgotten_when_the_terminal_goes() -> None:
    """The next one to listen is not told what the last one missed."""
    port = Port(room=0)
    queue, lost = queue_on(port, capacity=10)
    for _ in range(4):
        queue.put(b"1234\n")
    port.dtr = False
    port.send(100)
    port.dtr = True
    queue.put(b"new\n")
    assert (port.written, lost) == ([b"new\n"], [])
