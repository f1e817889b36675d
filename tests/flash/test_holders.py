"""Who else has a port open, from a /proc that the test has made, and from the real one."""

import os
import subprocess
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.flash.holders import Holder, holders, refused, require_free

NODE = "/dev/ttyACM0"


def process(proc: Path, pid: int, name: str, command: str, node: str = NODE) -> None:
    (proc / str(pid) / "fd").mkdir(parents=True)
    (proc / str(pid) / "fd" / "5").symlink_to(node)
    (proc / str(pid) / "comm").write_text(f"{name}\n")
    (proc / str(pid) / "cmdline").write_text(command.replace(" ", "\0"))


def test_a_holder_is_named(tmp_path: Path) -> None:
    """With process and command; others and this one are not."""
    process(tmp_path, 41, "minicom", "minicom -D /dev/ttyACM0")
    process(tmp_path, 42, "cat", "cat", "/dev/ttyACM1")
    process(tmp_path, os.getpid(), "pytest", "pytest")
    (tmp_path / "43" / "fd").mkdir(parents=True)
    (tmp_path / "self").mkdir()
    assert holders(NODE, tmp_path) == [Holder(41, "minicom", "minicom -D /dev/ttyACM0")]
    with pytest.raises(SetupError) as held:
        require_free(NODE, "s3-a", tmp_path)
    assert str(held.value) == (
        "board s3-a: /dev/ttyACM0 is open in process 41 (minicom -D /dev/ttyACM0); nothing was written; end it first"
    )


def test_modem_manager_comes_with_the_rule_that_stops_it(tmp_path: Path) -> None:
    """Ending it would help until the next plug."""
    process(tmp_path, 512, "ModemManager", "/usr/sbin/ModemManager")
    with pytest.raises(SetupError) as held:
        require_free(NODE, "s3-a", tmp_path)
    assert str(held.value) == (
        "board s3-a: /dev/ttyACM0 is open in process 512 (/usr/sbin/ModemManager); nothing was written; ModemManager "
        'probes it for a modem: put `ATTRS{idVendor}=="303a", ENV{ID_MM_DEVICE_IGNORE}="1"` into '
        "/etc/udev/rules.d/99-hil-no-modem-manager.rules and plug it anew"
    )


def test_a_free_port(tmp_path: Path) -> None:
    """Nothing is raised, and a /proc that cannot be read holds nobody."""
    require_free(NODE, "s3-a", tmp_path)
    assert holders(NODE, tmp_path / "gone") == []


def test_a_real_process_is_found() -> None:
    """One that has a pseudo-terminal open."""
    ours, theirs = os.openpty()
    node = os.ttyname(theirs)
    with subprocess.Popen(["sleep", "30"], stdin=theirs) as sleeper:
        assert [(each.pid, each.command) for each in holders(node)] == [(sleeper.pid, "sleep 30")]
        sleeper.kill()
    os.close(ours)
    os.close(theirs)


def test_a_port_that_may_not_be_opened() -> None:
    """The remedy depends on the reason."""
    assert str(refused(NODE, "s3-a", PermissionError(13, "Permission denied"))) == (
        "board s3-a: /dev/ttyACM0: Permission denied; `sudo hil init` lets the agent open it for you; or join the "
        "group that the node belongs to"
    )
    assert "has come back under another name" in str(refused(NODE, "s3-a", FileNotFoundError(2, "No such file")))
    assert str(refused(NODE, "s3-a", OSError(16, "Device or resource busy"))) == (
        "board s3-a: /dev/ttyACM0: Device or resource busy"
    )
