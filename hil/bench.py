"""bench.toml as frozen values: which boards are there, and how each is reached.

A bench without a file is the virtual one, with one board. Every error names the file, the key and the choices.
"""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from hil.errors import BenchError
from hil.toml_table import Table, read

TOPOLOGY_PATH = r"\d+-\d+(\.\d+)*"
BOARD_NAME = r"[a-z0-9][a-z0-9-]{0,30}"
POWER_DRIVERS = ("manual", "none")
FLASH_WAYS = ("usb", "console")
SUPPLIES = ("bus", "own")
ROLES = ("dhcp-server", "dhcp-client", "static")
VIRTUAL_BOARD = "virtual-s3"
LAN = "lan"
"""Stands for a board in ``open_tcp_socket``: the namespace of the virtual board's second network."""


@dataclass(frozen=True)
class Power:
    """How VBUS of a board's port is switched."""

    driver: str = "none"
    """One of :data:`POWER_DRIVERS`, or virtual on the virtual bench."""


@dataclass(frozen=True)
class Board:
    """One board of the bench."""

    name: str
    usb: str
    """Topology path of its USB port, such as 1-1.2: the only identity that survives a bootloader."""
    console: str = ""
    """Topology path of its UART bridge, or ''."""
    flash: str = "usb"
    supply: str = "bus"
    """bus: it reboots when VBUS goes; own: it only sees the bus go idle."""
    power: Power = field(default_factory=Power)
    profile: str = "generic"
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
    name = head.string("name")
    head.finish()
    rows = top.tables("board")
    top.finish()
    if not rows:
        raise BenchError(f"{path.name}: no [[board]] table; a bench has at least one board")
    boards = tuple(_board(row) for row in rows)
    _refuse_shared(path.name, boards)
    return Bench(name=name, boards=boards)


def virtual(supply: str = "bus") -> Bench:
    """The bench that needs no hardware; the topology paths are filled in when the virtual board is attached."""
    board = Board(name=VIRTUAL_BOARD, usb="", supply=supply, power=Power(driver="virtual"), profile="reference")
    return Bench(name="virtual", boards=(board,), virtual=True)


def _board(row: Table) -> Board:
    path = "a topology path such as '1-1.2'"
    power = row.table("power")
    board = Board(
        name=row.string("name", pattern=BOARD_NAME, shape="lower-case letters, digits and dashes, at most 31"),
        usb=row.string("usb", pattern=TOPOLOGY_PATH, shape=path),
        console=row.string("console", "", pattern=TOPOLOGY_PATH, shape=path),
        flash=row.choice("flash", FLASH_WAYS, "usb"),
        supply=row.choice("supply", SUPPLIES, "bus"),
        power=Power(driver=power.choice("driver", POWER_DRIVERS, "none")),
        profile=row.string("profile", "generic"),
        role=row.choice("role", ROLES, "dhcp-server"),
        fallback=_address(row, "fallback"),
    )
    power.finish()
    row.finish()
    if board.name == LAN:
        raise row.wrong("name", "the agent uses that name for the virtual board's second network")
    if board.flash == "console" and not board.console:
        raise row.wrong("flash", "the board has no console; known without one: 'usb'")
    return board


def _address(row: Table, name: str) -> str:
    value = row.string(name, "")
    if not value:
        return ""
    parts = urlsplit(value)
    try:
        if parts.scheme != "http" or parts.path not in ("", "/") or parts.port not in (None, 80):
            raise ValueError
        return str(ipaddress.IPv4Address(parts.hostname or ""))
    except ValueError as error:
        raise row.wrong(name, "wanted an address such as 'http://192.0.2.7'") from error


def _refuse_shared(place: str, boards: tuple[Board, ...]) -> None:
    owners: dict[str, str] = {}
    for board in boards:
        for claimed in (f"name {board.name!r}", *(f"path {path!r}" for path in board.paths)):
            if claimed in owners:
                raise BenchError(f"{place}: {claimed} is used by both {owners[claimed]!r} and {board.name!r}")
            owners[claimed] = board.name
