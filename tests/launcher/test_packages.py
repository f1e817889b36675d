"""What apt is asked, and what is made of its answers."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.launcher.packages import Apt, Package, parse_stanza, run

UDEV = """\
Package: udev
Version: 252.39-1
Depends: libacl1 (>= 2.2.23), libkmod2 (>= 15), adduser, logind | systemd-tools:any
Pre-Depends: libc6 (>= 2.34)
Description: device manager
 Package: not-this-one

Package: udev
Version: 252.38-1
"""
KNOWN = {
    "udev": UDEV,
    "libkmod2": "Package: libkmod2\nVersion: 30-1\nDepends: libc6\n",
    "systemd-tools": "Package: systemd-tools\nVersion: 1\n",
}


class FakeApt:
    """Answers ``apt-cache show`` from a table and keeps the commands."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known = known
        self.commands: list[list[str]] = []

    def __call__(self, command: Sequence[str], directory: Path) -> str:
        self.commands.append(list(command))
        if command[0] == "apt-cache" and command[-1] not in self.known:
            raise SetupError("apt-cache: exit status 100: E: No packages found")
        return self.known.get(command[-1], "")


def test_the_first_stanza_gives_version_and_dependencies() -> None:
    """Versions and architecture qualifiers are dropped, alternatives kept."""
    package = parse_stanza(UDEV)
    wanted = (("libc6",), ("libacl1",), ("libkmod2",), ("adduser",), ("logind", "systemd-tools"))
    assert package == Package("udev", "252.39-1", wanted)
    assert parse_stanza("") is None


def test_only_what_the_host_lacks_is_taken(tmp_path: Path) -> None:
    """Installed packages and installation scripts' needs are left out, dependencies of the missing ones followed."""
    apt = Apt(tmp_path, lambda name: name in ("libc6", "libacl1"), FakeApt(KNOWN))
    assert [package.name for package in apt.missing(["udev"])] == ["udev", "libkmod2", "systemd-tools"]


def test_an_unknown_dependency_is_named(tmp_path: Path) -> None:
    """All its alternatives are in the message."""
    known = {name: text for name, text in KNOWN.items() if name != "systemd-tools"}
    apt = Apt(tmp_path, lambda name: name in ("libc6", "libacl1"), FakeApt(known))
    with pytest.raises(SetupError, match="no package logind or systemd-tools"):
        apt.missing(["udev"])


def test_own_lists_leave_the_system_alone(tmp_path: Path) -> None:
    """After fetching, every call names the private directory."""
    fake = FakeApt(KNOWN)
    apt = Apt(tmp_path, lambda name: False, fake)
    apt.fetch_lists()
    apt.find("udev")
    apt.download([Package("udev", "1", ())], tmp_path / "debs")
    assert all(f"Dir::State::lists={tmp_path}/lists" in command for command in fake.commands)
    assert fake.commands[-1][-2:] == ["download", "udev=1"]


def test_a_failing_command_says_what_it_printed(tmp_path: Path) -> None:
    """Exit status and last words are in the error; so is the name of a program that is not there."""
    with pytest.raises(SetupError, match="exit status 2: ls: "):
        run(["env", "LC_ALL=C", "ls", "/nonexistent"], tmp_path)
    with pytest.raises(SetupError, match="there is no apt-nothing here"):
        run(["apt-nothing"], tmp_path)
