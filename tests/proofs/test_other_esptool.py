"""The versions of esptool that are not locked and are in use: the same tests of loader and flasher, with each."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proofs.pytest_runs import require_green

OLDER = ("5.2.0",)
INSTALL_S = 300
WITHIN_S = 600

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.timeout(INSTALL_S + WITHIN_S + 60)]


@pytest.mark.parametrize("version", OLDER)
def test_loader_and_flasher_go_with_another_esptool(tmp_path: Path, version: str) -> None:
    """Everything that esptool does to the virtual chip over a pty, and everything that hil does with esptool."""
    pip = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(tmp_path / "esptool"))
    subprocess.run([*pip, f"esptool=={version}"], check=True, timeout=INSTALL_S)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "esptool")}
    told = subprocess.check_output(
        [sys.executable, "-c", "import esptool; print(esptool.__version__)"], env=environment, text=True
    )
    assert told.strip() == version
    rooms = ("tests/virtual/rom", "tests/flash", "tests/device/test_flashing.py")
    require_green("-m", "not soak", *rooms, within_s=WITHIN_S, env=environment)
