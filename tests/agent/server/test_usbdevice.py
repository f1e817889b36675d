"""USB devices by topology path, on a made-up sysfs tree."""

from pathlib import Path

import pytest

from hil.agent.server.usbdevice import UsbDevice
from hil.errors import AgentError, AgentRefused, SetupError
from hil.testing.usb_tree import UsbTree


@pytest.fixture
def tree(tmp_path: Path) -> UsbTree:
    """A tree with one device at 1-1.2."""
    made = UsbTree(tmp_path / "sys")
    made.attach("1-1.2")
    return made


def device(tree: UsbTree, path: str = "1-1.2") -> UsbDevice:
    return UsbDevice(path, tree.root, tree.root.parent / "dev")


@pytest.mark.parametrize("path", ["", "1", "1-", "1-1/..", "../1-1", "1-1.", "usb1", "1-1\n", "1-1:1.0", "١-1"])
def test_only_topology_paths_are_paths(tree: UsbTree, path: str) -> None:
    """Anything else never reaches the file system."""
    with pytest.raises(AgentRefused, match="is not a topology path"):
        device(tree, path)


def test_a_device_is_found_by_its_path(tree: UsbTree) -> None:
    """The resolved directory is that of the device."""
    assert device(tree).directory() == tree.directory("1-1.2").resolve()


def test_an_empty_port_is_named(tree: UsbTree) -> None:
    """Where nothing is attached the error says so."""
    with pytest.raises(AgentError, match=r"no USB device at 1-1\.3"):
        device(tree, "1-1.3").directory()


def test_a_link_to_another_device_is_refused(tree: UsbTree) -> None:
    """A link that leads to a device of another name is not followed."""
    tree.attach("1-4")
    (tree.root / "bus/usb/devices/1-3").symlink_to(tree.directory("1-4"))
    with pytest.raises(AgentRefused, match="which is not the USB device 1-3"):
        device(tree, "1-3").directory()


def test_a_link_out_of_sysfs_is_refused(tree: UsbTree, tmp_path: Path) -> None:
    """A link that leaves the tree is not followed."""
    (tmp_path / "elsewhere/1-3").mkdir(parents=True)
    (tree.root / "bus/usb/devices/1-3").symlink_to(tmp_path / "elsewhere/1-3")
    with pytest.raises(AgentRefused, match="which is not the USB device 1-3"):
        device(tree, "1-3").directory()


def test_a_device_that_says_it_is_another_is_refused(tree: UsbTree) -> None:
    """busnum and devpath must agree with the path."""
    (tree.directory("1-1.2") / "devpath").write_text("1.7\n")
    with pytest.raises(AgentRefused, match=r"says it is 1-1\.7, not 1-1\.2"):
        device(tree).directory()


@pytest.mark.parametrize(
    ("name", "value", "file"),
    [
        ("authorized", "0", "authorized"),
        ("control", "auto", "power/control"),
        ("autosuspend_delay_ms", "-1", "power/autosuspend_delay_ms"),
        ("port_disable", "1", "../1-1:1.0/1-1-port2/disable"),
    ],
)
def test_an_attribute_is_written_to_its_file(tree: UsbTree, name: str, value: str, file: str) -> None:
    """Each name stands for one file of the device or its hub's port."""
    device(tree).write(name, value)
    assert tree.attribute("1-1.2", file).startswith(value)


def test_the_port_of_a_root_hub_is_found(tree: UsbTree) -> None:
    """A device that hangs directly on the controller has its port in the root hub."""
    place = tree.attach("1-3")
    device(tree, "1-3").write("port_disable", "1")
    assert (place.parent / "1-0:1.0/usb1-port3/disable").read_text().startswith("1")


def test_a_port_can_be_enabled_while_nothing_is_attached(tree: UsbTree) -> None:
    """A disabled port has no device; its attribute must be reachable all the same."""
    (tree.root / "bus/usb/devices/1-1.2").unlink()
    assert device(tree).read("port_disable") == "0"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("authorized", "2", "authorized of 1-1.2: '2' may not be written; wanted '0' or '1'"),
        ("control", "0", "wanted 'auto' or 'on'"),
        ("autosuspend_delay_ms", "-2", "wanted milliseconds from -1 to 2147483647"),
        ("autosuspend_delay_ms", "2147483648", "wanted milliseconds from -1 to 2147483647"),
        ("runtime_status", "on", "attribute 'runtime_status' may not be written; known: authorized, "),
        ("../remove", "1", "attribute '../remove' may not be written"),
    ],
)
def test_a_wrong_value_is_refused(tree: UsbTree, name: str, value: str, words: str) -> None:
    """Only the fixed names with the values that they take are written."""
    with pytest.raises(AgentRefused) as refused:
        device(tree).write(name, value)
    assert words in str(refused.value)


def test_an_unknown_attribute_is_not_read(tree: UsbTree) -> None:
    """Reading is as narrow as writing."""
    with pytest.raises(AgentRefused, match="attribute 'serial' may not be touched; known: "):
        device(tree).read("serial")


def test_a_kernel_without_port_disable_is_named(tree: UsbTree) -> None:
    """An old kernel's missing attribute is a matter of setup."""
    (tree.directory("1-1") / "1-1:1.0/1-1-port2/disable").unlink()
    with pytest.raises(SetupError, match="has no attribute 'disable'"):
        device(tree).read("port_disable")


def test_interfaces_are_found_below_the_device(tree: UsbTree) -> None:
    """Those of another device do not count, and names do not matter."""
    tree.attach("1-1.3")
    tree.add_interface("1-1.2", "enx02", 7)
    tree.add_interface("1-1.3", "usb0", 8)
    assert [(found.name, found.index) for found in device(tree).interfaces()] == [("enx02", 7)]


def test_serial_ports_of_both_layouts_are_found(tree: UsbTree) -> None:
    """cdc_acm and usb-serial put the port in different places."""
    tree.add_tty("1-1.2", "ttyACM3", (166, 3))
    bridge = tree.directory("1-1.2") / "1-1.2:1.4/ttyUSB0/tty/ttyUSB0"
    bridge.mkdir(parents=True)
    (bridge / "dev").write_text("188:0\n")
    assert device(tree).ttys() == ["ttyACM3", "ttyUSB0"]
    assert device(tree).tty_number("ttyUSB0") == (188, 0)


def test_a_device_that_is_gone_has_nothing_below(tree: UsbTree) -> None:
    """Looking at an empty port is no error."""
    assert device(tree, "1-9").interfaces() == []
    assert device(tree, "1-9").ttys() == []


def test_a_uevent_below_the_device_is_its_own() -> None:
    """A path component must match whole: 1-1.2 is neither 1-1.22 nor its hub."""
    found = UsbDevice("1-1.2")
    assert found.contains("/devices/platform/vhci_hcd.0/usb1/1-1/1-1.2/1-1.2:1.0/net/eth0")
    assert found.contains("/devices/x/usb1/1-1/1-1.2")
    assert not found.contains("/devices/x/usb1/1-1/1-1.22/1-1.22:1.0/net/eth0")
    assert not found.contains("/devices/x/usb1/1-1/1-1:1.0")


def test_a_virtual_path_hangs_under_vhci(tmp_path: Path) -> None:
    """Only a bus of vhci_hcd is a virtual one."""
    real = UsbTree(tmp_path / "real", "pci0000:00/0000:00:14.0")
    real.attach("1-1")
    virtual = UsbTree(tmp_path / "virtual")
    virtual.attach("1-1")
    device(virtual, "1-1").require_virtual()
    with pytest.raises(AgentRefused, match=r"1-1 hangs under 0000:00:14.0, not under a vhci_hcd device"):
        device(real, "1-1").require_virtual()


def test_a_reset_of_a_device_without_node_is_an_error(tree: UsbTree) -> None:
    """The node that is missing is named."""
    with pytest.raises(AgentError, match=r"USBDEVFS_RESET on .*/bus/usb/001/002: No such file"):
        device(tree).reset()
