"""``hil flash``: a board of a bench gets a firmware, and says that it runs it."""

import argparse
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hil import bench
from hil.cli.output import say
from hil.clock import now_ns
from hil.errors import BenchError, BoardFailure, FlashRefused, HilError
from hil.evidence import MARK
from hil.flash.progress import DONE, FAILED, Lines

if TYPE_CHECKING:
    from hil.device.open_bench import OpenBench
    from hil.device.usb_board import UsbBoard

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

BENCH = "bench.toml"
ENDS = (DONE, FAILED)
"""Steps that the answer, or the error, tells."""
EVIDENCE = Path("build/hil-command")
"""Beside the build/hil of sessions: what the last command that failed has left."""


def add(commands: "Commands") -> None:
    parser = commands.add_parser("flash", help="flash a board; NVS and what the build does not name stay")
    text = "build folder or merged image; without it bench.toml's `firmware`"
    parser.add_argument("path", nargs="?", type=not_empty, help=text)
    add_board(parser)
    text = "a file and its place in flash, such as 0x10000=app.bin; may be given several times"
    parser.add_argument("--offset", action="append", default=[], metavar="OFFSET=FILE", help=text)
    text = "a build that the board is known to hold: only sectors that differ from it are written"
    parser.add_argument("--known", type=not_empty, metavar="PATH", help=text)
    parser.set_defaults(run=run)


def add_board(parser: argparse.ArgumentParser) -> None:
    """The options that say which board."""
    text = f"where the board is (default: {BENCH})"
    parser.add_argument("--bench", default=BENCH, type=not_empty, metavar="FILE", help=text)
    parser.add_argument("--board", type=not_empty, metavar="NAME", help="which one; the first one without it")


def not_empty(text: str) -> str:
    """An argument; '', as a variable of the shell that is not set, would be taken for one that was left out.

    Raises:
        argparse.ArgumentTypeError: it is empty.
    """
    if not text:
        raise argparse.ArgumentTypeError("it is ''")
    return text


def run(options: argparse.Namespace) -> str:
    """Flash; returns what the board then says.

    Raises:
        BenchError: the options or the bench are wrong.
        BuildError: what is to be flashed cannot be.
        HilError: the board was not flashed; the message says why.
    """
    from hil.device.flashing import named_build

    offsets = [parse_offset(text) for text in options.offset]
    if offsets and options.path:
        raise BenchError(f"{options.path} and --offset {options.offset[0]}: one of them says what is to be flashed")
    _, spec = chosen(Path(options.bench), options.board)
    build = named_build(offsets or options.path, spec)
    known = named_build(options.known, spec) if options.known else None
    with opened(Path(options.bench), options.board) as board:
        lines = Lines(say, f"{board.name}: ")
        board.flashing.on_progress = lambda step: lines(step) if step.status not in ENDS else None
        result = board.flashing.flash(build, known)
    return f"{board.name}: {result}"


def chosen(file: Path, name: str | None) -> tuple[bench.Bench, bench.Board]:
    """The bench of a file, and its board of that name, or its first one.

    Raises:
        BenchError: the file is wrong, or has no such board.
    """
    known = bench.load(file)
    return known, known.board(name) if name else known.boards[0]


def parse_offset(text: str) -> tuple[int, Path]:
    """``0x10000=app.bin``.

    Raises:
        BenchError: it is something else.
    """
    offset, equals, file = text.partition("=")
    try:
        if not equals or not file:
            raise ValueError
        return int(offset, 0), Path(file)
    except ValueError as error:
        raise BenchError(f"--offset is {text!r}; wanted such as '0x10000=app.bin'") from error


@contextmanager
def opened(file: Path, name: str | None, absent: bool = False) -> Iterator["UsbBoard"]:
    """A board of a bench, opened for one command, although it is not there if ``absent``; the others are not touched.

    An error in the block leaves its evidence behind.
    """
    from hil.device.open_bench import OpenBench

    known, spec = chosen(file, name)
    with TemporaryDirectory(prefix="hil-") as recorded:
        bench_of_one = OpenBench(replace(known, boards=(spec,)), Path(recorded), absent=absent)
        try:
            with closing(bench_of_one), explained(bench_of_one):
                yield bench_of_one.board()
        except HilError:
            say(keep(Path(recorded)))
            raise


@contextmanager
def explained(opened: "OpenBench") -> Iterator[None]:
    """Prints what the timeline says of a failure in the block, where it is the board's or its chip's."""
    began_ns = now_ns()
    try:
        yield
    except (BoardFailure, FlashRefused):
        with suppress(HilError):  # it is the first failure that counts
            say(_findings(opened, began_ns))
        raise


def keep(recorded: Path, folder: Path = EVIDENCE) -> str:
    """Copy what was recorded into ``folder``, in the place of what it held; says where it lies, or why it does not.

    A folder that hil did not make is left alone.
    """
    try:
        if folder.exists():
            if not (folder / MARK).exists():
                return f"evidence is not kept: {folder} was not made by hil"
            shutil.rmtree(folder)
        shutil.copytree(recorded, folder)
        (folder / MARK).touch()
    except OSError as error:
        return f"evidence is not kept: {folder}: {error.strerror or error}"
    return f"evidence in {folder}"


def _findings(opened: "OpenBench", began_ns: int) -> str:
    from hil.diagnosis import diagnose
    from hil.diagnosis.finding import NO_MATCH

    opened.witness.refresh()
    found = diagnose(opened.witness.timeline, opened.board().name, began_ns, now_ns())
    return "\n\n".join(finding.text(began_ns) for finding in found) or f"finding   {NO_MATCH}"
