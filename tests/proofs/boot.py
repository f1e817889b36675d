"""One boot of the virtual machine, in which a module of the proofs finds out what its tests then judge.

usage, in the repository: python -m tests.proofs.boot FOLDER MODULE ARGUMENTS…
"""

import os
import sys
from pathlib import Path

from hil.errors import SetupError
from hil.launcher.launch import run
from tests.proofs.pytest_runs import REPOSITORY

LACKS = 77
"""Exit status where the machine lacks something; what Automake's tests exit with to be skipped."""


def boot(folder: Path, *argv: str) -> int:
    """Run a command in the machine; what it leaves in ``folder`` comes back. Its exit status.

    Raises:
        SetupError: the machine lacks something.
    """
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return run(list(argv), rootdir=REPOSITORY, artifacts=folder, env=environment)


def main(folder: str, module: str, *arguments: str) -> int:
    """Run ``python -m tests.proofs.MODULE FOLDER ARGUMENTS…`` there."""
    try:
        return boot(Path(folder), sys.executable, "-m", f"tests.proofs.{module}", folder, *arguments)
    except SetupError as error:
        print(error)
        return LACKS


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
