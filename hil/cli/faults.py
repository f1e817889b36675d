"""``hil faults``: the faults of the virtual board, the scenarios that find them and the findings."""

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hil.catalogue import FAULTS, Entry

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

COLUMNS = ("fault", "scenario", "finding")


def add(commands: "Commands") -> None:
    parser = commands.add_parser("faults", help="list the faults of the virtual board, and what must find each")
    parser.add_argument("--markdown", action="store_true", help="with what is wrong and where it was seen, as a table")
    parser.set_defaults(run=lambda options: (markdown if options.markdown else matrix)(FAULTS))


def matrix(faults: Iterable[Entry]) -> str:
    """One line a fault and scenario, in columns."""
    rows = [COLUMNS]
    for entry in faults:
        rows += [(entry.fault, _plain(scenario), entry.finding) for scenario in entry.scenarios]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def markdown(faults: Iterable[Entry]) -> str:
    """The table of docs/faults.md."""
    rows = [
        (f"`{each.fault}`", each.wrong, each.seen_in, f"`{each.finding}`", ", ".join(map(_plain, each.scenarios)))
        for each in faults
    ]
    head = ("fault", "what is wrong", "seen in", "finding", "scenario that must find it")
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def _plain(scenario: str) -> str:
    """'connect' for ``test_connect.py``, 'test_ten_rapid_replugs' for ``test_replug.py::test_ten_rapid_replugs``."""
    file, _, test = scenario.partition("::")
    return test or file.removeprefix("test_").removesuffix(".py")


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
