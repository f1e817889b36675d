"""vhci_hcd's files, in a fake sysfs tree."""

import asyncio
from pathlib import Path

import pytest

from hil.errors import SetupError, VirtualBoardError
from hil.testing.vhci_tree import FREE, USED, VhciTree
from hil.virtual.usb.vhci import Vhci


def test_ports_are_named_by_topology_path(tmp_path: Path) -> None:
    """Eight full-speed ports a controller, on the bus of its high-speed hub; numbers go on over both hubs."""
    vhci = Vhci(VhciTree(tmp_path, controllers=2).platform)
    ports = vhci.ports()
    assert [port.path for port in ports] == [f"{bus}-{port}" for bus in (1, 3) for port in range(1, 9)]
    assert [port.number for port in ports] == [*range(8), *range(16, 24)]


def test_the_first_free_port_is_given_or_the_wanted_one(tmp_path: Path) -> None:
    """A port in use is passed over; a wanted one in use is refused with all states."""
    tree = VhciTree(tmp_path)
    tree.set_state(0, USED)
    vhci = Vhci(tree.platform)
    assert vhci.free_port().path == "1-2"
    assert vhci.free_port("1-5").number == 4
    with pytest.raises(
        VirtualBoardError, match=r"vhci_hcd.0/status: port 1-1 is not free; ports: 1-1 in use, 1-2 free"
    ):
        vhci.free_port("1-1")


def test_attach_and_detach_write_what_the_kernel_parses(tmp_path: Path) -> None:
    """'port fd devid speed' and 'port', into the first controller's files for every port."""
    tree = VhciTree(tmp_path, controllers=2)
    vhci = Vhci(tree.platform)
    vhci.attach(vhci.ports()[9], 7)
    vhci.detach(vhci.ports()[9])
    assert tree.attach.read_text() == "17 7 65538 2"
    assert tree.detach.read_text() == "17"


def test_waiting_for_a_port_ends_when_it_is_free_or_time_is_up(tmp_path: Path) -> None:
    """The port is freed some time after its socket was closed; a port that never is, is an error with its name."""

    async def scenario() -> None:
        tree = VhciTree(tmp_path)
        vhci = Vhci(tree.platform)
        port = vhci.free_port()
        tree.set_state(port.number, USED)
        with pytest.raises(VirtualBoardError, match=r"port 1-1 still in use after 0.01 s"):
            await vhci.wait_free(port, 0.01)
        asyncio.get_running_loop().call_later(0.01, tree.set_state, port.number, FREE)
        await vhci.wait_free(port, 2.0)
        assert vhci.is_free(port)

    asyncio.run(scenario())


def test_a_missing_module_is_named(tmp_path: Path) -> None:
    """Without vhci_hcd the error says what to load."""
    with pytest.raises(SetupError, match=r"vhci_hcd.0 does not exist: load the kernel module vhci_hcd"):
        Vhci(tmp_path).ports()


def test_refused_writes_name_the_file(tmp_path: Path) -> None:
    """A file that is not there, or that refuses, is named with the reason."""
    tree = VhciTree(tmp_path)
    vhci = Vhci(tree.platform)
    tree.attach.unlink()
    with pytest.raises(SetupError, match=r"vhci_hcd.0/attach: No such file or directory; the virtual board needs root"):
        vhci.attach(vhci.ports()[0], 3)
    tree.attach.mkdir()
    with pytest.raises(VirtualBoardError, match=r"vhci_hcd.0/attach: writing '0 3 65538 2': Is a directory"):
        vhci.attach(vhci.ports()[0], 3)


def test_a_controller_without_high_speed_hub_is_an_error(tmp_path: Path) -> None:
    """The bus number comes from the hub, so there must be one."""
    tree = VhciTree(tmp_path)
    (tree.platform / "vhci_hcd.0/usb1/speed").write_text("12\n")
    with pytest.raises(VirtualBoardError, match="no usbN with speed 480"):
        Vhci(tree.platform).ports()
