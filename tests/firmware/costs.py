"""Sizes of the core for the target, and costs of what it does most often, in instructions of the host.

``python -m tests.firmware.costs`` measures and writes firmware/core/COSTS.md; the budgets in it stay as they are.
"""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.firmware.toolchain import CHECKS, CORE, CPU, FIRMWARE, SOURCES, run, target

TABLE = FIRMWARE / "core" / "COSTS.md"
TIMES = 1000
"""As in firmware/checks/costs.c."""
OPERATIONS = (
    "event_record",
    "log_line",
    "foreign_line",
    "frame_received",
    "frame_sent",
    "status_request",
    "wake",
)
_SIZES = ("fw_core_size", "fw_config_size", "fw_response_size")
_ROW = re.compile(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    measured: int
    """Bytes or instructions, when the table was last written."""
    budget: int
    """What it may not pass."""


def table() -> dict[str, Row]:
    """The table as it stands, by name."""
    return {name: Row(int(measured), int(budget)) for name, measured, budget in _ROW.findall(TABLE.read_text())}


def sizes(directory: Path) -> dict[str, int]:
    """Bytes for the target: code and constants of the core, what it writes to for good (nothing), and its memory."""
    target("-c", *SOURCES, directory=directory)
    listed = run("xtensa-lx106-elf-size", "-t", *sorted(directory.glob("*.o")), directory=directory)
    code, data, bss = map(int, listed.splitlines()[-1].split()[:3])
    return {"code_and_constants": code, "writable_globals": data + bss, **_memory(directory)}


def _memory(directory: Path) -> dict[str, int]:
    calls = "".join(f'    printf("{name} %lu\\n", (unsigned long){name}());\n' for name in _SIZES)
    (directory / "told.c").write_text(f'#include <stdio.h>\n#include "fw_core.h"\nint main(void)\n{{\n{calls}}}\n')
    target("-c", CHECKS / "libc" / "libc.c", directory=directory)
    objects = sorted(directory.glob("*.o"))
    target("-nostdlib", "-I", CORE / "src", "-o", "told", "told.c", *objects, directory=directory)
    told = run("qemu-xtensa-static", "-cpu", CPU, directory / "told", directory=directory)
    return {name: int(bytes_) for name, bytes_ in (line.split() for line in told.splitlines())}


def instructions(directory: Path) -> dict[str, int]:
    """Instructions of each operation on this machine, with gcc -O1, the C library's included."""
    program = directory / "costs"
    flags = ("-std=c11", "-O1", "-g", "-I", CORE / "src")
    run("gcc", *flags, "-o", program, CHECKS / "costs.c", *SOURCES, directory=directory)
    return {name: _count(program, name, directory) for name in OPERATIONS}


def _count(program: Path, operation: str, directory: Path) -> int:
    out = directory / f"{operation}.callgrind"
    counted = ("--tool=callgrind", f"--callgrind-out-file={out}", f"--toggle-collect=measured_{operation}")
    run("valgrind", "-q", *counted, program, operation, directory=directory)
    total = re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE)
    assert total is not None, out.read_text()[:500]
    return int(total[1]) // TIMES


def _lines(measured: dict[str, int], old: dict[str, Row]) -> Iterator[str]:
    for name, value in measured.items():
        budget = old[name].budget if name in old else -(-value * 3 // 2 // 100) * 100
        yield f"| `{name}` | {value} | {budget} |"


def write() -> None:
    """Measure, and write the table anew."""
    old = table() if TABLE.is_file() else {}
    with tempfile.TemporaryDirectory() as scratch:
        of_target = _lines(sizes(Path(scratch)), old)
        of_host = _lines(instructions(Path(scratch)), old)
        TABLE.write_text(_TEXT.format(sizes="\n".join(of_target), costs="\n".join(of_host)))


_TEXT = """# What the core costs

`python -m tests.firmware.costs` measures and writes this page; `tests/firmware/test_costs.py` holds the budgets and
sees to it that the page is not far from the truth.

## Bytes, for the Xtensa windowed ABI

Debian's gcc-xtensa-lx106, `-Os -mabi=windowed`. ESP-IDF's own compiler comes close to it, and not to the byte.

| what | bytes | budget |
|---|---|---|
{sizes}

`fw_core_size` is all the memory that the core ever has: log ring, event log, commands that wait.

## Instructions, on an x86-64 host

Counted by callgrind, gcc `-O1`, the C library's formatting included; a frame has 590 bytes and is no DHCP.

| what | instructions | budget |
|---|---|---|
{costs}
"""

if __name__ == "__main__":
    write()
