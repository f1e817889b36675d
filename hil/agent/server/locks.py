"""One client at a time per board: flock, released by the kernel on any death, on ``<run>/locks/<board>.lock`` and on
``<run>/locks/paths/<path>.lock`` for each of its topology paths, which another allow list may give another name.
"""

import fcntl
import os
from pathlib import Path

from hil.errors import AgentError


class BoardBusy(AgentError):
    """Another client holds the board."""


class BoardLock:
    """Held from construction to :meth:`close`."""

    def __init__(self, run: Path, board: str, holder_pid: int, paths: tuple[str, ...] = ()) -> None:
        """
        Args:
            run: the agent's run directory.
            board: name of the board.
            holder_pid: process id of the client, which the next one is told.
            paths: topology paths that are the board's; none of a virtual board, whose paths the kernel gives out.

        Raises:
            BoardBusy: another client holds it, or a path of it; the message names its process.
        """
        self._descriptors: list[int] = []
        try:
            self._take(run / "locks" / f"{board}.lock", f"board {board}", holder_pid)
            for path in paths:
                self._take(run / "locks/paths" / f"{path}.lock", f"path {path} of board {board}", holder_pid)
        except (BoardBusy, OSError):
            self.close()
            raise

    def close(self) -> None:
        """Let the next client have the board; the files stay."""
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _take(self, place: Path, what: str, holder_pid: int) -> None:
        place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        self._descriptors.append(descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            raise BoardBusy(f"{what} is held by process {holder or 'unknown'} ({place})") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{holder_pid}\n".encode(), 0)
