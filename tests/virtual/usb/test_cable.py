"""The cable into vhci_hcd, on a fake sysfs tree in process."""

import asyncio
from pathlib import Path

import pytest

from hil.errors import VirtualBoardError
from hil.testing.plugged_device import RecordingApplication, enumerate_device
from hil.testing.usbip_host import UsbipHost
from hil.testing.vhci_tree import FakePorts, VhciTree
from hil.virtual.usb.cable import Cable
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.virtual.usb.firmware_device import FirmwareDevice
from hil.virtual.usb.vhci import VhciPort
from tests.virtual.until import until

BUILD = FirmwareUsb.for_chip("7c:df:a1:00:00:01")
PORT = VhciPort(0, "1-1")


def test_a_plugged_device_is_served_until_it_is_unplugged() -> None:
    """What was attached is the host's end; unplug ends its connection, and nothing is plugged in twice."""

    async def scenario() -> None:
        ports = FakePorts()
        cable = Cable(ports, PORT)
        device = FirmwareDevice(BUILD, RecordingApplication())
        cable.plug(device)
        host = await UsbipHost.on(ports.attached[0])
        await enumerate_device(host)
        assert device.mounted
        assert cable.plugged
        assert cable.path == "1-1"
        with pytest.raises(VirtualBoardError, match="port 1-1: a device is plugged in already"):
            cable.plug(device)
        await cable.unplug()
        await host.wait_ended()
        await host.close()
        assert not cable.plugged
        assert device.watch is None
        await cable.unplug()

    asyncio.run(scenario())


def test_a_cable_that_the_host_lets_go_can_be_plugged_again() -> None:
    """A detach by the kernel ends the connection; the next plug serves the next device."""

    async def scenario() -> None:
        ports = FakePorts()
        cable = Cable(ports, PORT)
        cable.plug(FirmwareDevice(BUILD, RecordingApplication()))
        await (await UsbipHost.on(ports.attached[0])).close()
        await cable.ended()
        assert not cable.plugged
        cable.plug(device := FirmwareDevice(BUILD, RecordingApplication()))
        host = await UsbipHost.on(ports.attached[1])
        await enumerate_device(host)
        assert device.mounted
        await cable.unplug()
        await host.close()

    asyncio.run(scenario())


def test_a_port_that_was_disabled_sees_the_connection_anew_when_it_is_enabled(tmp_path: Path) -> None:
    """Until then the device sees silence; the same device is connected again, by the cable's own doing."""

    async def scenario() -> None:
        ports, tree, application = FakePorts(), VhciTree(tmp_path), RecordingApplication()
        cable = Cable(ports, PORT, tree.devices)
        cable.plug(device := FirmwareDevice(BUILD, application))
        host = await UsbipHost.on(ports.attached[0])
        await enumerate_device(host)
        tree.set_disabled("1-1", True)
        await host.unlink(host.submit_in(4, 64))
        await until(lambda: device.suspended)
        assert len(ports.attached) == 1
        tree.set_disabled("1-1", False)
        await until(lambda: len(ports.attached) == 2)
        again = await UsbipHost.on(ports.attached[1])
        await enumerate_device(again)
        assert application.happened[-2:] == ["bus reset", "mounted"]
        await cable.unplug()
        for end in (host, again):
            await end.close()

    asyncio.run(scenario())


def test_a_cable_that_is_pulled_out_of_a_disabled_port_stays_out(tmp_path: Path) -> None:
    """The port comes back, and there is nothing in it."""

    async def scenario() -> None:
        ports, tree = FakePorts(), VhciTree(tmp_path)
        cable = Cable(ports, PORT, tree.devices)
        cable.plug(device := FirmwareDevice(BUILD, RecordingApplication()))
        host = await UsbipHost.on(ports.attached[0])
        await enumerate_device(host)
        tree.set_disabled("1-1", True)
        await host.unlink(host.submit_in(4, 64))
        await until(lambda: device.suspended)
        await cable.unplug()
        tree.set_disabled("1-1", False)
        await asyncio.sleep(0.05)
        assert len(ports.attached) == 1
        assert not cable.plugged
        await host.close()

    asyncio.run(scenario())


def test_nonsense_from_the_kernel_comes_out_of_unplug() -> None:
    """The reason why a connection ended is not lost."""

    async def scenario() -> None:
        ports = FakePorts()
        cable = Cable(ports, PORT)
        cable.plug(FirmwareDevice(BUILD, RecordingApplication()))
        host = await UsbipHost.on(ports.attached[0])
        host.send_raw(bytes(48))
        await host.wait_ended()
        with pytest.raises(VirtualBoardError, match="USB/IP from the host: USB/IP header: command 0"):
            await cable.unplug()
        await host.close()

    asyncio.run(scenario())


def test_a_refused_attach_leaves_nothing_open() -> None:
    """Where the kernel refuses, the error comes out, both ends are closed, and the device stays unplugged."""

    async def scenario() -> None:
        ports = FakePorts()
        ports.refuses = True
        cable = Cable(ports, PORT)
        device = FirmwareDevice(BUILD, RecordingApplication())
        with pytest.raises(VirtualBoardError, match="port 1-1: refused"):
            cable.plug(device)
        assert not cable.plugged
        assert not device.connected

    asyncio.run(scenario())
