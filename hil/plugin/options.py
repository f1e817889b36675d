"""Command-line options and their ini twins."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from hil import bench as bench_file
from hil import profiles
from hil.bench import Bench
from hil.errors import BenchError

TINYUSB = ("0.19", "0.21")
_OPTIONS: tuple[tuple[str, str, str], ...] = (
    ("bench", "FILE", "bench.toml of a real bench; without it the virtual bench runs"),
    ("board", "NAME", "board of the bench to test; the first one without it"),
    ("artifacts", "DIR", "where timelines, captures and logs go (default: build/hil)"),
    ("tinyusb", "VERSION", "TinyUSB of the virtual board's firmware: 0.19 or 0.21 (default: 0.21)"),
)


@dataclass(frozen=True)
class Options:
    """What the command line and the ini file say."""

    bench: str
    board: str
    artifacts: Path
    tinyusb: str
    faults: tuple[str, ...]

    def load_bench(self) -> Bench:
        """The bench that this run is about.

        Raises:
            BenchError: the file is wrong, or an option does not go with the bench.
        """
        if not self.bench:
            return bench_file.virtual()
        if self.faults:
            raise BenchError(f"--hil-virtual-fault {self.faults[0]!r} needs the virtual bench, not {self.bench!r}")
        bench = bench_file.load(Path(self.bench))
        for board in bench.boards:
            profiles.load(board.profile)
        return bench


def add(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("hil", "hardware in the loop")
    for name, metavar, text in _OPTIONS:
        group.addoption(f"--hil-{name}", metavar=metavar, default=None, help=text)
        parser.addini(f"hil_{name}", text, default="")
    text = "fault of the virtual board: a name or FILE.py, with :key=value,… for when it begins; may be given twice"
    group.addoption("--hil-virtual-fault", metavar="NAME|FILE.py", action="append", default=[], help=text)
    parser.addini("hil_virtual_fault", text, type="linelist", default=[])


def read(config: pytest.Config) -> Options:
    """The options in force: the command line before the ini file.

    Raises:
        BenchError: a value is not one of the choices.
    """
    values = {name: config.getoption(f"--hil-{name}") or config.getini(f"hil_{name}") for name, _, _ in _OPTIONS}
    tinyusb = values["tinyusb"] or "0.21"
    if tinyusb not in TINYUSB:
        raise BenchError(f"--hil-tinyusb is {tinyusb!r}; known: {', '.join(map(repr, TINYUSB))}")
    faults = config.getoption("--hil-virtual-fault") or config.getini("hil_virtual_fault")
    return Options(
        bench=values["bench"],
        board=values["board"],
        artifacts=Path(config.rootpath, values["artifacts"] or "build/hil"),
        tinyusb=tinyusb,
        faults=tuple(faults),
    )


def names_hil(config: pytest.Config) -> bool:
    """Whether ``-m`` selects hil tests by name."""
    words = str(config.getoption("markexpr", "")).replace("(", " ").replace(")", " ").split()
    return any(word == "hil" and words[at - 1 : at] != ["not"] for at, word in enumerate(words))
