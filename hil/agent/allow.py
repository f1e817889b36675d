"""What the machine's owner lets the agent touch: allow.toml.

::

    virtual = true                       # may load vhci_hcd, start the virtual board and touch what hangs under it
    modules = ["usbmon", "cdc_ncm"]      # may be loaded
    [boards]
    s3-a = ["1-1.2", "1-1.3"]            # topology paths that belong to this board: usb first, console second
    s3-b = ["2-1"]
    [power]                              # as bench.toml has it; boards without an entry are not switched
    s3-a = { driver = "uhubctl", hub = "1-1", port = 2 }
    s3-b = { driver = "relay", name = "lab-1" }
    [boot]                               # likewise; boards without an entry keep their BOOT line
    s3-b = { driver = "relay", name = "boot-b" }
    [relays]                             # a program and its arguments; {on|off} becomes the one or the other
    lab-1 = ["/usr/local/bin/usbrelay", "BITFT_1={1|0}"]
    boot-b = ["/usr/local/bin/usbrelay", "BITFT_2={1|0}"]

The file decides what root does, so it must belong to root and nobody else may write it or a directory above it.
"""

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from hil.agent.protocol import PORTS
from hil.bench import BOARD_NAME, LAN, RELAY_NAME, SWITCHED, TOPOLOGY_PATH, Boot, Power, boot_of, port_path, power_of
from hil.errors import AgentRefused, BenchError, SetupError
from hil.toml_table import Table, read_values

DEFAULT = Path("/etc/hil/allow.toml")
VIRTUAL_MODULES = ("vhci_hcd", "cdc_acm", "cdc_ncm", "usbmon")
"""What the virtual bench cannot do without."""
_REMEDY = "'sudo hil init bench.toml' writes what bench.toml says"
CHOICE = r"\{([^{}|]*)\|([^{}|]*)\}"
"""In an argument of a relay's command: what stands there to switch on, and to switch off."""


@dataclass(frozen=True)
class AllowList:
    """What may be touched."""

    virtual: bool = False
    modules: tuple[str, ...] = ()
    boards: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Topology paths of each board: usb first, console second."""
    power: dict[str, Power] = field(default_factory=dict)
    """How the power of a board is switched."""
    boot: dict[str, Boot] = field(default_factory=dict)
    """How the BOOT line of a board is held."""
    relays: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Command of each relay, with its choices."""
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
            raise AgentRefused(f"board {board!r} may not be touched; {self.place} names: {known}; {_REMEDY}")
        return self.boards[board]

    def power_of(self, board: str, wanted: str) -> Power:
        """How the board's power is switched, if that is what the client believes.

        Args:
            board: its name.
            wanted: the client's own description of it, ``str(power)``.

        Raises:
            AgentRefused: the power of the board may not be switched, or not in this way.
        """
        power = self.power.get(board)
        if power is None or str(power) != wanted:
            raise self._unlike("power", board, wanted, power)
        return power

    def boot_of(self, board: str, wanted: str) -> Boot:
        """How the board's BOOT line is held, if that is what the client believes, ``str(boot)``.

        Raises:
            AgentRefused: it may not be held, or not in this way.
        """
        boot = self.boot.get(board)
        if boot is None or str(boot) != wanted:
            raise self._unlike("boot", board, wanted, boot)
        return boot

    def _unlike(self, what: str, board: str, wanted: str, listed: Power | Boot | None) -> AgentRefused:
        said = f"names {str(listed)!r}" if listed else f"names no {what}"
        return AgentRefused(f"{what} of board {board}: {wanted!r} is wanted, {self.place} {said}; {_REMEDY}")

    def relay_command(self, name: str, on: bool) -> list[str]:
        """The program of a relay and its arguments."""
        return [re.sub(CHOICE, r"\1" if on else r"\2", word) for word in self.relays[name]]


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
    require_owned(path, owner, "; 'sudo hil init' writes it")
    values = read_values(path, str(path))
    top = Table(values, f"{path}: ")
    virtual = top.boolean("virtual", False)
    modules = top.strings("modules", ())
    boards = _boards(path, top.table("boards"), tuple(values.get("boards", ())))
    relays = _relays(top.table("relays"), tuple(values.get("relays", ())))
    power = _power(top.table("power"), tuple(values.get("power", ())), boards, relays)
    boot = _boot(top.table("boot"), tuple(values.get("boot", ())), boards, relays)
    top.finish()
    for name in modules:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            raise top.wrong("modules", "wanted names of kernel modules such as 'usbmon'")
    return AllowList(virtual, modules, boards, power, boot, relays, str(path))


def require_owned(path: Path, owner: int = 0, remedy: str = "") -> None:
    """Check that only ``owner`` or root can have written the file, by itself or through what leads to it.

    Args:
        path: the file.
        owner: uid that may have written it, beside root.
        remedy: what an error says where it cannot be read.

    Raises:
        SetupError: naming the file, directory or link, who owns it and how to cure it.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise SetupError(f"{path} is not a regular file")
        for place in _way(path):
            _require_owned(place, owner)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise SetupError(f"{path} cannot be read: {reason}{remedy}") from error


def _way(path: Path) -> list[Path]:
    """Every directory and link that decides which file ``path`` names, last the file, as path_resolution(7) says."""
    here = Path("/")
    way, left = [here], list(path.absolute().parts[1:])
    while left:
        step = here / left.pop(0)
        if step.name == "..":
            here = here.parent
        elif step.is_symlink():
            target = step.readlink()
            left[:0] = target.parts
            way.append(step)
        else:
            here = step
            way.append(step)
    return way


def _require_owned(place: Path, owner: int) -> None:
    status = place.lstat()
    link = stat.S_ISLNK(status.st_mode)
    if status.st_uid not in (0, owner):
        chown = "chown -h" if link else "chown"
        raise SetupError(f"{place} belongs to uid {status.st_uid}; wanted: {chown} {owner} {place}")
    if link:
        return
    sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not sticky:
        mode = f"{stat.S_IMODE(status.st_mode):04o}"
        raise SetupError(f"{place} has mode {mode}; only its owner may write it: chmod go-w {place}")


def _boards(path: Path, table: Table, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    boards: dict[str, tuple[str, ...]] = {}
    owners: dict[str, str] = {}
    for name in names:
        boards[name] = _paths(table, name)
        for claimed in boards[name]:
            if claimed in owners:
                raise BenchError(f"{path}: path {claimed!r} belongs to both {owners[claimed]!r} and {name!r}")
            owners[claimed] = name
    for claimed, name in owners.items():
        for above, owner in owners.items():
            if claimed.startswith(f"{above}."):
                raise BenchError(f"{path}: path {claimed!r} of {name!r} hangs below path {above!r} of {owner!r}")
    return boards


def _paths(table: Table, name: str) -> tuple[str, ...]:
    paths = table.strings(name)
    if not re.fullmatch(BOARD_NAME, name) or name == LAN:
        raise table.wrong(name, f"wanted a board name other than {LAN!r}: lower-case letters, digits, dashes")
    if not 0 < len(paths) <= len(PORTS) or not all(re.fullmatch(TOPOLOGY_PATH, path) for path in paths):
        raise table.wrong(name, "wanted one or two topology paths, usb first: ['1-1.2', '1-1.3']")
    return paths


def _relays(table: Table, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    relays = {}
    for name in names:
        relays[name] = command = table.strings(name)
        if not re.fullmatch(RELAY_NAME, name):
            raise table.wrong(name, "wanted a relay's name: lower-case letters, digits, dashes")
        require_relay(command, table.key(name))
    return relays


def require_relay(command: tuple[str, ...], place: str) -> None:
    """Check a relay's command.

    Args:
        command: the program and its arguments.
        place: where it was said; errors name it.

    Raises:
        BenchError: it is no command with a choice.
    """
    if not command or not command[0].startswith("/") or re.search(CHOICE, command[0]):
        raise BenchError(f"{place} is {list(command)!r}; wanted the absolute path of a program first")
    if not any(re.search(CHOICE, word) for word in command[1:]):
        raise BenchError(f"{place} is {list(command)!r}; wanted an argument with a choice such as '{{on|off}}'")


def _power(
    table: Table, names: tuple[str, ...], boards: dict[str, tuple[str, ...]], relays: dict[str, tuple[str, ...]]
) -> dict[str, Power]:
    powers = {}
    for name in names:
        powers[name] = power = power_of(table.table(name))
        _require_known(table, name, power, boards, relays)
        if power.driver not in SWITCHED:
            raise table.wrong(name, f"the agent switches by: {', '.join(SWITCHED)}")
        if power.driver == "uhubctl" and not f"{boards[name][0]}.".startswith(port_path(power.hub, power.port) + "."):
            raise table.wrong(name, f"the board hangs elsewhere, at {boards[name][0]}")
    return powers


def _boot(
    table: Table, names: tuple[str, ...], boards: dict[str, tuple[str, ...]], relays: dict[str, tuple[str, ...]]
) -> dict[str, Boot]:
    boots = {}
    for name in names:
        boots[name] = boot = boot_of(table.table(name))
        _require_known(table, name, boot, boards, relays)
        if boot.driver != "relay":
            raise table.wrong(name, "the agent holds BOOT by: relay")
    return boots


def _require_known(
    table: Table,
    name: str,
    way: Power | Boot,
    boards: dict[str, tuple[str, ...]],
    relays: dict[str, tuple[str, ...]],
) -> None:
    """
    Raises:
        BenchError: there is no such board, or no such relay.
    """
    if name not in boards:
        raise table.wrong(name, f"no such board; known: {', '.join(boards) or 'none'}")
    if way.driver == "relay" and way.name not in relays:
        raise table.wrong(name, f"no such relay; known: {', '.join(relays) or 'none'}")
