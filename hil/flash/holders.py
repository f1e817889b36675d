"""Who else has a serial port open: two readers of one port each get half of what the board says.

An ordinary user sees the descriptors of his own processes only; what others hold stays unseen.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hil.errors import SetupError

PROC = Path("/proc")
MODEM_MANAGER = "ModemManager"
RULE = 'ATTRS{idVendor}=="303a", ENV{ID_MM_DEVICE_IGNORE}="1"'
RULE_FILE = "/etc/udev/rules.d/99-hil-no-modem-manager.rules"
"""ModemManager, documentation, "Common udev tags": ID_MM_DEVICE_IGNORE."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a port open."""

    pid: int
    name: str
    """As /proc/PID/comm has it."""
    command: str
    """Its command line."""

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command or self.name})"


def holders(node: str, proc: Path = PROC) -> list[Holder]:
    """Processes other than this one that have ``node`` open, as far as this user may see."""
    own = str(os.getpid())
    pids = (path for path in _listed(proc) if path.name.isdecimal() and path.name != own)
    return [_holder(path) for path in pids if any(_target(link) == node for link in _listed(path / "fd"))]


def require_free(node: str, board: str, proc: Path = PROC) -> None:
    """See that nobody else speaks on ``node``.

    Raises:
        SetupError: somebody does; the message names the process.
    """
    found = holders(node, proc)
    if not found:
        return
    text = f"board {board}: {node} is open in {', '.join(map(str, found))}; nothing was written"
    if any(each.name == MODEM_MANAGER for each in found):
        raise SetupError(f"{text}; ModemManager probes it for a modem: put `{RULE}` into {RULE_FILE} and plug it anew")
    raise SetupError(f"{text}; end it first")


def refused(node: str, board: str, error: OSError) -> SetupError:
    """Why ``node`` could not be opened, and what helps."""
    remedies = {
        PermissionError: "`sudo hil init` lets the agent open it for you; or join the group that the node belongs to",
        FileNotFoundError: "the board is not on the bus, or has come back under another name",
    }
    remedy = next((text for kind, text in remedies.items() if isinstance(error, kind)), "")
    return SetupError(f"board {board}: {node}: {error.strerror or error}{f'; {remedy}' if remedy else ''}")


def _holder(path: Path) -> Holder:
    command = _read(path / "cmdline").replace("\0", " ").strip()
    return Holder(int(path.name), _read(path / "comm").strip(), command)


def _listed(folder: Path) -> Iterator[Path]:
    """What is in a folder; nothing where it may not be read or has gone."""
    try:
        yield from sorted(folder.iterdir())
    except OSError:
        return


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
