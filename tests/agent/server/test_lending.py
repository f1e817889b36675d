"""Lending a serial port, played with pseudo-terminals and a /proc of plain files."""

import os
import pty
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.agent.replies import PortHeld
from hil.agent.server import lending
from hil.agent.server.lending import find, holders, lend
from hil.agent.server.usbdevice import UsbDevice
from hil.errors import AgentError
from hil.testing.usb_tree import UsbTree


class Port:
    """A serial port below 1-1.2 that is really a pseudo-terminal."""

    def __init__(self, directory: Path) -> None:
        self.tree = UsbTree(directory / "sys")
        self.dev = directory / "dev"
        self.dev.mkdir()
        self.proc = directory / "proc"
        self.proc.mkdir()
        self.device = UsbDevice("1-1.2", self.tree.root, self.dev)
        self.far, self.near = pty.openpty()

    def appear(self, name: str = "ttyACM3") -> None:
        status = os.fstat(self.near)
        self.tree.add_tty("1-1.2", name, (os.major(status.st_rdev), os.minor(status.st_rdev)))
        (self.dev / name).symlink_to(os.ttyname(self.near))

    def hold(self, pid: int, name: str) -> None:
        """A process that has the port open."""
        place = self.proc / str(pid)
        (place / "fd").mkdir(parents=True)
        (place / "fd/7").symlink_to(os.ttyname(self.near))
        (place / "comm").write_text(f"{name}\n")

    def close(self) -> None:
        os.close(self.far)
        os.close(self.near)


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Port]:
    monkeypatch.setattr(lending, "PASSES_S", 0.2)
    made = Port(tmp_path)
    yield made
    made.close()


def test_an_empty_path_has_no_port(port: Port) -> None:
    """It says that nothing is attached, and not that a driver is slow."""
    with pytest.raises(AgentError, match=r"no USB device at 1-1\.2"):
        find(port.device, port.dev)


def test_a_device_without_a_port_says_so(port: Port) -> None:
    """Its driver may be probing still."""
    port.tree.attach("1-1.2")
    with pytest.raises(AgentError, match=r"1-1\.2 has no serial port; its driver has not made one yet"):
        find(port.device, port.dev)


def test_a_lent_port_is_raw_exclusive_and_keeps_what_it_holds(port: Port) -> None:
    """Bytes that came before are there; no echo; TIOCEXCL is set."""
    port.tree.attach("1-1.2")
    port.appear()
    mode = termios.tcgetattr(port.near)
    mode[3] &= ~termios.ICANON
    termios.tcsetattr(port.near, termios.TCSANOW, mode)
    os.write(port.far, b"waiting for download")
    node, descriptor = lend(port.device, port.dev, proc=port.proc)
    try:
        assert node == port.dev / "ttyACM3"
        assert os.read(descriptor, 100) == b"waiting for download"
        assert termios.tcgetattr(descriptor)[3] & (termios.ECHO | termios.ICANON) == 0
    finally:
        os.close(descriptor)


def test_a_node_that_comes_late_is_waited_for(port: Port) -> None:
    """The kernel tells of a port before its driver is done with it."""
    port.tree.attach("1-1.2")
    port.appear()
    (port.dev / "ttyACM3").unlink()
    later = threading.Timer(0.1, lambda: (port.dev / "ttyACM3").symlink_to(os.ttyname(port.near)))
    later.start()
    node, descriptor = lend(port.device, port.dev, proc=port.proc)
    later.join()
    os.close(descriptor)
    assert node == port.dev / "ttyACM3"


def test_whoever_holds_the_port_is_named(port: Port) -> None:
    """By name and number, so that it can be ended."""
    port.tree.attach("1-1.2")
    port.appear()
    port.hold(412, "ModemManager")
    port.hold(77, "screen")
    with pytest.raises(PortHeld, match=r"ttyACM3 of 1-1\.2 is held by screen \(process 77\), ModemManager \(proc"):
        lend(port.device, port.dev, proc=port.proc)


def test_a_port_is_lent_unsearched_to_whoever_wants_it_at_once(port: Port) -> None:
    """Whether a loader that has just come answers is asked before who else has opened it."""
    port.tree.attach("1-1.2")
    port.appear()
    port.hold(77, "screen")
    node, descriptor = lend(port.device, port.dev, alone=False, proc=port.proc)
    os.close(descriptor)
    assert node == port.dev / "ttyACM3"


def test_a_worker_of_udev_is_waited_for(port: Port) -> None:
    """It has each new port open for a moment."""
    port.tree.attach("1-1.2")
    port.appear()
    port.hold(5543, "(udev-worker)")
    later = threading.Timer(0.1, (port.proc / "5543/fd/7").unlink)
    later.start()
    node, descriptor = lend(port.device, port.dev, proc=port.proc)
    later.join()
    os.close(descriptor)
    assert node == port.dev / "ttyACM3"


@pytest.mark.parametrize("vendor", ["303a", "1a86"], ids=["the board", "its UART bridge"])
def test_modem_manager_comes_with_the_rule_that_stops_it(port: Port, vendor: str) -> None:
    """Ending it would help until the next plug."""
    port.tree.attach("1-1.2", vid=vendor)
    port.appear()
    port.hold(412, "ModemManager")
    with pytest.raises(AgentError) as held:
        lend(port.device, port.dev, proc=port.proc)
    assert str(held.value).endswith(
        "held by ModemManager (process 412); it probes each new port for a modem: put "
        f'`ATTRS{{idVendor}}=="{vendor}", ENV{{ID_MM_DEVICE_IGNORE}}="1"` into '
        "/etc/udev/rules.d/60-hil.rules and plug the board anew"
    )


def test_this_process_and_others_ports_do_not_count(port: Port, tmp_path: Path) -> None:
    """The agent has its own descriptors open, and everybody has some."""
    port.tree.attach("1-1.2")
    port.appear()
    port.hold(os.getpid(), "python")
    (port.proc / "5/fd").mkdir(parents=True)
    (port.proc / "5/fd/0").symlink_to("/dev/null")
    (port.proc / "6").mkdir()  # it may not be looked into, or has ended
    assert holders(port.dev / "ttyACM3", port.proc) == []


def test_a_descriptor_that_is_closed_meanwhile_hides_no_other(port: Port) -> None:
    """Of the same process; both were listed."""
    port.tree.attach("1-1.2")
    port.appear()
    port.hold(77, "screen")
    for number in range(20):
        (port.proc / f"77/fd/{100 + number}").touch()  # no link: reading it fails
    assert holders(port.dev / "ttyACM3", port.proc) == ["screen (process 77)"]


@pytest.mark.parametrize(("flags", "found"), [(0x208040, []), (0x400100, ["screen (process 77)"])])
def test_kernel_threads_are_not_looked_into(port: Port, flags: int, found: list[str]) -> None:
    """Children of kthreadd are; those of another process 2, as a container has one, may hold the port."""
    port.tree.attach("1-1.2")
    port.appear()
    port.hold(77, "screen")
    (port.proc / "2/task/2").mkdir(parents=True)
    (port.proc / "2/stat").write_text(f"2 (a )b) S 0 0 0 0 -1 {flags} 0 0 0 0\n")
    (port.proc / "2/task/2/children").write_text("3 77 ")
    assert holders(port.dev / "ttyACM3", port.proc) == found
