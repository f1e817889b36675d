"""The round trip through the chip's loader against the board's own enumerations, in the virtual machine."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from measure import Row

from hil.errors import SetupError
from hil.launcher.launch import run

REPOSITORY = Path(__file__).parents[2]
IN_MACHINE = Path(__file__).with_name("round_trip.py")


def rows() -> Iterator[Row]:
    """One line, where a virtual machine can run."""
    name = "loader: application, ROM, application"
    with TemporaryDirectory(prefix="hil-bench-") as place:
        try:
            paths = os.pathsep.join((str(REPOSITORY), str(IN_MACHINE.parent)))
            argv = [sys.executable, str(IN_MACHINE), place]
            status = run(argv, rootdir=REPOSITORY, artifacts=Path(place), env={**os.environ, "PYTHONPATH": paths})
        except SetupError as error:
            yield Row(name, 0.0, "s", None, note=f"not measured: {error}")
            return
        assert status == 0
        found = json.loads(Path(place, "round_trip.json").read_text(encoding="utf-8"))
    yield Row(name, median(found["ours"]), "s", 1.2, median(found["bare"]))


if __name__ == "__main__":
    for row in rows():
        print(row.text)
