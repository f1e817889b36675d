"""The `hil` command as a shell sees it."""

import os
import subprocess
import sys

import pytest

from hil.cli import main


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    """As in `hil faults | head`."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", "from hil.cli import main; raise SystemExit(main(['faults']))"]
    with os.fdopen(writing, "wb") as output:
        ended = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_ctrl_c_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 130, as a shell has it."""

    def attached() -> list[object]:
        raise KeyboardInterrupt

    monkeypatch.setattr("hil.cli.boards.attached", attached)
    assert main(["boards"]) == 130
    assert capsys.readouterr().err == "hil boards: interrupted\n"
