"""The firmware core that the machine is given."""

import shutil
import sys

import pytest

from hil.launcher.firmware_core import built


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_the_library_is_there() -> None:
    """What is returned is a file that the loader can take."""
    library = built()
    assert library is not None
    assert library.read_bytes()[:4] == b"\x7fELF"


@pytest.mark.parametrize("command", [(sys.executable, "-c", "raise SystemExit(1)"), ("/nonexistent/python",)])
def test_a_host_that_cannot_build_it_is_no_error(command: tuple[str, ...]) -> None:
    """The machine may need no core at all; where it does, the virtual board says what is missing."""
    assert built(command) is None
