"""Which ports lose power together, and what hangs on them, on made-up trees."""

from pathlib import Path

import pytest

from hil.agent.server.hubs import HubPort, Hubs
from hil.errors import AgentRefused, SetupError
from hil.testing.usb_tree import UsbTree

LIST = "/etc/hil/allow.toml"


@pytest.fixture
def desk(tmp_path: Path) -> UsbTree:
    """A PC: a USB 3 hub, its SuperSpeed half on bus 2, a board on port 2 and a stick on port 3."""
    tree = UsbTree(tmp_path / "sys")
    tree.add_root_hub(1, 4, "pci0000:00/0000:00:14.0")
    tree.add_root_hub(2, 4, "pci0000:00/0000:00:14.0")
    tree.add_hub("1-1", 4)
    tree.add_hub("2-1", 4)
    for number in range(1, 5):
        tree.pair(f"1-1.{number}", f"2-1.{number}")
    tree.attach("1-1.2")
    tree.attach("1-1.3", vid="0781", pid="5581", product="Ultra")
    return tree


@pytest.fixture
def pi_5(tmp_path: Path) -> UsbTree:
    """A Raspberry Pi 5 with a board on one port, a hub with another board on a second and a disk on a third."""
    tree = UsbTree(tmp_path / "sys")
    tree.set_model("Raspberry Pi 5 Model B Rev 1.0")
    for bus, ports, controller in ((1, 2, 0), (2, 1, 0), (3, 2, 1), (4, 1, 1)):
        tree.add_root_hub(
            bus, ports, f"platform/axi/1000120000.pcie/1f00{controller + 2}00000.usb/xhci-hcd.{controller}"
        )
    tree.attach("1-2")
    tree.add_hub("3-1", 4)
    tree.attach("3-1.4")
    tree.attach("4-1", vid="152d", pid="0583", product="Disk")
    return tree


def ports(*paths: str) -> list[HubPort]:
    return [HubPort.of(path) for path in paths]


@pytest.mark.parametrize("path", ["1-2", "1-1.2", "2-1.4.3"])
def test_a_port_knows_what_hangs_on_it(path: str) -> None:
    """From the path to the port and back."""
    assert HubPort.of(path).path == path


def test_a_port_has_its_place_in_sysfs(desk: UsbTree) -> None:
    """Ports of root hubs and of other hubs are named differently; both are there."""
    for path in ("1-3", "1-1.2"):
        assert (desk.root / "bus/usb/devices" / HubPort.of(path).place / "disable").exists()


def test_a_usb_3_port_has_two_halves(desk: UsbTree) -> None:
    """Switched port by port, one port and its peer go together."""
    assert Hubs(desk.root).gang(HubPort("1-1", 2), ganged=False) == ports("1-1.2", "2-1.2")


def test_a_port_without_peer_goes_alone(desk: UsbTree) -> None:
    """A USB 2 port has no other half."""
    assert Hubs(desk.root).gang(HubPort("1", 3), ganged=False) == ports("1-3")


def test_all_ports_of_a_ganged_hub_go_together(desk: UsbTree) -> None:
    """With their peers."""
    wanted = [f"{hub}.{number}" for hub in ("1-1", "2-1") for number in range(1, 5)]
    assert Hubs(desk.root).gang(HubPort("1-1", 2), ganged=True) == ports(*wanted)


def test_the_four_ports_of_a_pi_5_are_one_gang(pi_5: UsbTree) -> None:
    """Whatever its hubs say; a hub that is plugged into it switches for itself."""
    hubs = Hubs(pi_5.root)
    assert hubs.model() == "Raspberry Pi 5 Model B Rev 1.0"
    assert hubs.gang(HubPort("1", 2), ganged=False) == ports("1-1", "1-2", "2-1", "3-1", "3-2", "4-1")
    assert hubs.gang(HubPort("3-1", 4), ganged=False) == ports("3-1.4")


def test_the_virtual_bench_of_a_pi_5_is_not_in_its_gang(pi_5: UsbTree) -> None:
    """Root hubs of vhci_hcd are no ports of the machine."""
    pi_5.add_root_hub(5, 8, "platform/vhci_hcd.0")
    hubs = Hubs(pi_5.root)
    assert hubs.gang(HubPort("5", 1), ganged=False) == ports("5-1")
    assert HubPort("5", 1) not in hubs.gang(HubPort("1", 2), ganged=False)


def test_other_ports_of_a_raspberry_pi_are_not_switched(tmp_path: Path) -> None:
    """How they hang together is not known here; hubs that are plugged in are."""
    tree = UsbTree(tmp_path / "sys")
    tree.set_model("Raspberry Pi 4 Model B Rev 1.4")
    tree.add_root_hub(1, 1, "platform/scb/fd500000.pcie/pci0000:00/0000:00:00.0/0000:01:00.0")
    tree.add_hub("1-1", 4, "2109", "3431")
    tree.add_hub("1-1.2", 4, "2109", "3431")
    hubs = Hubs(tree.root)
    for hub in ("1", "1-1"):
        with pytest.raises(SetupError, match=f"port 1 of hub {hub} is one of Raspberry Pi 4 Model B Rev 1.4's own"):
            hubs.gang(HubPort(hub, 1), ganged=False)
    assert hubs.gang(HubPort("1-1.2", 1), ganged=False) == ports("1-1.2.1")


def test_what_is_not_named_keeps_its_power(desk: UsbTree) -> None:
    """The refusal says which device it is, on which ports, and what to do."""
    hubs = Hubs(desk.root)
    hubs.require_named(ports("1-1.2", "2-1.2"), {"1-1.2"}, LIST)
    with pytest.raises(AgentRefused) as refused:
        hubs.require_named(hubs.gang(HubPort("1-1", 2), ganged=True), {"1-1.2"}, LIST)
    assert str(refused.value) == (
        "port 1+2+3+4 of hub 1-1, port 1+2+3+4 of hub 2-1 may not be switched off: 1-1.3 (0781:5581 Ultra) would lose "
        "power too, and /etc/hil/allow.toml does not name it; name it in also_off of bench.toml, or take a hub with "
        "per-port switching"
    )


def test_a_disk_on_a_pi_5_is_named_wherever_it_hangs(pi_5: UsbTree) -> None:
    """The hub between is the way to a board that is named; the disk on the other controller is not."""
    hubs = Hubs(pi_5.root)
    gang = hubs.gang(HubPort("1", 2), ganged=False)
    with pytest.raises(AgentRefused, match=r"off: 4-1 \(152d:0583 Disk\) would lose power"):
        hubs.require_named(gang, {"1-2", "3-1.4"}, LIST)
    hubs.require_named(gang, {"1-2", "3-1.4", "4-1"}, LIST)
    with pytest.raises(AgentRefused, match=r"off: 3-1 \(1a40:0101 .*\), 3-1.4 \(303a:4001 .*\) would .* not name them"):
        hubs.require_named(gang, {"1-2", "4-1"}, LIST)


def test_a_device_with_a_similar_path_hangs_elsewhere(desk: UsbTree) -> None:
    """1-1.22 is not on port 2 of 1-1."""
    desk.attach("1-1.22")
    Hubs(desk.root).require_named(ports("1-1.2"), {"1-1.2"}, LIST)


def test_a_device_below_what_is_named_is_not_named(desk: UsbTree) -> None:
    """What is plugged in later behind a hub that was named keeps its power."""
    desk.add_hub("1-1.2", 4)
    desk.attach("1-1.2.1", vid="0781", pid="5581", product="")
    with pytest.raises(AgentRefused, match=r"1-1.2.1 \(0781:5581 no name\) would lose power"):
        Hubs(desk.root).require_named(ports("1-1.2"), {"1-1.2"}, LIST)


def test_a_single_port_of_an_earlier_pi_may_take_the_others_with_it(tmp_path: Path, pi_5: UsbTree) -> None:
    """On a Pi 5 the gang keeps its power while any other port is on; before, one port can be enough."""
    assert Hubs(pi_5.root).lost_with(HubPort("1", 2)) == ports("1-2")
    tree = UsbTree(tmp_path / "pi-3")
    tree.set_model("Raspberry Pi 3 Model B Rev 1.2")
    tree.add_root_hub(1, 1, "platform/soc/3f980000.usb")
    tree.add_hub("1-1", 5, "0424", "9514")
    wanted = ports("1-1", *(f"1-1.{number}" for number in range(1, 6)))
    assert Hubs(tree.root).lost_with(HubPort("1-1", 3)) == wanted
