"""What the machine's owner lets the agent touch: allow.toml.

::

    virtual = true                       # may load vhci_hcd, start the virtual board and touch what hangs under it
    modules = ["usbmon", "cdc_ncm"]      # may be loaded
    [boards]
    s3-a = ["1-1.2", "1-1.3"]            # topology paths that belong to this board: usb first, console second

The file decides what root does, so it must belong to root and nobody else may write it or a directory above it.
"""

import os
import re
import stat
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil.agent.protocol import PORTS
from hil.bench import BOARD_NAME, LAN, TOPOLOGY_PATH
from hil.errors import AgentRefused, BenchError, SetupError
from hil.toml_table import Table

DEFAULT = Path("/etc/hil/allow.toml")
VIRTUAL_MODULES = ("vhci_hcd", "cdc_acm", "cdc_ncm", "usbmon")
"""What the virtual bench cannot do without."""


@dataclass(frozen=True)
class AllowList:
    """What may be touched."""

    virtual: bool = False
    modules: tuple[str, ...] = ()
    boards: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Topology paths of each board: usb first, console second."""
    place: str = "the agent's command line"
    """Where this was said; refusals name it."""

    def require_module(self, name: str) -> None:
        """
        Raises:
            AgentRefused: ``name`` is not among the modules that may be loaded.
        """
        allowed = dict.fromkeys(self.modules + (VIRTUAL_MODULES if self.virtual else ()))
        if name.replace("-", "_") not in {module.replace("-", "_") for module in allowed}:
            known = ", ".join(allowed) or "none"
            raise AgentRefused(f"module {name!r} may not be loaded; {self.place} allows: {known}")

    def require_virtual(self) -> None:
        """
        Raises:
            AgentRefused: the virtual board may not be started.
        """
        if not self.virtual:
            raise AgentRefused(f"the virtual board may not be started: {self.place} does not say virtual = true")

    def paths(self, board: str) -> tuple[str, ...]:
        """The board's topology paths.

        Raises:
            AgentRefused: no board of that name is listed.
        """
        if board not in self.boards:
            known = ", ".join(self.boards) or "none"
            raise AgentRefused(f"board {board!r} may not be touched; {self.place} names: {known}")
        return self.boards[board]


def virtual_only() -> AllowList:
    """For an agent that root itself started for the virtual bench alone."""
    return AllowList(virtual=True, place="--allow-virtual")


def load(path: Path, owner: int = 0) -> AllowList:
    """Read an allow list.

    Args:
        path: the file.
        owner: uid that must own it; root outside tests.

    Raises:
        SetupError: it is not there, or somebody else could have written it.
        BenchError: a key, type or value in it is wrong.
    """
    require_owned(path, owner)
    values = _toml(path)
    top = Table(values, f"{path}: ")
    virtual = top.boolean("virtual", False)
    modules = top.strings("modules", ())
    boards = _boards(path, top.table("boards"), tuple(values.get("boards", ())))
    top.finish()
    for name in modules:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            raise top.wrong("modules", "wanted names of kernel modules such as 'usbmon'")
    return AllowList(virtual, modules, boards, str(path))


def require_owned(path: Path, owner: int = 0) -> None:
    """Check that only ``owner`` or root can have written the file, by itself or through a directory above it.

    Raises:
        SetupError: naming the file or directory, who owns it and how to cure it.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise SetupError(f"{path} is not a regular file")
        for place in (path.resolve(strict=True), *path.resolve(strict=True).parents):
            _require_owned(place, owner)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise SetupError(f"{path} cannot be read: {reason}; 'sudo hil init' writes it") from error


def _require_owned(place: Path, owner: int) -> None:
    status = place.stat()
    if status.st_uid not in (0, owner):
        raise SetupError(f"{place} belongs to uid {status.st_uid}; wanted: chown {owner} {place}")
    sticky = place.is_dir() and status.st_mode & stat.S_ISVTX
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not sticky:
        mode = f"{stat.S_IMODE(status.st_mode):04o}"
        raise SetupError(f"{place} has mode {mode}; only its owner may write it: chmod go-w {place}")


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BenchError(f"{path}: not TOML: {error}") from error


def _boards(path: Path, table: Table, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    boards: dict[str, tuple[str, ...]] = {}
    owners: dict[str, str] = {}
    for name in names:
        boards[name] = _paths(table, name)
        for claimed in boards[name]:
            if claimed in owners:
                raise BenchError(f"{path}: path {claimed!r} belongs to both {owners[claimed]!r} and {name!r}")
            owners[claimed] = name
    return boards


def _paths(table: Table, name: str) -> tuple[str, ...]:
    paths = table.strings(name)
    if not re.fullmatch(BOARD_NAME, name) or name == LAN:
        raise table.wrong(name, f"wanted a board name other than {LAN!r}: lower-case letters, digits, dashes")
    if not 0 < len(paths) <= len(PORTS) or not all(re.fullmatch(TOPOLOGY_PATH, path) for path in paths):
        raise table.wrong(name, "wanted one or two topology paths, usb first: ['1-1.2', '1-1.3']")
    return paths
