"""The firmware core, built on the host: a compiler takes ten seconds in an emulated machine for what takes one here."""

import subprocess
import sys
from pathlib import Path

COMMAND = (sys.executable, "-P", "-m", "hil.virtual.build")
WITHIN_S = 60.0


def built(command: tuple[str, ...] = COMMAND) -> Path | None:
    """The library; None where it cannot be built here. Then the machine tries, and says what it lacks."""
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=WITHIN_S)
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(done.stdout.strip())
