"""The agent's command line."""

import subprocess
import sys
from pathlib import Path

import pytest

from hil.agent import __main__ as process
from hil.agent import allow


def test_where_it_serves_must_be_said() -> None:
    """Neither or both of --fd and --listen is an error."""
    for argv in ([], ["--fd", "3", "--listen", "/x"]):
        with pytest.raises(SystemExit):
            process.arguments(argv)


def test_a_list_and_no_list_exclude_each_other() -> None:
    """--allow-virtual stands for an allow list."""
    with pytest.raises(SystemExit):
        process.arguments(["--fd", "3", "--allow", "/x", "--allow-virtual"])


def test_the_defaults_are_the_narrow_ones() -> None:
    """Root alone, the machine's own list, no files of faults."""
    options = process.arguments(["--listen", "/run/hil/agent.sock"])
    assert (options.uid, options.allow, options.allow_virtual) == (0, allow.DEFAULT, False)
    assert options.allow_fault_files is False


@pytest.mark.root
def test_a_missing_list_ends_it_with_the_reason(tmp_path: Path) -> None:
    """An agent without an allow list does not start."""
    command = [sys.executable, "-m", "hil.agent", "--listen", str(tmp_path / "s"), "--allow", str(tmp_path / "none")]
    ended = subprocess.run(command, capture_output=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert b"cannot be read: No such file or directory; 'sudo hil init' writes it" in ended.stderr
    assert not (tmp_path / "s").exists()


@pytest.mark.root
def test_a_socket_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """As where /run/hil is missing."""
    place = tmp_path / "none" / "agent.sock"
    command = [sys.executable, "-m", "hil.agent", "--listen", str(place), "--allow-virtual"]
    ended = subprocess.run([*command, "--run-dir", str(tmp_path)], capture_output=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (2, f"hil-agent: --listen {place}: No such file or directory\n".encode())
