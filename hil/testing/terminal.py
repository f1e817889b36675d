"""A raw pty that stands for a serial port: the board's end is written to, the host's end is read."""

import os
import select
import tty
from types import TracebackType
from typing import Self


class Terminal:
    """Both ends of the pty, as descriptors."""

    def __init__(self) -> None:
        self.board, self.host = os.openpty()
        tty.setraw(self.host)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.host)
        self.unplug()

    def duplicate(self) -> int:
        """The host's end once more, for whoever is to own it."""
        return os.dup(self.host)

    def say(self, data: bytes) -> None:
        """Write as the board, and wait until the kernel's worker has brought it to the host's end."""
        os.write(self.board, data)
        self.await_host()

    def unplug(self) -> None:
        """Close the board's end: the host's end hangs up. May be called again."""
        if self.board >= 0:
            os.close(self.board)
            self.board = -1

    def await_host(self) -> None:
        """Until the host's end is readable or has hung up."""
        poll = select.poll()
        poll.register(self.host, select.POLLIN)
        if not poll.poll(5000):
            raise TimeoutError("the pty brought nothing within 5 s")
