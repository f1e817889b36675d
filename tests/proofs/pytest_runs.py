"""pytest as the proofs run it, here or in the machine: it says little, and leaves nothing behind."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
QUIET = ("-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
PYTEST = (sys.executable, "-m", "pytest", *QUIET)
SHOWN = 20_000


def require_green(*arguments: str, within_s: float, env: Mapping[str, str] | None = None) -> None:
    """Run pytest in the repository, and fail with what it said last where it fails."""
    done = subprocess.run(
        [*PYTEST, *arguments],
        check=False,
        cwd=REPOSITORY,
        env=os.environ if env is None else env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=within_s,
    )
    assert done.returncode == 0, done.stdout[-SHOWN:]
