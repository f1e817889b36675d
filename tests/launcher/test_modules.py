"""Order and content of kernel modules."""

import gzip
import lzma
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.launcher.modules import ModuleTree, module_name


@pytest.fixture
def tree(tmp_path: Path) -> ModuleTree:
    """9p needs 9pnet, which needs nothing; vhci-hcd is compressed; overlay is built in."""
    (tmp_path / "modules.dep").write_text(
        "fs/9p.ko: net/9pnet.ko\nnet/9pnet.ko:\nusb/vhci-hcd.ko.xz: fs/9p.ko net/9pnet.ko\n"
    )
    (tmp_path / "modules.builtin").write_text("kernel/fs/overlayfs/overlay.ko\n")
    for name in ("fs", "net", "usb"):
        (tmp_path / name).mkdir()
    (tmp_path / "fs/9p.ko").write_bytes(b"9p")
    (tmp_path / "net/9pnet.ko").write_bytes(b"net")
    (tmp_path / "usb/vhci-hcd.ko.xz").write_bytes(lzma.compress(b"vhci"))
    return ModuleTree(tmp_path)


def test_a_module_follows_what_it_needs(tree: ModuleTree) -> None:
    """Dependencies come first, once each, and built-in modules are left out."""
    assert tree.load_order(["overlay", "vhci_hcd", "9p"]) == ["net/9pnet.ko", "fs/9p.ko", "usb/vhci-hcd.ko.xz"]


def test_an_unknown_module_is_named(tree: ModuleTree) -> None:
    """The message says which kernel lacks what."""
    with pytest.raises(SetupError, match="has no module 'dummy_hcd'"):
        tree.load_order(["dummy_hcd"])


def test_modules_come_uncompressed(tree: ModuleTree) -> None:
    """insmod in the RAM disk takes plain files only."""
    assert tree.read("usb/vhci-hcd.ko.xz") == b"vhci"
    assert tree.read("fs/9p.ko") == b"9p"
    (tree.directory / "x.ko.gz").write_bytes(gzip.compress(b"gz"))
    assert tree.read("x.ko.gz") == b"gz"


def test_what_the_kernel_can_do_includes_its_own_parts(tree: ModuleTree) -> None:
    """Built in or loadable, under the name that lsmod shows."""
    assert [tree.has(name) for name in ("overlay", "vhci_hcd", "tun")] == [True, True, False]
    assert module_name("kernel/drivers/usb/usbip/vhci-hcd.ko.xz") == "vhci_hcd"
