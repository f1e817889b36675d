"""Our own output and errors: every byte gets there, and a reader that does not read keeps no signal waiting."""

import os
import select
import signal
import stat
from collections.abc import Callable

from hil.errors import HarnessError
from hil.launcher.signals import Stopped


class Outlet:
    """Writes to a descriptor, each time after ``until_writable`` has returned.

    The descriptor may be anybody's, blocking or not. A pipe or terminal is opened a second time, not blocking, because
    a write to a blocking one may wait in the kernel for as long as nobody reads; the flag would be the same for all who
    share the descriptor that was given. Where that cannot be had, pieces of PIPE_BUF bytes fit a pipe that is writable
    (pipe(7)).

    Args:
        given: where everything goes; it stays open.
        until_writable: returns when the descriptor that it gets may be written to.
    """

    def __init__(self, given: int, until_writable: Callable[[int], None]) -> None:
        self._until_writable = until_writable
        self._own = _reopened(given)
        self._descriptor = given if self._own is None else self._own

    def write(self, data: bytes) -> None:
        """Write all of it.

        Raises:
            Stopped: nobody reads there any more.
            HarnessError: it cannot be written to, as on a full disk.
        """
        rest = memoryview(data)
        while rest:
            self._until_writable(self._descriptor)
            rest = rest[self._write(rest[: select.PIPE_BUF]) :]

    def close(self) -> None:
        """Close what was opened here."""
        if self._own is not None:
            os.close(self._own)

    def _write(self, piece: memoryview) -> int:
        try:
            return os.write(self._descriptor, piece)
        except BlockingIOError:  # another writer was faster
            return 0
        except BrokenPipeError:
            raise Stopped(signal.SIGPIPE) from None
        except OSError as error:
            raise HarnessError(f"the command's output cannot be passed on: {error.strerror}") from error


def _reopened(given: int) -> int | None:
    """The same pipe or terminal again, not blocking; None for what is neither, or may not be opened by this user."""
    if not stat.S_ISFIFO(os.fstat(given).st_mode) and not os.isatty(given):
        return None
    try:
        return os.open(f"/proc/self/fd/{given}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
