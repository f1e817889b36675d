"""One boot of the virtual machine, in which a module of the proofs finds out what its tests then judge."""

import os
import sys
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.launcher.launch import run

REPOSITORY = Path(__file__).parents[2]


def boot(module: str, folder: Path, *arguments: str) -> None:
    """Run ``python -m tests.proofs.MODULE FOLDER ARGUMENTS…`` in the machine; what it leaves in ``folder`` comes back.

    Skips where the machine lacks something.
    """
    run_there(folder, sys.executable, "-m", f"tests.proofs.{module}", str(folder), *arguments)


def run_there(folder: Path, *argv: str) -> None:
    """The same for any command."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    try:
        status = run(list(argv), rootdir=REPOSITORY, artifacts=folder, env=environment)
    except SetupError as error:
        pytest.skip(str(error))
    assert status == 0
