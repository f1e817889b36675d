"""Command-line options, their ini twins, and the marker; every session imports this."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hil.board import sight
from hil.errors import BenchError

if TYPE_CHECKING:
    from hil.bench import Bench, Board

MARKER = (
    "hil(needs=None, role=None): runs on a bench; needs names the least that a board must see of the test's actions "
    f"({', '.join(sight.NEEDS)}), role what bench.toml must say of its firmware"
)
SERVER = "dhcp-server"
TINYUSB = ("0.19", "0.21")
NEWEST_TINYUSB = "0.21"
FLASH = AUTO, ALWAYS, NEVER = ("auto", "always", "never")
MOST_REPETITIONS = 10_000
MOST_VIRTUAL_BOARDS = 4
"""vhci_hcd has eight ports of full speed (CONFIG_USBIP_VHCI_HC_PORTS), and a board with its UART bridge takes two."""
_TOKENS = re.compile(r"""'[^']*'|"[^"]*"|[()]|[^\s()'"]+""")
"""Of a marker expression, as pytest's own scanner has them; a string is one token, quotes and all."""
_OPTIONS: tuple[tuple[str, str, str], ...] = (
    ("bench", "FILE", "bench.toml of a real bench; without it the virtual bench runs"),
    ("board", "NAME", "board of the bench to test; the first one without it"),
    ("artifacts", "DIR", "where timelines, captures and logs go (default: build/hil)"),
    ("tinyusb", "VERSION", "TinyUSB of the virtual board's firmware: 0.19 or 0.21 (default: 0.21)"),
    ("flash", "WHEN", "flash bench.toml's firmware: auto, where another one runs; always; never (default: auto)"),
    ("firmware", "PATH", "build folder or merged image for the board under test, in place of bench.toml's firmware"),
    ("repeat", "N", "run each hil test N times and tell how often it passed (default: 1)"),
    ("virtual-boards", "N", "boards of the virtual bench: 1 to 4 (default: 1)"),
    ("virtual-role", "ROLE", "role of the virtual board's firmware, as in bench.toml (default: dhcp-server)"),
)


@dataclass(frozen=True)
class Options:
    """What the command line and the ini file say."""

    bench: str
    board: str
    artifacts: Path
    tinyusb: str
    faults: tuple[str, ...]
    repeat: int = 1
    virtual_boards: int = 1
    virtual_role: str = SERVER
    flash: str = AUTO
    firmware: str = ""

    def load_bench(self) -> Bench:
        """The bench that this run is about.

        Raises:
            BenchError: the file is wrong, or an option does not go with the bench.
        """
        from hil import bench as bench_file

        if self.bench:
            for asked in self._virtual_only():
                raise BenchError(f"{asked} needs the virtual bench, not {self.bench!r}")
            bench = bench_file.load(Path(self.bench))
            for board in bench.boards:
                _require_profile(Path(self.bench), board)
        else:
            bench = bench_file.virtual(count=self.virtual_boards, role=self.virtual_role)
            for fault in self.faults:
                _require_fault(fault)
        if self.board and self.board not in (known := [board.name for board in bench.boards]):
            raise BenchError(f"--hil-board is {self.board!r}; the bench {bench.name} has {', '.join(known)}")
        return self._with_firmware(bench)

    def _virtual_only(self) -> Iterator[str]:
        """What was asked for that a real bench does not have."""
        if self.tinyusb != NEWEST_TINYUSB:
            yield f"--hil-tinyusb {self.tinyusb}"
        if self.virtual_boards > 1:
            yield f"--hil-virtual-boards {self.virtual_boards}"
        if self.virtual_role != SERVER:
            yield f"--hil-virtual-role {self.virtual_role!r}"
        if self.faults:
            yield f"--hil-virtual-fault {self.faults[0]!r}"

    def _with_firmware(self, bench: Bench) -> Bench:
        """The board under test is flashed with what the command line names."""
        if not self.firmware:
            return bench
        _require_there("--hil-firmware", self.firmware, self.firmware)
        tested = self.board or bench.boards[0].name
        boards = (replace(each, firmware=self.firmware) if each.name == tested else each for each in bench.boards)
        return replace(bench, boards=tuple(boards))


def add(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("hil", "hardware in the loop")
    for name, metavar, text in _OPTIONS:
        group.addoption(f"--hil-{name}", metavar=metavar, default=None, help=text)
        parser.addini(_ini(name), text, default="")
    text = "fault of the virtual board: a name or FILE.py, with :key=value,… for when it begins; may be given twice"
    group.addoption("--hil-virtual-fault", metavar="NAME|FILE.py", action="append", default=[], help=text)
    parser.addini("hil_virtual_fault", text, type="linelist", default=[])


def read(config: pytest.Config) -> Options:
    """The options in force: the command line before the ini file.

    Raises:
        BenchError: a value is not one of the choices.
    """
    values = {name: _value(config, name, metavar) for name, metavar, _ in _OPTIONS}
    tinyusb = values["tinyusb"] or NEWEST_TINYUSB
    if tinyusb not in TINYUSB:
        raise BenchError(f"--hil-tinyusb is {tinyusb!r}; known: {', '.join(map(repr, TINYUSB))}")
    flash = values["flash"] or AUTO
    if flash not in FLASH:
        raise BenchError(f"--hil-flash is {flash!r}; known: {', '.join(map(repr, FLASH))}")
    from hil.bench import ROLES

    role = values["virtual-role"] or SERVER
    if role not in ROLES:
        raise BenchError(f"--hil-virtual-role is {role!r}; known: {', '.join(map(repr, ROLES))}")
    faults = config.getoption("--hil-virtual-fault") or config.getini("hil_virtual_fault")
    return Options(
        bench=values["bench"],
        board=values["board"],
        artifacts=Path(config.rootpath, values["artifacts"] or "build/hil"),
        tinyusb=tinyusb,
        faults=tuple(faults),
        repeat=_number("repeat", values["repeat"], MOST_REPETITIONS),
        flash=flash,
        firmware=values["firmware"],
        virtual_boards=_number("virtual-boards", values["virtual-boards"], MOST_VIRTUAL_BOARDS),
        virtual_role=role,
    )


def _value(config: pytest.Config, name: str, metavar: str) -> str:
    """'' where neither the command line nor the ini file says anything.

    Raises:
        BenchError: the command line says '', as a variable of the shell does that is not set.
    """
    given: str | None = config.getoption(f"--hil-{name}")
    if given == "":
        raise BenchError(f"--hil-{name} is ''; wanted {metavar}, or no --hil-{name}")
    return str(given or config.getini(_ini(name)))


def _require_profile(bench: Path, board: Board) -> None:
    """
    Raises:
        BenchError: the board's profile is wrong, or that of a firmware in another role.
    """
    from hil import profiles

    place = f"{bench.name}: board.{board.name}"
    try:
        profile = profiles.load(board.profile)
    except BenchError as error:
        raise BenchError(f"{place}.profile: {error}") from error
    if profile.role not in ("", board.role):
        raise BenchError(f"{place}.role is {board.role!r}; its profile {profile.name} is for {profile.role!r}")


def _require_fault(text: str) -> None:
    """
    Raises:
        BenchError: a fault of the virtual board is not known, or its file is not there.
    """
    from hil.catalogue import FAULTS

    name = text.partition(":")[0]
    known = sorted(entry.fault for entry in FAULTS)
    if name.endswith(".py"):
        _require_there("--hil-virtual-fault", text, name)
    elif name not in known:
        raise BenchError(f"--hil-virtual-fault is {text!r}; known: {', '.join(known)}, or the path of a .py file")


def _require_there(option: str, text: str, path: str) -> None:
    """
    Raises:
        BenchError: nothing can be found at the path that an option names.
    """
    try:
        Path(path).stat()
    except OSError as error:
        raise BenchError(f"{option} is {text!r}: {error.strerror}") from error


def _ini(name: str) -> str:
    return f"hil_{name.replace('-', '_')}"


def _number(name: str, text: str, most: int) -> int:
    """1 where the text is empty.

    Raises:
        BenchError: it is no whole number from 1 to ``most``.
    """
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0 if text else 1
    if not 1 <= number <= most:
        raise BenchError(f"--hil-{name} is {text!r}; wanted a whole number from 1 to {most}")
    return number


def names_hil(config: pytest.Config) -> bool:
    """Whether ``-m`` selects hil tests by name."""
    return asks_for("hil", str(config.getoption("markexpr", "")))


def asks_for(name: str, expression: str) -> bool:
    """Whether a marker expression has ``name`` where it selects, under no ``not`` or an even number of them.

    ``hil or not hil`` does, and asks for every test there is; ``not (slow or hil)`` does not.
    """
    negated, pending = [False], False
    for token in _TOKENS.findall(expression):
        if token == "not":
            pending = not pending
            continue
        if token == ")":
            negated = negated[:-1] or [False]  # pytest refuses one too many
        elif token == "(":
            negated.append(negated[-1] != pending)
        elif token == name and negated[-1] == pending:
            return True
        pending = False
    return False
