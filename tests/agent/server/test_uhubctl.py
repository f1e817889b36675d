"""What uhubctl prints, and what is made of it. The blocks are in the form of 2.5 and 2.6, as users have posted them."""

from pathlib import Path

import pytest

from hil.agent.server.hubs import HubPort
from hil.agent.server.uhubctl import PortStatus, Uhubctl, parse
from hil.errors import AgentError, SetupError
from hil.testing.fake_uhubctl import FakeHub, FakeUhubctl

PI_5 = """Current status for hub 4 [1d6b:0003 Linux 6.6.62+rpt-rpi-2712 xhci-hcd xHCI Host Controller xhci-hcd.1, USB 3.00, 1 ports, ppps]
  Port 1: 02a0 power 5gbps Rx.Detect
Current status for hub 1 [1d6b:0002 Linux 6.6.62+rpt-rpi-2712 xhci-hcd xHCI Host Controller xhci-hcd.0, USB 2.00, 2 ports, ppps]
  Port 1: 0503 power highspeed enable connect [2109:2822 VIA Labs, Inc. USB2.0 Hub 000000001, USB 2.10, 5 ports, ganged]
  Port 2: 0000 off
"""  # noqa: E501 - as it is printed
GANGED = """Current status for hub 3-4 [1a40:0101 USB 2.0 Hub, USB 2.00, 4 ports, ganged]
  Port 1: 0101 power connect []
Sent power off request
New status for hub 3-4 [1a40:0101 USB 2.0 Hub, USB 2.00, 4 ports, ganged]
  Port 1: 0000 off
"""
OLD = """Current status for hub 1-1 [0424:9514, USB 2.00, 5 ports]
  Port 2: 0103 power enable connect [0403:6001 FTDI FT232R USB UART power AH06OEVF]
"""
HUB = "1a40:0101 USB 2.0 Hub, USB 2.00, 2 ports, "


def hub(switching: str = "ppps", **more: object) -> FakeHub:
    return FakeHub(HUB + switching, {"1": True, "2": True}, **more)  # type: ignore[arg-type]


def made(tmp_path: Path, **more: FakeHub) -> tuple[Uhubctl, FakeUhubctl]:
    """uhubctl, and the program that stands for it."""
    tmp_path.chmod(0o755)
    fake = FakeUhubctl(tmp_path / "bin", {"1-1": hub(), **more})
    return Uhubctl(str(tmp_path / "bin")), fake


def test_blocks_of_several_hubs_are_told_apart() -> None:
    """How a hub on a port switches is not how the hub itself does."""
    superspeed, usb_2 = parse(PI_5)
    assert (superspeed.location, superspeed.switching, superspeed.after) == ("4", "ppps", False)
    assert superspeed.ports == [PortStatus(1, "02a0 power 5gbps Rx.Detect")]
    assert [(port.number, port.powered) for port in usb_2.ports] == [(1, True), (2, False)]


def test_blocks_before_and_after_are_told_apart() -> None:
    """The state after the request is what counts."""
    before, after = parse(GANGED)
    assert (before.after, after.after, before.switching) == (False, True, "ganged")
    assert [block.ports[0].powered for block in (before, after)] == [True, False]


def test_a_version_that_does_not_tell_how_a_hub_switches_leaves_it_open() -> None:
    """And what a device calls itself is not the state of its port."""
    (block,) = parse(OLD)
    assert (block.switching, block.ports) == ("", [PortStatus(2, "0103 power enable connect")])


def test_what_is_no_block_is_passed_over() -> None:
    """Errors of the program stand between."""
    assert parse("No compatible devices detected!\nRun with -h to get usage info.\n") == []


@pytest.mark.parametrize(("switching", "ganged"), [("ppps", False), ("ganged", True)])
def test_the_hub_itself_is_asked_how_it_switches(tmp_path: Path, switching: str, ganged: bool) -> None:
    """Exactly this hub, even one that uhubctl does not support."""
    uhubctl, fake = made(tmp_path, **{"1-1": hub(switching)})
    assert uhubctl.is_ganged(HubPort("1-1", 2)) is ganged
    assert fake.runs == ["-f -e -l 1-1"]


@pytest.mark.parametrize(
    ("port", "words"),
    [
        (HubPort("1-2", 1), r"shows no hub 1-2, status 1: No compatible devices detected at location 1-2!"),
        (HubPort("1-1", 3), r"hub 1-1 has no port 3; it has 2"),
        (HubPort("1-3", 1), r"hub 1-3 switches no power \(uhubctl says 'nops'\)"),
        (HubPort("1-4", 1), r"does not tell how hub 1-4 switches power; wanted 2.4 or later"),
    ],
)
def test_a_hub_that_cannot_switch_is_a_matter_of_setup(tmp_path: Path, port: HubPort, words: str) -> None:
    """Each reason has its own words."""
    uhubctl, _ = made(tmp_path, **{"1-3": hub("nops"), "1-4": FakeHub("0424:9514, USB 2.00, 1 ports", {"1": True})})
    with pytest.raises(SetupError, match=words):
        uhubctl.is_ganged(port)


def test_ports_are_switched_hub_by_hub(tmp_path: Path) -> None:
    """One run a hub, all of its ports at once; the others keep their power."""
    superspeed = FakeHub("1a40:0201 USB 3.0 Hub, USB 3.00, 2 ports, ppps", {"1": True, "2": True}, superspeed=True)
    uhubctl, fake = made(tmp_path, **{"2-1": superspeed})
    ports = [HubPort("1-1", 1), HubPort("1-1", 2), HubPort("2-1", 2)]
    uhubctl.switch(ports, on=False)
    assert (fake.powered("1-1"), fake.powered("2-1")) == ({"1": False, "2": False}, {"1": True, "2": False})
    uhubctl.switch(ports, on=True)
    assert (fake.powered("1-1"), fake.powered("2-1")) == ({"1": True, "2": True}, {"1": True, "2": True})
    assert fake.runs[:2] == ["-f -e -l 1-1 -p 1,2 -a off", "-f -e -l 2-1 -p 2 -a off"]


def test_a_port_that_keeps_its_power_is_noticed(tmp_path: Path) -> None:
    """The program ends with status 0 all the same."""
    uhubctl, _ = made(tmp_path, **{"1-1": hub(stuck=[2])})
    with pytest.raises(AgentError, match=r"port 2 of hub 1-1 still has power after .* -a off: '0100 power'"):
        uhubctl.switch([HubPort("1-1", 1), HubPort("1-1", 2)], on=False)


def test_a_port_that_gets_no_power_is_noticed(tmp_path: Path) -> None:
    """The other way round."""
    stuck = FakeHub(HUB + "ppps", {"1": False, "2": True}, stuck=[1])
    uhubctl, _ = made(tmp_path, **{"1-1": stuck})
    with pytest.raises(AgentError, match=r"port 1 of hub 1-1 still has no power after .* -a on: '0000 off'"):
        uhubctl.switch([HubPort("1-1", 1)], on=True)


def test_a_run_that_fails_is_told_with_its_status(tmp_path: Path) -> None:
    """Exit status and words."""
    uhubctl, _ = made(tmp_path, **{"1-1": hub(breaks=True)})
    with pytest.raises(AgentError, match=r"-l 1-1 -p 1 -a off ended with status 1: No compatible devices"):
        uhubctl.switch([HubPort("1-1", 1)], on=False)


def test_a_missing_uhubctl_names_its_package(tmp_path: Path) -> None:
    """Before anything is asked of it."""
    with pytest.raises(SetupError, match="install the package uhubctl"):
        Uhubctl(str(tmp_path))
