"""Where the virtual bench runs."""

import json
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.launcher.assemble import Pieces
from hil.launcher.planning import DRIVERS, _probe_key, accelerator, native_problem, plan


class FakeHost:
    """A system with everything, less what a test takes away."""

    def __init__(
        self, drivers: tuple[str, ...] = DRIVERS, sysfs: bool = True, root: bool = True, kvm: bool = False
    ) -> None:
        self.drivers, self.sysfs, self.root, self.kvm = drivers, sysfs, root, kvm

    def has_driver(self, name: str) -> bool:
        return name in self.drivers

    def sysfs_writable(self) -> bool:
        return self.sysfs

    def privileged(self) -> bool:
        return self.root

    def kvm_accessible(self) -> bool:
        return self.kvm


@pytest.fixture
def qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with every QEMU there is, none of which runs."""
    for name in ("qemu-system-x86_64", "qemu-system-aarch64"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_native_needs_drivers_a_writable_sysfs_and_rights() -> None:
    """Each one that is missing is the answer, by name."""
    assert native_problem(FakeHost()) is None
    assert "has no vhci_hcd, tun" in str(native_problem(FakeHost(("cdc_acm", "cdc_ncm", "usbmon", "veth"))))
    assert "/sys is read-only" in str(native_problem(FakeHost(sysfs=False)))
    assert "not root" in str(native_problem(FakeHost(root=False)))


def test_a_kernel_that_can_do_it_is_taken() -> None:
    """No QEMU is looked for."""
    chosen = plan({}, FakeHost())
    assert (chosen.name, chosen.native) == ("native", True)


def test_without_kvm_the_machine_is_emulated(qemu: Path) -> None:
    """The reason says what native lacks, too."""
    chosen = plan({}, FakeHost(root=False))
    assert chosen.name == "tcg"
    assert "sudo asks for a password" in chosen.reason
    assert "no access to /dev/kvm" in chosen.reason


def test_without_qemu_the_package_is_named(qemu: Path) -> None:
    """Neither way is open: the error says what to install."""
    for name in qemu.iterdir():
        name.unlink()
    with pytest.raises(SetupError, match="install package qemu-system-"):
        plan({}, FakeHost(root=False))


@pytest.mark.parametrize(("problem", "name"), [(None, "kvm"), ("it hung", "tcg")])
def test_kvm_counts_by_what_it_did_before(qemu: Path, tmp_path: Path, problem: str | None, name: str) -> None:
    """A kept result is believed; a problem is repeated in the reason."""
    pieces = Pieces("x86_64", "6.1.0", tmp_path)
    (tmp_path / f"kvm-{_probe_key(pieces)}.json").write_text(json.dumps({"problem": problem}))
    chosen = accelerator(pieces, tmp_path, FakeHost(kvm=True))
    assert chosen.name == name
    assert (problem or "KVM boots") in chosen.reason


def test_another_kernel_or_qemu_is_tried_anew(qemu: Path, tmp_path: Path) -> None:
    """The kept result belongs to exactly what was tried."""
    before = _probe_key(Pieces("x86_64", "6.1.0", tmp_path))
    assert _probe_key(Pieces("x86_64", "6.1.1", tmp_path)) != before
    (qemu / "qemu-system-x86_64").write_text("newer")
    assert _probe_key(Pieces("x86_64", "6.1.0", tmp_path)) != before
