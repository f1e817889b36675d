"""What the hil command prints, and where that cannot be."""

import os
import subprocess
import sys
from pathlib import Path

FULL = Path("/dev/full")
"""A file on a device that is full."""


def told(code: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
    """What a Python of its own does, with standard output on a full device."""
    command = [sys.executable, "-c", code]
    with FULL.open("wb") as output:
        return subprocess.run(
            command, stdout=output, stderr=subprocess.PIPE, env=os.environ | settings, timeout=60, check=False
        )


def test_an_answer_that_cannot_be_written_is_an_error() -> None:
    """As of `hil boards > bench.toml` on a full disk: one line, status 2."""
    ended = told("from hil.cli import main; raise SystemExit(main(['faults']))")
    line = b"hil faults: standard output: cannot be written: No space left on device\n"
    assert (ended.returncode, ended.stderr) == (2, line)


def test_work_goes_on_when_its_lines_cannot_be_written() -> None:
    """Each line after the first one is dropped; what is said of the first is for the caller to judge."""
    ended = told("from hil.cli.output import say; lost = say('a'); assert lost and not say('b'); raise SystemExit(5)")
    assert (ended.returncode, ended.stderr) == (5, b"")


def test_a_closed_standard_output_is_no_error() -> None:
    """As of `hil faults >&-`: the status alone is wanted."""
    command = [sys.executable, "-c", "from hil.cli import main; raise SystemExit(main(['faults']))"]
    ended = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command], stderr=subprocess.PIPE, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_terminal_without_utf8_shows_every_help() -> None:
    """What it cannot show is a question mark."""
    code = "from hil.cli import main; main(['init', '--help'])"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"NAME='PROGRAM ARGS?'" in ended.stdout
