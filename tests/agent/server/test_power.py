"""Switching a board's power: what goes with it, and who is asked before."""

from pathlib import Path

import pytest

from hil.agent.allow import AllowList
from hil.agent.server.power import PowerSwitches
from hil.bench import Power
from hil.errors import AgentError, AgentRefused, SetupError
from hil.testing.fake_uhubctl import FakeHub, FakeUhubctl
from hil.testing.usb_tree import UsbTree

HUB = "1a40:0101 USB 2.0 Hub, USB 2.00, 4 ports, "
PORT_2 = Power("uhubctl", hub="1-1", port=2)


class Desk:
    """A hub at 1-1 with boards on ports 2 and 4, and a stick on port 3."""

    def __init__(self, directory: Path, switching: str) -> None:
        directory.chmod(0o755)
        self.tree = UsbTree(directory / "sys", "pci0000:00/0000:00:14.0")
        self.tree.add_hub("1-1", 4)
        for path in ("1-1.2", "1-1.4"):
            self.tree.attach(path)
        self.tree.attach("1-1.3", vid="0781", pid="5581", product="Ultra")
        self.uhubctl = FakeUhubctl(
            directory / "bin", {"1-1": FakeHub(HUB + switching, dict.fromkeys(("1", "2", "3", "4"), True))}
        )
        self.relay = directory / "relay"
        self.relay.write_text(f"#!/bin/sh\necho $* >> {directory}/relay.log\nexit $(cat {directory}/status)\n")
        self.relay.chmod(0o755)
        (directory / "status").write_text("0")
        self.directory = directory

    def switches(self, power: Power = PORT_2) -> PowerSwitches:
        allow = AllowList(
            boards={"s3-a": ("1-1.2",), "s3-b": ("1-1.4",)},
            power={"s3-a": power},
            relays={"lab-1": (str(self.relay), "--channel", "{1|0}{on|off}")},
            place="allow.toml",
        )
        return PowerSwitches(allow, self.tree.root, str(self.directory / "bin"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A hub that switches port by port."""
    return Desk(tmp_path, "ppps")


@pytest.fixture
def ganged(tmp_path: Path) -> Desk:
    """A hub that switches all ports together."""
    return Desk(tmp_path, "ganged")


def test_one_port_of_a_switching_hub_goes_alone(desk: Desk) -> None:
    """The stick beside it keeps its power."""
    switch = desk.switches().find("s3-a", PORT_2, on=False)
    assert switch.boards == ()
    switch.turn(False)
    assert desk.uhubctl.powered("1-1") == {"1": True, "2": False, "3": True, "4": True}
    switch.turn(True)
    assert all(desk.uhubctl.powered("1-1").values())


def test_a_ganged_hub_with_a_stick_on_it_is_refused(ganged: Desk) -> None:
    """Nothing is switched, and the stick is named."""
    with pytest.raises(AgentRefused, match=r"port 1\+2\+3\+4 of hub 1-1 may not .*: 1-1.3 \(0781:5581 Ultra\)"):
        ganged.switches().find("s3-a", PORT_2, on=False)
    assert not any("-a" in run for run in ganged.uhubctl.runs)


def test_a_ganged_hub_may_be_switched_where_everything_on_it_is_named(ganged: Desk) -> None:
    """All of its ports go; the other board that loses its power is told."""
    power = Power("uhubctl", hub="1-1", port=2, also_off=("1-1.3",))
    switch = ganged.switches(power).find("s3-a", power, on=False)
    assert switch.boards == ("s3-b",)
    switch.turn(False)
    assert not any(ganged.uhubctl.powered("1-1").values())


def test_power_comes_back_whatever_has_been_plugged_in_meanwhile(ganged: Desk) -> None:
    """Giving power harms nothing."""
    ganged.switches().find("s3-a", PORT_2, on=True).turn(True)
    assert ganged.uhubctl.runs[-1] == "-f -e -l 1-1 -p 1,2,3,4 -a on"


def test_a_relay_gets_its_choice(desk: Desk) -> None:
    """Its own command, with on or off where the allow list has a choice."""
    power = Power("relay", name="lab-1")
    switch = desk.switches(power).find("s3-a", power, on=False)
    switch.turn(False)
    switch.turn(True)
    assert (desk.directory / "relay.log").read_text() == "--channel 0off\n--channel 1on\n"


def test_a_relay_that_fails_shows_its_exit_status(desk: Desk) -> None:
    """With the whole command."""
    (desk.directory / "status").write_text("4")
    power = Power("relay", name="lab-1")
    with pytest.raises(AgentError, match=r"relay --channel 0off ended with status 4: it said nothing"):
        desk.switches(power).find("s3-a", power, on=False).turn(False)


def test_without_uhubctl_its_package_is_named(desk: Desk) -> None:
    """The search path of the agent, not the client's."""
    (desk.directory / "bin/uhubctl").unlink()
    with pytest.raises(SetupError, match="install the package uhubctl"):
        desk.switches().find("s3-a", PORT_2, on=False)


def test_a_port_with_something_below_the_board_may_not_be_disabled(desk: Desk) -> None:
    """The path of a board that turns out to be a hub with a stick in it."""
    desk.switches().require_harmless("1-1.2")
    desk.tree.add_hub("1-1.2", 2)
    desk.tree.attach("1-1.2.1", vid="0781", pid="5581", product="Ultra")
    with pytest.raises(AgentRefused, match=r"port 2 of hub 1-1 may not be switched off: 1-1.2.1 \(0781:5581 Ultra\)"):
        desk.switches().require_harmless("1-1.2")
