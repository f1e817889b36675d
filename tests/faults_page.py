"""Writes firmware/FAULTS.md: how each fault is made, and what shows each known pitfall.

usage, in the repository: python -m tests.faults_page
"""

import re
from collections.abc import Iterable
from pathlib import Path

from hil.catalogue import FAULTS, Entry
from hil.catalogue.pitfalls import FIRMWARES, Firmware, Pitfall
from hil.virtual.builtin import BUILTIN
from hil.virtual.core_abi import FirmwareConfig

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "firmware" / "FAULTS.md"
CORE = REPOSITORY / "firmware" / "core" / "src" / "mistakes.c"
PORT = REPOSITORY / "firmware" / "components" / "port_mistakes" / "port_mistakes.c"
HEAD = """# Faulty builds, and what finds them

Every known bug of this kind of firmware exists here as a board that has it, and a scenario that must call it by its
name. This page is made from `hil/catalogue`, `hil/virtual/builtin` and the tables of mistakes, and a test compares it.

At run time: `pytest -m hil --hil-virtual-fault NAME`, with the options of [docs/faults.md](../docs/faults.md). At
compile time: `idf.py menuconfig`, *Mistakes to make, by name* (`CONFIG_HIL_MISTAKES`), with the names of the second
column and blanks between them: those of the core (`core/src/mistakes.c`), which the virtual board makes with it, and
after "port:" those of the port to ESP-IDF (`components/port_mistakes`), which the virtual board puts in from outside.
Such a board says so in its log at each boot. `CONFIG_…` is a setting of its own. "none" says who makes the fault where
no setting of this firmware does: the cable, the chip, its loader with the stub, or lwIP and TinyUSB, which are used as
they are. Races are raised at named points of the core (`hil/virtual/points.py`), never by waiting. `make soak` runs all
of them at two timings and prints fault, scenario, finding and what came out.
"""
COLUMNS = ("run time", "compile time", "symptom", "source", "finding", "scenario")
PITFALL_COLUMNS = ("", "pitfall", "source", "shown by")


def core_mistakes() -> list[str]:
    """The switches of the core, in its order."""
    return _switches(CORE)


def port_mistakes() -> list[str]:
    """The switches of the port, in its order."""
    return _switches(PORT)


def _switches(table: Path) -> list[str]:
    return re.findall(r"^    MISTAKE\((\w+),", table.read_text(), re.MULTILINE)


def mistakes(fault: str) -> list[str]:
    """The core's switches that a built-in fault turns, as it turns them."""
    made = BUILTIN[fault]({}).configure(FirmwareConfig())
    return [name for name in core_mistakes() if getattr(made, name)]


def page() -> str:
    parts = [HEAD, f"{len(FAULTS)} faults, {len({entry.finding for entry in FAULTS})} findings.\n", faults(FAULTS)]
    parts.append("## Known pitfalls, and what shows them\n")
    parts += [pitfalls(firmware) for firmware in FIRMWARES]
    return "\n".join(parts)


def faults(entries: Iterable[Entry]) -> str:
    return table(COLUMNS, (row(entry) for entry in entries))


def row(entry: Entry) -> tuple[str, ...]:
    scenarios = ", ".join(scenario.partition("::")[2] or scenario for scenario in entry.scenarios)
    return (f"`{entry.fault}`", build(entry), entry.wrong, entry.seen_in, f"`{entry.finding}`", scenarios)


def build(entry: Entry) -> str:
    """What gives a build the fault, or who makes it where no build does."""
    ways = [f"`{name}`" for name in mistakes(entry.fault)]
    ways += [f"port: `{entry.port_mistake}`"] if entry.port_mistake else []
    ways += [f"`{setting}`" for setting in entry.kconfig]
    ways += [f"none: {entry.beyond_build}"] if entry.beyond_build else []
    return " ".join(ways)


def pitfalls(firmware: Firmware) -> str:
    rows = ((str(number), each.text, each.source, shown(each)) for number, each in enumerate(firmware.pitfalls, 1))
    return f"### {firmware.title}\n\n{table(PITFALL_COLUMNS, rows)}"


def shown(pitfall: Pitfall) -> str:
    """Faults, then the rule with its tests, then why no host can see it."""
    parts = [", ".join(f"`{fault}`" for fault in pitfall.faults)]
    if pitfall.rule:
        parts.append(f"{pitfall.rule} ({', '.join(f'`{test}`' for test in pitfall.tests)})")
    if pitfall.device_only:
        parts.append(f"device only: {pitfall.device_only}")
    return "; ".join(filter(None, parts))


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
