"""QEMU's command line and its absence."""

from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.launcher.assemble import Pieces
from hil.launcher.machine import SHOWN, Hardware, Machine, Share, architecture, arguments, find_qemu, virtual_cpus

SHARES = (Share("host", Path("/")), Share("artifacts", Path("/srv/a,b"), writable=True))


def line(accel: str = "tcg", machine_type: str = "x86_64") -> str:
    pieces = Pieces(machine_type, "6.1.0", Path("/cache"))
    return " ".join(arguments(Hardware(pieces, accel, SHARES, Path("/srv/console.log")), 9, [4, 5]))


def test_only_the_artifacts_are_writable() -> None:
    """The host's root is shared read-only; commas in a path are doubled."""
    assert "local,id=host,path=/,security_model=none,multidevs=remap,readonly=on" in line()
    assert "local,id=artifacts,path=/srv/a,,b,security_model=none,multidevs=remap -device" in line()


def test_ports_are_numbered_in_order() -> None:
    """The guest knows them by number: /dev/vport0p1 is the first."""
    assert "socket,id=port1,fd=4 -device virtserialport,nr=1,chardev=port1" in line()
    assert "socket,id=port2,fd=5 -device virtserialport,nr=2,chardev=port2" in line()


def test_the_accelerator_decides_on_the_cpu() -> None:
    """KVM has the host's, TCG all it can emulate."""
    assert "-accel tcg,thread=multi -cpu max" in line()
    assert "-accel kvm -cpu host" in line("kvm")


def test_arm64_is_a_virt_machine() -> None:
    """Its console has another name."""
    assert "-M virt" in line(machine_type="aarch64")
    assert "console=ttyAMA0" in line(machine_type="aarch64")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The package that holds QEMU, or the machine types that are known."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="install package qemu-system-x86"):
        find_qemu(architecture("x86_64"))
    with pytest.raises(SetupError, match="machine type 's390x'; known: aarch64, x86_64"):
        architecture("s390x")


def test_a_machine_that_prints_much_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody reads QEMU's errors before its end; the last of them say why it ended."""
    qemu = tmp_path / "qemu-system-x86_64"
    qemu.write_text("#!/bin/sh\nhead -c 300000 /dev/zero >&2\necho no more room >&2\n")
    qemu.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    pieces = Pieces("x86_64", "6.1.0", Path("/cache"))
    machine = Machine(Hardware(pieces, "tcg", (), tmp_path / "console.log"), b"", 0)
    try:
        machine.process.wait(5.0)
        assert machine.complaint().endswith("no more room")
        assert len(machine.complaint()) <= SHOWN
    finally:
        machine.close()


@pytest.mark.parametrize(("cores", "cpus"), [(1, 1), (2, 2), (4, 4), (16, 4)])
def test_a_machine_has_a_cpu_for_each_process_that_starts(cores: int, cpus: int) -> None:
    """Never more than the host has cores, nor than there are processes to start."""
    assert virtual_cpus(cores) == cpus
