"""What must be undone for a client, newest first, and what a killed agent leaves for the next one to undo.

Every agent keeps a state file ``<run>/agents/<pid>.json`` locked (flock) for as long as it lives: a file whose
lock is free belongs to an agent that died without undoing, and :func:`adopt_orphans` hands out what it says.
"""

import fcntl
import json
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil.errors import HilError

RUN = Path("/run/hil")
_log = logging.getLogger("hil.agent")


@dataclass(eq=False)
class Deed:
    """Something that was done, and how to undo it."""

    board: str
    """The board that it was done to."""
    name: str
    undo: Callable[[], Awaitable[None]]


@dataclass
class UndoStack:
    """One client's deeds in the order in which they were done."""

    deeds: list[Deed] = field(default_factory=list)

    def push(self, board: str, name: str, undo: Callable[[], Awaitable[None]]) -> Deed:
        deed = Deed(board, name, undo)
        self.deeds.append(deed)
        return deed

    def drop(self, deed: Deed) -> None:
        """Forget a deed that its client has undone itself."""
        if deed in self.deeds:
            self.deeds.remove(deed)

    async def run(self, board: str | None = None) -> list[str]:
        """Undo everything, newest first; a deed that cannot be undone does not keep the others from it.

        Args:
            board: only what was done to this board; None means all.

        Returns:
            what was undone, one line each; a failure says so.
        """
        lines = []
        for deed in reversed(list(self.deeds)):
            if board in (None, deed.board) and deed in self.deeds:
                self.deeds.remove(deed)
                lines.append(await _undo(deed))
        return lines


async def _undo(deed: Deed) -> str:
    try:
        await deed.undo()
    except (OSError, HilError) as error:
        _log.warning("could not undo %s: %s", deed.name, error)
        return f"{deed.name}: FAILED: {error}"
    except Exception as error:  # noqa: BLE001 - no fault of the agent's own may keep the other deeds from being undone
        _log.error("could not undo %s by a fault of the agent", deed.name, exc_info=error)
        return f"{deed.name}: FAILED: {type(error).__name__}: {error}"
    return deed.name


class StateFile:
    """What this agent has done to the machine, on disk before it is done."""

    def __init__(self, run: Path = RUN) -> None:
        self._run = run
        directory = run / "agents"
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._path = directory / f"{os.getpid()}.json"
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        self._state: dict[str, dict[str, str]] = {}
        self._save()

    def note(self, kind: str, key: str, value: str = "") -> None:
        """Remember a deed, before it is done.

        Args:
            kind: namespace, sysctl, attribute, boot or power.
            key: the namespace's name, the sysctl's file, topology path and attribute, or the board whose BOOT is held
                or whose power is off.
            value: the former value, of a sysctl or an attribute.
        """
        self._state.setdefault(kind, {}).setdefault(key, value)
        self._save()

    def forget(self, kind: str, key: str) -> None:
        self._state.get(kind, {}).pop(key, None)
        self._save()

    def adopt_orphans(self) -> dict[str, dict[str, str]]:
        """Take over what dead agents noted; their files are removed, their notes become this agent's own."""
        for path in sorted(self._path.parent.glob("*.json")):
            if path != self._path:
                for kind, notes in _orphan(path).items():
                    self._state.setdefault(kind, {}).update(notes)
        self._save()
        return {kind: dict(notes) for kind, notes in self._state.items()}

    def close(self) -> None:
        """Forget everything; the file goes."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _save(self) -> None:
        data = json.dumps(self._state, indent=1).encode()
        os.pwrite(self._descriptor, data, 0)
        os.ftruncate(self._descriptor, len(data))


def _orphan(path: Path) -> dict[str, dict[str, str]]:
    """The notes in a dead agent's file, which is removed; {} where its agent lives or the file is damaged."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return {}
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        notes: Any = json.loads(os.read(descriptor, 1 << 20))
        path.unlink()
    except BlockingIOError:
        return {}
    except ValueError:
        _log.warning("%s is damaged: its agent died while it wrote; nothing can be undone from it", path)
        path.unlink()
        return {}
    finally:
        os.close(descriptor)
    return {str(kind): dict(values) for kind, values in notes.items()}
