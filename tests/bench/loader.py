"""What a loader costs on the kernel's own USB, in the virtual machine.

The round trip through it is held against the board's own enumerations, flashing against esptool's command line.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from flash import LIMITS
from measure import Row

from hil.errors import SetupError
from hil.launcher.launch import run

REPOSITORY = Path(__file__).parents[2]
IN_MACHINE = Path(__file__).with_name("on_kernel.py")
ROUND_TRIP = 1.2


def rows() -> Iterator[Row]:
    """Four lines, where a virtual machine can run."""
    names = {"loader": ("loader: application, ROM, application", ROUND_TRIP)}
    names |= {name: (f"flash over USB/IP: {name}", limit) for name, limit in LIMITS.items()}
    with TemporaryDirectory(prefix="hil-bench-") as place:
        try:
            paths = os.pathsep.join((str(REPOSITORY), str(IN_MACHINE.parent)))
            argv = [sys.executable, str(IN_MACHINE), place]
            status = run(argv, rootdir=REPOSITORY, artifacts=Path(place), env={**os.environ, "PYTHONPATH": paths})
        except SetupError as error:
            yield from (Row(name, 0.0, "s", None, note=f"not measured: {error}") for name, _ in names.values())
            return
        assert status == 0
        found = json.loads(Path(place, "on_kernel.json").read_text(encoding="utf-8"))
    for key, (name, limit) in names.items():
        ours, bare = found[key]
        yield Row(name, ours, "s", limit, bare, note="" if key == "loader" else "one run")


if __name__ == "__main__":
    for row in rows():
        print(row.text)
