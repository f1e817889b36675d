"""Reading uevents: what is taken, what is not."""

import errno
import socket
from typing import cast

import pytest

from hil.agent.server import uevents

ADD = b"add@/devices/x/net/eth0\0ACTION=add\0DEVPATH=/devices/x/net/eth0\0SUBSYSTEM=net\0"


class Scripted:
    """Stands for a netlink socket: datagrams with their senders, then an error."""

    def __init__(self, *datagrams: tuple[bytes, int], end: OSError | None = None) -> None:
        self._datagrams = list(datagrams)
        self._end = end or BlockingIOError()

    def recvfrom(self, _: int) -> tuple[bytes, tuple[int, int]]:
        if not self._datagrams:
            raise self._end
        data, sender = self._datagrams.pop(0)
        return data, (sender, 1)


def received(*datagrams: tuple[bytes, int], end: OSError | None = None) -> list[str] | None:
    events = uevents.receive(cast(socket.socket, Scripted(*datagrams, end=end)))
    return None if events is None else [f"{event.action} {event.subsystem}" for event in events]


def test_everything_that_waits_is_taken() -> None:
    """One readable socket may hold several uevents."""
    assert received((ADD, 0), (ADD.replace(b"add", b"move"), 0)) == ["add net", "move net"]


def test_only_the_kernel_is_believed() -> None:
    """A message that a process sent to the group is ignored."""
    assert received((ADD, 4711), (ADD, 0)) == ["add net"]


def test_nonsense_is_passed_over() -> None:
    """What does not parse does not stop what follows."""
    assert received((b"\xff\xff", 0), (b"", 0), (ADD, 0)) == ["add net"]


def test_lost_uevents_are_told() -> None:
    """ENOBUFS means that the kernel had to drop some."""
    assert received((ADD, 0), end=OSError(errno.ENOBUFS, "No buffer space available")) is None


def test_another_error_is_not_swallowed() -> None:
    """Only ENOBUFS is expected."""
    with pytest.raises(OSError, match="Bad file descriptor"):
        received(end=OSError(errno.EBADF, "Bad file descriptor"))
