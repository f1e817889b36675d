"""One client at a time per board: flock on ``<run>/locks/<board>.lock``, released by the kernel on any death."""

import fcntl
import os
from pathlib import Path

from hil.errors import AgentError


class BoardBusy(AgentError):
    """Another client holds the board."""


class BoardLock:
    """Held from construction to :meth:`close`."""

    def __init__(self, run: Path, board: str, holder_pid: int) -> None:
        """
        Args:
            run: the agent's run directory.
            board: name of the board.
            holder_pid: process id of the client, which the next one is told.

        Raises:
            BoardBusy: another client holds it; the message names its process.
        """
        directory = run / "locks"
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        place = directory / f"{board}.lock"
        self._descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise BoardBusy(f"board {board} is held by process {holder or 'unknown'} ({place})") from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{holder_pid}\n".encode(), 0)

    def close(self) -> None:
        """Let the next client have the board; the file stays."""
        os.close(self._descriptor)
