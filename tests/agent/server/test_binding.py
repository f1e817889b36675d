"""Drivers as attributes, on a made-up tree."""

from pathlib import Path

import pytest

from hil.agent.server.usbdevice import UsbDevice
from hil.errors import AgentError
from hil.testing.usb_tree import UsbTree


@pytest.fixture
def tree(tmp_path: Path) -> UsbTree:
    """A device at 1-1.2 with its driver, cdc_acm on one interface and cdc_ncm on another."""
    made = UsbTree(tmp_path / "sys")
    made.attach("1-1.2")
    made.bind("1-1.2", "usb")
    made.bind("1-1.2", "cdc_acm", "1-1.2:1.0", ("02", "02"))
    made.bind("1-1.2", "cdc_ncm", "1-1.2:1.2", ("02", "0d"))
    return made


def device(tree: UsbTree) -> UsbDevice:
    return UsbDevice("1-1.2", tree.root)


@pytest.mark.parametrize(
    ("name", "driver", "written"), [("bound", "usb", "1-1.2"), ("bound_ncm", "cdc_ncm", "1-1.2:1.2")]
)
def test_a_driver_is_unbound_and_bound_by_name(tree: UsbTree, name: str, driver: str, written: str) -> None:
    """The kernel is told the device or the interface, in the file for the one or the other."""
    place = tree.root / "bus/usb/drivers" / driver
    device(tree).write(name, "0")
    assert ((place / "unbind").read_text(), (place / "bind").read_text()) == (written, "\n")
    device(tree).write(name, "1")
    assert (place / "bind").read_text() == written


def test_whether_a_driver_is_bound_is_read_from_its_link(tree: UsbTree) -> None:
    """As sysfs shows it."""
    assert (device(tree).read("bound"), device(tree).read("bound_ncm")) == ("1", "1")
    (tree.directory("1-1.2") / "1-1.2:1.2/driver").unlink()
    assert (device(tree).read("bound"), device(tree).read("bound_ncm")) == ("1", "0")


def test_a_device_without_ncm_is_named(tmp_path: Path) -> None:
    """A board in its bootloader has none."""
    tree = UsbTree(tmp_path / "sys")
    tree.attach("1-1.2")
    with pytest.raises(AgentError, match=r"1-1.2 has no NCM interface \(class 02, subclass 0d\)"):
        device(tree).read("bound_ncm")
