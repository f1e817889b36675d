"""bench.toml as frozen values: which boards are there, and how each is reached.

A bench without a file is the virtual one, with one board. Every error names the file, the key and the choices.
"""

import ipaddress
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from hil.errors import BenchError
from hil.toml_table import Table, read

TOPOLOGY_PATH = r"[0-9]{1,3}-[0-9]{1,3}(\.[0-9]{1,3}){0,6}"
BOARD_NAME = r"[a-z0-9][a-z0-9-]{0,30}"
HUB = r"[0-9]{1,3}(-[0-9]{1,3}(\.[0-9]{1,3}){0,6})?"
"""A hub as uhubctl names it: its topology path, or the bus number of a root hub."""
HUB_PORTS = 31
"""Most ports that Linux takes of a hub (USB_MAXCHILDREN, include/uapi/linux/usb/ch11.h)."""
RELAY_NAME = BOARD_NAME
MAC = r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}"
TEXT = r"(?=.*\S)[^\x00-\x1f\x7f]+"
"""Something to read: not empty, and on one line."""
BOOT_DRIVERS = ("none", "relay")
POWER_DRIVERS = ("manual", "none", "relay", "uhubctl")
SWITCHED = ("relay", "uhubctl")
"""Power drivers that the agent switches."""
FLASH_WAYS = ("usb", "console")
SUPPLIES = ("bus", "own")
ROLES = ("dhcp-server", "dhcp-client", "static")
REFERENCE = {"dhcp-server": "reference", "dhcp-client": "reference-client", "static": "reference-static"}
"""Profile of the reference firmware in each role."""
VIRTUAL_BOARD = "virtual-s3"
LAN = "lan"
"""Stands for a board in ``open_tcp_socket``: the namespace of the virtual board's second network."""


@dataclass(frozen=True)
class Power:
    """How VBUS of a board's port is switched."""

    driver: str = "none"
    """One of :data:`POWER_DRIVERS`, or virtual on the virtual bench."""
    hub: str = ""
    """uhubctl: the hub that the board hangs on, such as 1-1, or 1 for the root hub of bus 1."""
    port: int = 0
    """uhubctl: the hub's port."""
    also_off: tuple[str, ...] = ()
    """uhubctl: topology paths of other devices that may lose their power together with the board."""
    name: str = ""
    """relay: its name in the agent's allow list."""

    def __str__(self) -> str:
        if self.driver == "uhubctl":
            also = f" with {', '.join(self.also_off)}" if self.also_off else ""
            return f"uhubctl, hub {self.hub} port {self.port}{also}"
        return f"relay {self.name}" if self.driver == "relay" else self.driver


@dataclass(frozen=True)
class Boot:
    """How the board's BOOT line is held low."""

    driver: str = "none"
    """One of :data:`BOOT_DRIVERS`, or virtual on the virtual bench."""
    name: str = ""
    """relay: its name in the agent's allow list; on is BOOT held."""

    def __str__(self) -> str:
        return f"relay {self.name}" if self.driver == "relay" else self.driver


@dataclass(frozen=True)
class Board:
    """One board of the bench."""

    name: str
    usb: str
    """Topology path of its USB port, such as 1-1.2: the only identity that survives a bootloader."""
    console: str = ""
    """Topology path of its UART bridge, or ''."""
    flash: str = "usb"
    """Over which port it is flashed: one of :data:`FLASH_WAYS`."""
    firmware: str = ""
    """What it is flashed with: a build folder or a merged image, or ''."""
    mac: str = ""
    """Of its chip's eFuses, in lower case: another chip at its ports is not flashed; or ''."""
    supply: str = "bus"
    """bus: it reboots when VBUS goes; own: it only sees the bus go idle."""
    power: Power = field(default_factory=Power)
    boot: Boot = field(default_factory=Boot)
    profile: str = "generic"
    """What its firmware says of itself: one that comes with hil, or the path of a .toml file."""
    role: str = "dhcp-server"
    fallback: str = ""
    """IPv4 address that answers HTTP when USB is dead, or ''."""
    fallback_namespace: str = ""
    """Network namespace from which the fallback is reached; '' is the machine's own."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Every topology path that belongs to the board."""
        return (self.usb, self.console) if self.console else (self.usb,)


@dataclass(frozen=True)
class Bench:
    """Everything a run may touch."""

    name: str
    boards: tuple[Board, ...]
    virtual: bool = False

    def board(self, name: str) -> Board:
        """The board called ``name``.

        Raises:
            BenchError: there is none; the message lists those there are.
        """
        for board in self.boards:
            if board.name == name:
                return board
        raise BenchError(f"bench {self.name} has no board {name!r}; known: {', '.join(b.name for b in self.boards)}")


def load(path: Path) -> Bench:
    """Read a bench.toml.

    Raises:
        BenchError: the file, a key, a type or a value is wrong.
    """
    top = read(path)
    head = top.table("bench", required=True)
    name = head.string("name", pattern=TEXT, shape="a name such as 'rpi5-lab-3'")
    head.finish()
    rows = top.tables("board")
    top.finish()
    if not rows:
        raise BenchError(f"{path.name}: no [[board]] table; a bench has at least one board")
    boards = tuple(_beside(path, _board(row)) for row in rows)
    _refuse_shared(path.name, boards)
    return Bench(name=name, boards=boards)


def virtual(supply: str = "bus", count: int = 1, role: str = "dhcp-server") -> Bench:
    """The bench that needs no hardware; the topology paths are filled in when the virtual boards are attached."""
    names = (VIRTUAL_BOARD, *(f"{VIRTUAL_BOARD}-{number}" for number in range(2, count + 1)))
    power, boot = Power(driver="virtual"), Boot(driver="virtual")
    board = Board("", "", supply=supply, power=power, boot=boot, profile=REFERENCE[role], role=role)
    return Bench(name="virtual", boards=tuple(replace(board, name=name) for name in names), virtual=True)


def _beside(path: Path, board: Board) -> Board:
    """Paths in a bench file are meant from where the file is; a profile that comes with hil is a name and no path."""
    firmware = str(path.parent / board.firmware) if board.firmware else ""
    profile = str(path.parent / board.profile) if board.profile.endswith(".toml") else board.profile
    return replace(board, firmware=firmware, profile=profile)


def _board(row: Table) -> Board:
    path = "a topology path such as '1-1.2'"
    board = Board(
        name=row.string("name", pattern=BOARD_NAME, shape="lower-case letters, digits and dashes, at most 31"),
        usb=row.string("usb", pattern=TOPOLOGY_PATH, shape=path),
        console=row.string("console", "", pattern=TOPOLOGY_PATH, shape=path),
        flash=row.choice("flash", FLASH_WAYS, "usb"),
        firmware=row.string("firmware", ""),
        mac=row.string("mac", "", pattern=MAC, shape="an address such as '34:85:18:55:dc:26'").lower(),
        supply=row.choice("supply", SUPPLIES, "bus"),
        power=power_of(row.table("power")),
        boot=boot_of(row.table("boot")),
        profile=row.string("profile", "generic", pattern=TEXT, shape="a profile's name, or the path of a .toml file"),
        role=row.choice("role", ROLES, "dhcp-server"),
        fallback=_address(row, "fallback"),
    )
    row.finish()
    if board.name == LAN:
        raise row.wrong("name", "the agent uses that name for the virtual board's second network")
    if board.flash == "console" and not board.console:
        raise row.wrong("flash", "the board has no console; known without one: 'usb'")
    _require_on_port(row, board)
    _require_power(row, board)
    return board


def power_of(table: Table) -> Power:
    """How a board's power is switched; only the keys of its driver are known.

    Raises:
        BenchError: an unknown driver or key, or a wrong value.
    """
    driver = table.choice("driver", POWER_DRIVERS, "none")
    power = Power(driver)
    if driver == "uhubctl":
        power = Power(
            driver,
            hub=table.string("hub", pattern=HUB, shape="a hub such as '1-1', or '1' for the root hub of bus 1"),
            port=table.integer("port"),
            also_off=table.strings("also_off", ()),
        )
        if not 1 <= power.port <= HUB_PORTS:
            raise table.wrong("port", f"wanted 1 to {HUB_PORTS}")
        if not all(re.fullmatch(TOPOLOGY_PATH, path) for path in power.also_off):
            raise table.wrong("also_off", "wanted topology paths such as '1-1.2'")
    elif driver == "relay":
        power = Power(driver, name=_relay_name(table))
    table.finish()
    return power


def boot_of(table: Table) -> Boot:
    """How a board's BOOT line is held; only the keys of its driver are known.

    Raises:
        BenchError: an unknown driver or key, or a wrong value.
    """
    boot = Boot(table.choice("driver", BOOT_DRIVERS, "none"))
    if boot.driver == "relay":
        boot = replace(boot, name=_relay_name(table))
    table.finish()
    return boot


def _relay_name(table: Table) -> str:
    return table.string("name", pattern=RELAY_NAME, shape="lower-case letters, digits, dashes")


def port_path(hub: str, port: int) -> str:
    """Topology path of what hangs on a hub's port."""
    return f"{hub}.{port}" if "-" in hub else f"{hub}-{port}"


def _require_on_port(row: Table, board: Board) -> None:
    """
    Raises:
        BenchError: the port that is to be switched is not the one that the board hangs on.
    """
    if board.power.driver == "uhubctl":
        place = port_path(board.power.hub, board.power.port)
        if not f"{board.usb}.".startswith(f"{place}."):
            found = f"port {board.power.port} of hub {board.power.hub!r} is {place!r}"
            raise BenchError(f"{row.key('power')}: {found}; usb is {board.usb!r}")


def _require_power(row: Table, board: Board) -> None:
    """
    Raises:
        BenchError: BOOT can be held, and the power that must come meanwhile is not switched.
    """
    if board.boot.driver != "none" and (board.power.driver not in SWITCHED or board.supply != "bus"):
        found = f"power.driver is {board.power.driver!r} and supply {board.supply!r}"
        wanted = f"wanted power by {' or '.join(map(repr, SWITCHED))}, and supply 'bus'"
        raise BenchError(f"{row.key('boot')}: the chip looks at BOOT when its power comes; {found}; {wanted}")


def _address(row: Table, name: str) -> str:
    value = row.string(name, "")
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        if parts.scheme != "http" or parts.path not in ("", "/") or parts.port not in (None, 80):
            raise ValueError
        return str(ipaddress.IPv4Address(parts.hostname or ""))
    except ValueError as error:
        raise row.wrong(name, "wanted an address such as 'http://192.0.2.7'") from error


def _refuse_shared(place: str, boards: tuple[Board, ...]) -> None:
    owners: dict[str, str] = {}
    for board in boards:
        for claimed in _claims(board):
            if claimed in owners:
                raise BenchError(f"{place}: {claimed} is used by both {owners[claimed]!r} and {board.name!r}")
            owners[claimed] = board.name
    paths = {path: board.name for board in boards for path in board.paths}
    for path, name in paths.items():
        for above, owner in paths.items():
            if path.startswith(f"{above}."):
                raise BenchError(f"{place}: path {path!r} of {name!r} hangs below path {above!r} of {owner!r}")


def _claims(board: Board) -> list[str]:
    """What a board has for itself."""
    claims = [f"name {board.name!r}", *(f"path {path!r}" for path in board.paths)]
    if board.power.driver == "uhubctl":
        claims.append(f"power of port {port_path(board.power.hub, board.power.port)!r}")
    claims += [f"{key} {value!r}" for key, value in (("mac", board.mac), ("fallback", board.fallback)) if value]
    claims += [f"relay {way.name!r}" for way in (board.power, board.boot) if way.driver == "relay"]
    return claims
