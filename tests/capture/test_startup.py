"""What the capture process loads: it is started for every bench, which waits until it answers."""

import subprocess
import sys

import pytest

LIBRARY = (
    "argparse asyncio concurrent.futures email http importlib.metadata importlib.resources logging multiprocessing ssl "
    "subprocess tempfile tomllib h11 pyroute2 pyudev pytest serial"
)
OURS = "hil.agent hil.board hil.device hil.expect hil.net hil.profiles hil.plugin hil.virtual"


@pytest.mark.slow
def test_the_capture_process_loads_only_what_it_needs() -> None:
    """Nothing of the layers beside and above it, and of the library none of the big packages."""
    script = "import sys, hil.capture.station; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert sorted(loaded.intersection(f"{LIBRARY} {OURS}".split())) == []
