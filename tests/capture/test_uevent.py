"""Kernel uevents of a board become its events; those of others become nothing."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.capture.boards import Boards
from hil.capture.claims import Claims
from hil.capture.source import Moment
from hil.capture.uevent import UeventReader, UeventSource
from hil.timeline import events
from hil.timeline.events import Event
from hil.wire.uevent import KernelUevent

DEVICE = "/devices/platform/vhci_hcd.0/usb1/1-1"
NETIF = f"{DEVICE}/1-1:1.0/net/eth0"
NOW = Moment(5_000_000_000, 1_000)


@pytest.fixture
def boards(tmp_path: Path) -> Boards:
    """One board on 1-1, with its serial number in a made-up sysfs."""
    serial = tmp_path / DEVICE.lstrip("/") / "serial"
    serial.parent.mkdir(parents=True)
    serial.write_text("123456\n")
    boards = Boards(tmp_path)
    boards.add("s3-a", {"usb": "1-1", "console": "1-2.4"}, Claims())
    return boards


@pytest.fixture
def reader(boards: Boards) -> UeventReader:
    """A reader that knows the board."""
    return UeventReader(boards)


def uevent(action: str, devpath: str, **properties: str) -> KernelUevent:
    return KernelUevent(action, devpath, {"ACTION": action, "DEVPATH": devpath, **properties})


def net(action: str, devpath: str = NETIF) -> KernelUevent:
    return uevent(action, devpath, SUBSYSTEM="net", INTERFACE=devpath.rpartition("/")[2])


def added(devnum: str = "007") -> KernelUevent:
    names = {"SUBSYSTEM": "usb", "DEVTYPE": "usb_device", "BUSNUM": "001", "DEVNUM": devnum}
    return uevent("add", DEVICE, PRODUCT="303a/4001/100", **names)


def kinds(found: list[Event]) -> list[str]:
    return [type(event).__name__ for event in found]


def test_added_device_is_attached_with_its_identity(reader: UeventReader, boards: Boards) -> None:
    """vid and pid come from PRODUCT; the board's bus address is learnt."""
    stamp = NOW.stamp("s3-a", "uevent")
    assert reader.read(added(), False, NOW) == [events.UsbAttached("1-1", 0x303A, 0x4001, **stamp)]
    assert boards.get("s3-a").address == (1, 7)


def test_configured_device_tells_its_serial_number(reader: UeventReader) -> None:
    """It comes from sysfs; a device without one has nothing to tell but the uevent."""
    bind = uevent("bind", DEVICE, SUBSYSTEM="usb", DEVTYPE="usb_device", DRIVER="usb")
    stamp = NOW.stamp("s3-a", "uevent")
    assert reader.read(bind, False, NOW) == [events.UsbSerialNumber("1-1", "123456", **stamp)]
    elsewhere = uevent("bind", DEVICE.replace("1-1", "1-2.4"), SUBSYSTEM="usb", DEVTYPE="usb_device", DRIVER="usb")
    assert kinds(reader.read(elsewhere, False, NOW)) == ["Uevent"]


@pytest.mark.timeout(10)
def test_nobody_waits_for_a_device_that_is_being_configured(reader: UeventReader, tmp_path: Path) -> None:
    """The kernel keeps whoever reads the serial number waiting until then; every other channel would wait as well."""
    serial = tmp_path / DEVICE.lstrip("/") / "serial"
    serial.unlink()
    os.mkfifo(serial)  # nobody writes: opening it waits
    assert kinds(reader.read(added(), False, NOW)) == ["UsbAttached"]


def test_removed_device_is_detached(reader: UeventReader, boards: Boards) -> None:
    """Removal ends the board's bus address."""
    reader.read(added(), False, NOW)
    gone = uevent("remove", DEVICE, SUBSYSTEM="usb", DEVTYPE="usb_device")
    assert kinds(reader.read(gone, False, NOW)) == ["UsbDetached"]
    assert boards.get("s3-a").address is None


def test_driver_binding_is_configuration(reader: UeventReader) -> None:
    """bind and unbind of an interface tell its number, also past nine."""
    where = f"{DEVICE}/1-1:1.12"
    bind = uevent("bind", where, SUBSYSTEM="usb", DEVTYPE="usb_interface", DRIVER="cdc_ncm")
    unbind = uevent("unbind", where, SUBSYSTEM="usb", DEVTYPE="usb_interface")
    stamp = NOW.stamp("s3-a", "uevent")
    assert reader.read(bind, False, NOW) == [events.UsbConfigured("1-1", 12, "cdc_ncm", **stamp)]
    assert reader.read(unbind, False, NOW) == [events.UsbUnconfigured("1-1", 12, **stamp)]


def test_tty_of_the_console_bridge_is_the_boards(reader: UeventReader) -> None:
    """The UART bridge is found by its own topology path."""
    where = "/devices/pci0/usb1/1-2/1-2.4/1-2.4:1.0/tty/ttyUSB0"
    found = reader.read(uevent("add", where, SUBSYSTEM="tty", DEVNAME="ttyUSB0"), False, NOW)
    assert found == [events.TtyAppeared("1-2.4", "/dev/ttyUSB0", **NOW.stamp("s3-a", "uevent"))]


def test_neighbour_is_not_the_board(reader: UeventReader) -> None:
    """A path that only begins like the board's belongs to somebody else."""
    neighbour = "/devices/platform/vhci_hcd.0/usb1/1-10"
    assert reader.read(uevent("add", neighbour, SUBSYSTEM="usb", DEVTYPE="usb_device"), False, NOW) == []


def test_uevent_seen_in_two_namespaces_is_told_once(reader: UeventReader) -> None:
    """usb and tty events reach every namespace; SEQNUM tells that it is the same one."""
    same = uevent("bind", f"{DEVICE}/1-1:1.0", SUBSYSTEM="usb", DEVTYPE="usb_interface", SEQNUM="77")
    assert len(reader.read(same, False, NOW)) == 1
    assert reader.read(same, True, NOW) == []


@pytest.mark.parametrize("moves", [("remove", "add"), ("add", "remove")])
def test_interface_that_moves_to_its_namespace_has_not_vanished(
    reader: UeventReader, boards: Boards, moves: tuple[str, str]
) -> None:
    """The two halves of a move are generic events, in whichever order the two sockets are read."""
    boards.get("s3-a").namespaced = True
    assert kinds(reader.read(net("add"), False, NOW)) == ["NetifAppeared"]
    for action in moves:
        assert kinds(reader.read(net(action), action == "add", NOW)) == ["Uevent"]
    assert kinds(reader.read(net("remove"), True, NOW)) == ["NetifVanished"]


def test_interface_that_dies_before_its_move_has_vanished(reader: UeventReader, boards: Boards) -> None:
    """Unplugged before the agent could move it, it vanishes with its device."""
    boards.get("s3-a").namespaced = True
    reader.read(net("add"), False, NOW)
    reader.read(net("remove"), False, NOW)
    gone = uevent("remove", DEVICE, SUBSYSTEM="usb", DEVTYPE="usb_device")
    assert kinds(reader.read(gone, False, NOW)) == ["NetifVanished", "UsbDetached"]


def test_interface_without_a_namespace_vanishes_at_once(reader: UeventReader) -> None:
    """Where the board has no namespace a removal is a removal."""
    reader.read(net("add"), False, NOW)
    assert kinds(reader.read(net("remove"), False, NOW)) == ["NetifVanished"]


def test_unclassified_uevent_keeps_its_properties(reader: UeventReader) -> None:
    """What has no class of its own is told whole."""
    (found,) = reader.read(uevent("change", DEVICE, SUBSYSTEM="usb", DEVTYPE="usb_device"), False, NOW)
    assert isinstance(found, events.Uevent)
    assert (found.action, found.subsystem, found.properties["DEVTYPE"]) == ("change", "usb", "usb_device")


def test_source_reads_datagrams(reader: UeventReader, pair: tuple[socket.socket, socket.socket]) -> None:
    """Everything that waits in the socket is read in one go; garbage is a gap of no length."""
    ours, theirs = pair
    source = UeventSource(theirs, reader)
    ours.send(added().pack())
    ours.send(b"\xff\0no uevent")
    assert kinds(source.read(NOW)) == ["UsbAttached", "CaptureGap"]


ACTIONS = st.sampled_from(("add", "remove", "bind", "unbind", "change", "move", ""))
PATHS = st.sampled_from((DEVICE, NETIF, f"{DEVICE}/1-1:1.x", f"{DEVICE}/", "1-1", "/net/"))
VALUES = st.sampled_from(("usb", "net", "tty", "usb_device", "usb_interface", "303a/zz", "x" * 40, "-1", "٣"))
KEYS = st.sampled_from(("SUBSYSTEM", "DEVTYPE", "PRODUCT", "BUSNUM", "DEVNUM", "INTERFACE", "DEVNAME", "SEQNUM"))


@given(st.lists(st.tuples(ACTIONS, PATHS, st.dictionaries(KEYS, VALUES), st.booleans()), max_size=20))
def test_any_uevents_only_yield_events(stream: list[tuple[str, str, dict[str, str], bool]]) -> None:
    """No sequence of uevents raises."""
    boards = Boards(Path("/nonexistent"))
    boards.add("s3-a", {"usb": "1-1"}, Claims())
    reader = UeventReader(boards)
    for action, devpath, properties, inside in stream:
        assert all(isinstance(e, Event) for e in reader.read(KernelUevent(action, devpath, properties), inside, NOW))
