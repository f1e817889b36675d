"""Power and reset lines through a whole agent: who gets them back, and who is refused."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.agent.client import Agent
from hil.clock import now_ns
from hil.errors import AgentError, AgentRefused, SetupError
from hil.testing.fake_uhubctl import FakeHub, FakeUhubctl
from hil.testing.private_agent import PrivateAgent

pytestmark = pytest.mark.root
HUB = "1a40:0101 USB 2.0 Hub, USB 2.00, 4 ports, "
PORT_2 = "uhubctl, hub 1-1 port 2"
PORTS = ("1", "2", "3", "4")


class Desk:
    """A hub at 1-1 with the agent's board on port 2 and a second one on port 4."""

    def __init__(self, private: PrivateAgent, switching: str = "ppps") -> None:
        self.private = private
        self.board = private.board
        private.tree.add_hub("1-1", 4)
        private.tree.attach("1-1.2")
        private.tree.attach("1-1.4")
        self.hub = FakeHub(HUB + switching, dict.fromkeys(PORTS, True))
        self.uhubctl = FakeUhubctl(private.directory / "bin", {"1-1": self.hub})
        private.power(
            boards={self.board: ["1-1.2"], f"{self.board}-b": ["1-1.4"]},
            power={self.board: {"driver": "uhubctl", "hub": "1-1", "port": 2}},
        )

    def off(self, agent: Agent) -> None:
        agent.switch_power(self.board, PORT_2, False)

    @property
    def powered(self) -> list[str]:
        return [port for port, on in self.uhubctl.powered("1-1").items() if on]


@pytest.fixture
def desk(private_agent: Callable[..., PrivateAgent]) -> Desk:
    """A hub that switches port by port."""
    return Desk(private_agent())


@pytest.fixture
def ganged(private_agent: Callable[..., PrivateAgent]) -> Desk:
    """A hub that switches all ports together."""
    return Desk(private_agent(), "ganged")


def test_power_goes_and_comes_at_a_known_instant(desk: Desk) -> None:
    """The instants enclose the run that switched, not the one that looked."""
    agent = desk.private.client()
    began_ns = now_ns()
    done = agent.switch_power(desk.board, PORT_2, False)
    assert began_ns < done.t_ns - done.t_err_ns <= done.t_ns < now_ns()
    assert done.t_err_ns < agent.last_instant.t_err_ns
    assert desk.powered == ["1", "3", "4"]
    agent.switch_power(desk.board, PORT_2, True)
    assert desk.powered == list(PORTS)


def test_a_client_that_dies_without_power_gives_it_back(desk: Desk) -> None:
    """Switched off is a deed like any other; switched on again there is nothing to undo."""
    first = desk.private.client()
    desk.off(first)
    first.close()
    assert desk.powered == list(PORTS)
    second = desk.private.client()
    desk.off(second)
    second.switch_power(desk.board, PORT_2, True)
    second.close()
    assert [run.rpartition(" ")[2] for run in desk.uhubctl.runs if "-a" in run] == ["off", "on", "off", "on"]


def test_what_a_killed_agent_has_switched_off_the_next_one_switches_on(desk: Desk) -> None:
    """It stands in the state on disk, and the next client is told."""
    desk.off(desk.private.client())
    killed = desk.private.processes[-1]
    killed.send_signal(signal.SIGKILL)
    killed.wait(15.0)
    assert desk.powered == ["1", "3", "4"]
    agent = desk.private.client()
    assert desk.powered == list(PORTS)
    assert agent.hello.last_restored == f"power of {desk.board} on"


def test_a_switch_that_does_not_work_leaves_the_power_on(ganged: Desk) -> None:
    """Where one port of a gang keeps its power the others get theirs back, and the error stays."""
    ganged.hub.stuck.append(3)
    ganged.uhubctl.set({"1-1": ganged.hub})
    with pytest.raises(AgentError, match="port 3 of hub 1-1 still has power"):
        ganged.off(ganged.private.client())
    assert ganged.powered == list(PORTS)


def test_a_board_in_use_keeps_its_power(ganged: Desk) -> None:
    """A board of the same gang that another client holds is not taken from it."""
    other = ganged.private.client()
    other.read_attribute(f"{ganged.board}-b", "runtime_status")
    with pytest.raises(AgentError, match=f"board {ganged.board}-b is held by process {os.getpid()}"):
        ganged.off(ganged.private.client())
    other.close()
    assert ganged.powered == list(PORTS)


def test_power_is_switched_only_as_listed(desk: Desk) -> None:
    """Another port, or a board without a switch, is refused before anything runs."""
    agent = desk.private.client()
    with pytest.raises(AgentRefused, match="'uhubctl, hub 1-1 port 3' is wanted, the test's allow list names"):
        agent.switch_power(desk.board, "uhubctl, hub 1-1 port 3", False)
    with pytest.raises(AgentRefused, match="names no power"):
        agent.switch_power(f"{desk.board}-b", "relay lab-1", False)
    assert desk.uhubctl.runs == []


@pytest.fixture
def button(desk: Desk) -> Path:
    """What the relay of the board's BOOT line has been told."""
    log, relay = desk.private.directory / "boot.log", desk.private.directory / "bin/relay"
    relay.write_text(f"#!/bin/sh\necho $* >> {log}\nexit $(cat {log}.status 2>/dev/null || echo 0)\n")
    relay.chmod(0o755)
    desk.private.power(
        boot={desk.board: {"driver": "relay", "name": "boot-a"}}, relays={"boot-a": [str(relay), "{on|off}"]}
    )
    return log


def test_a_client_that_dies_with_boot_held_leaves_a_board_that_boots(desk: Desk, button: Path) -> None:
    """BOOT is let go before the power comes back; let go by the client itself there is nothing to undo."""
    first = desk.private.client()
    desk.off(first)
    done = first.hold_boot(desk.board, "relay boot-a", True)
    assert done.t_ns < now_ns()
    first.close()
    assert button.read_text().split() == ["on", "off"]
    assert desk.powered == list(PORTS)
    second = desk.private.client()
    undone = f"BOOT of {desk.board} let go; power of {desk.board} on"
    assert undone in desk.private.log.read_text()
    second.hold_boot(desk.board, "relay boot-a", True)
    second.hold_boot(desk.board, "relay boot-a", False)
    second.close()
    assert button.read_text().split() == ["on", "off"] * 2


def test_what_a_killed_agent_has_held_the_next_one_lets_go(desk: Desk, button: Path) -> None:
    """Before the power comes, so that the board boots."""
    agent = desk.private.client()
    desk.off(agent)
    agent.hold_boot(desk.board, "relay boot-a", True)
    killed = desk.private.processes[-1]
    killed.send_signal(signal.SIGKILL)
    killed.wait(15.0)
    assert button.read_text().split() == ["on"]
    restored = desk.private.client().hello.last_restored
    assert restored == f"BOOT of {desk.board} let go; power of {desk.board} on"
    assert button.read_text().split() == ["on", "off"]


def test_a_relay_that_fails_is_let_go_all_the_same(desk: Desk, button: Path) -> None:
    """Its exit status is shown, and what it may have done is undone when the client ends."""
    status = button.with_name("boot.log.status")
    status.write_text("4")
    agent = desk.private.client()
    with pytest.raises(AgentError, match=r"relay on ended with status 4"):
        agent.hold_boot(desk.board, "relay boot-a", True)
    agent.close()
    assert button.read_text().split() == ["on", "off"]


def test_boot_is_held_only_as_listed(desk: Desk, button: Path) -> None:
    """Another relay, or a board without one, is refused before anything runs."""
    agent = desk.private.client()
    with pytest.raises(AgentRefused, match=r"boot of board .*: 'relay lab-1' is wanted, .* names 'relay boot-a'"):
        agent.hold_boot(desk.board, "relay lab-1", True)
    with pytest.raises(AgentRefused, match="names no boot"):
        agent.hold_boot(f"{desk.board}-b", "relay boot-a", True)
    assert not button.exists()


def test_a_port_with_a_stick_behind_the_board_is_not_disabled(desk: Desk) -> None:
    """Disabling takes the power away where the hub can do that; enabling harms nothing."""
    agent = desk.private.client()
    agent.write_attribute(desk.board, "port_disable", "1")
    agent.write_attribute(desk.board, "port_disable", "0")
    desk.private.tree.add_hub("1-1.2", 2)
    desk.private.tree.attach("1-1.2.1", vid="0781", pid="5581", product="Ultra")
    with pytest.raises(AgentRefused, match=r"port 2 of hub 1-1 may not be switched off: 1-1.2.1 \(0781:5581 Ultra\)"):
        agent.write_attribute(desk.board, "port_disable", "1")
    agent.write_attribute(desk.board, "port_disable", "0")


def test_a_driver_that_was_unbound_is_bound_again(desk: Desk) -> None:
    """The former state comes back when the client ends."""
    drivers = desk.private.tree.bind("1-1.2", "usb")
    agent = desk.private.client()
    agent.write_attribute(desk.board, "bound", "0")
    assert (drivers / "unbind").read_text() == "1-1.2"
    (desk.private.tree.directory("1-1.2") / "driver").unlink()
    agent.close()
    assert (drivers / "bind").read_text() == "1-1.2"


def test_a_board_without_console_has_no_lines(desk: Desk) -> None:
    """The refusal names the ports that it has."""
    with pytest.raises(AgentRefused, match="has no port 'console'; it has: usb"):
        desk.private.client().reset_by_lines(desk.board)


def test_a_console_that_is_gone_is_named(private_agent: Callable[..., PrivateAgent]) -> None:
    """So is one whose serial port has no modem lines."""
    private = private_agent()
    private.power(boards={private.board: ["1-1.2", "1-1.3"]})
    private.tree.attach("1-1.2")
    private.tree.attach("1-1.3")
    agent = private.client()
    with pytest.raises(AgentError, match=r"no serial port at 1-1.3; its bridge is gone or has no driver"):
        agent.reset_by_lines(private.board)
    main, other = os.openpty()
    node = Path(os.ttyname(other))
    number = os.stat(node).st_rdev
    private.tree.add_tty("1-1.3", "ttyACM0", (os.major(number), os.minor(number)))
    (private.dev / "ttyACM0").symlink_to(node)
    with pytest.raises(AgentError, match=r"Inappropriate ioctl|Invalid argument"):
        agent.reset_by_lines(private.board)
    for descriptor in (main, other):
        os.close(descriptor)


def test_without_uhubctl_the_package_is_named(desk: Desk) -> None:
    """A matter of setup; nothing else of the board is touched."""
    (desk.private.directory / "bin/uhubctl").unlink()
    with pytest.raises(SetupError, match="install the package uhubctl"):
        desk.off(desk.private.client())
