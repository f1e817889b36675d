"""Suspend and resume, seen from runtime_status."""

import asyncio
import threading
import time
from pathlib import Path

import pytest

from hil.errors import VirtualBoardError
from hil.testing.plugged_device import RecordingApplication, plugged
from hil.testing.usbip_host import UsbipHost
from hil.testing.vhci_tree import VhciTree
from hil.virtual.usb.bus_state import SuspendWatch, SysfsPower
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.virtual.usb.firmware_device import FirmwareDevice

BUILD = FirmwareUsb.for_chip("7c:df:a1:00:00:01")


class FakePower:
    """A host whose runtime power management does what the test says; setting ``on`` resumes it."""

    def __init__(self) -> None:
        self.now = "active"
        self.looked = 0
        self.off = False
        self.unlocked = threading.Event()
        """Until it is set, or 2 s have passed, nobody learns whether the port is off."""
        self.unlocked.set()
        self.kept_waiting = False
        self.controls: list[str] = ["auto"]
        self.resumes = True

    def status(self) -> str:
        self.looked += 1
        return self.now

    def port_is_off(self) -> bool:
        self.kept_waiting = not self.unlocked.wait(2.0)
        return self.off

    def control(self) -> str:
        return self.controls[-1]

    def set_control(self, value: str) -> None:
        self.controls.append(value)
        if value == "on" and self.resumes:
            self.now = "active"


async def watched(device: FirmwareDevice, power: FakePower, host: UsbipHost, armed: bool = True) -> None:
    """Let the host poll, arm remote wakeup, take its URBs back and suspend."""
    device.watch = SuspendWatch(device, power)
    urbs = [host.submit_in(endpoint, 64) for endpoint in (2, 4)]
    if armed:
        await host.control(0x00, 3, 1, 0)
    for urb in urbs:
        await host.unlink(urb)
    power.now = "suspended"
    await eventually(lambda: device.suspended)


async def eventually(happened: object, within_s: float = 2.0) -> None:
    """Until the callable is true."""
    assert callable(happened)
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


def test_suspend_is_seen_when_the_host_has_taken_its_urbs_back() -> None:
    """No look at sysfs while URBs wait; none waits: suspended, and whether remote wakeup is armed, is told once."""

    async def scenario() -> None:
        device, power = FirmwareDevice(BUILD, application := RecordingApplication()), FakePower()
        async with plugged(device) as host:
            waiting = host.submit_in(4, 64)
            await host.control(0x80, 8, 0, 0, 1)
            device.watch = SuspendWatch(device, power)
            await asyncio.sleep(0.02)
            assert power.looked == 0
            await host.unlink(waiting)
            await watched(device, power, host)
            await asyncio.sleep(0.05)
            assert application.happened[2:] == ["suspended armed=True"]
            assert device.mounted
            assert not device.ready

    asyncio.run(scenario())


def test_any_urb_is_a_resume() -> None:
    """The host speaks again before sysfs says so; the device resumes first and then answers."""

    async def scenario() -> None:
        device, power = FirmwareDevice(BUILD, application := RecordingApplication()), FakePower()
        async with plugged(device) as host:
            await watched(device, power, host, armed=False)
            power.now = "resuming"
            await host.control(0x80, 0, 0, 0, 2)
            assert application.happened[2:] == ["suspended armed=False", "resumed"]

    asyncio.run(scenario())


def test_a_resume_without_urbs_is_seen_in_sysfs() -> None:
    """With everything closed the host resumes silently."""

    async def scenario() -> None:
        device, power = FirmwareDevice(BUILD, application := RecordingApplication()), FakePower()
        async with plugged(device) as host:
            await watched(device, power, host)
            power.now = "active"
            await eventually(lambda: not device.suspended)
            assert application.happened[-1] == "resumed"

    asyncio.run(scenario())


def test_looking_ends_when_the_host_polls_again() -> None:
    """A driver that closed and opened again costs a few looks and nothing after."""

    async def scenario() -> None:
        device, power = FirmwareDevice(BUILD, RecordingApplication()), FakePower()
        async with plugged(device) as host:
            device.watch = SuspendWatch(device, power)
            await host.unlink(host.submit_in(4, 64))
            await eventually(lambda: power.looked >= 2)
            host.submit_in(4, 64)
            await host.control(0xA1, 0x80, 0, 2, 28)
            looked = power.looked
            await asyncio.sleep(0.03)
            assert power.looked == looked

    asyncio.run(scenario())


def test_remote_wakeup_resumes_the_host_and_puts_its_setting_back() -> None:
    """power/control goes to on and back to what it was."""

    async def scenario() -> None:
        device, power = FirmwareDevice(BUILD, RecordingApplication()), FakePower()
        async with plugged(device) as host:
            await watched(device, power, host)
            assert isinstance(device.watch, SuspendWatch)
            assert await device.watch.remote_wakeup()
            assert power.controls == ["auto", "on", "auto"]
            await eventually(lambda: not device.suspended)

    asyncio.run(scenario())


def test_remote_wakeup_needs_a_suspend_that_the_host_armed() -> None:
    """tud_remote_wakeup refuses otherwise, and nothing is written."""

    async def scenario() -> None:
        device, power = FirmwareDevice(BUILD, RecordingApplication()), FakePower()
        async with plugged(device) as host:
            watch = SuspendWatch(device, power)
            assert not await watch.remote_wakeup()
            await watched(device, power, host, armed=False)
            assert not await watch.remote_wakeup()
            assert power.controls == ["auto"]

    asyncio.run(scenario())


def test_a_host_that_does_not_wake_is_an_error() -> None:
    """The message says what runtime_status was; the setting is put back all the same."""

    async def scenario() -> None:
        device, power = FirmwareDevice(BUILD, RecordingApplication()), FakePower()
        power.resumes = False
        async with plugged(device) as host:
            await watched(device, power, host)
            assert isinstance(device.watch, SuspendWatch)
            with pytest.raises(VirtualBoardError, match=r"runtime_status is 'suspended' 0.02 s after a remote wakeup"):
                await device.watch.remote_wakeup(within_s=0.02)
            assert power.controls == ["auto", "on", "auto"]

    asyncio.run(scenario())


def test_a_port_that_is_disabled_is_a_suspend_until_the_bus_is_reset() -> None:
    """The board sees silence; nobody can be woken; an enabled port is not yet a resume, the host's reset ends it."""

    async def scenario() -> None:
        device, power = FirmwareDevice(BUILD, application := RecordingApplication()), FakePower()
        async with plugged(device) as host:
            await watched(device, power, host)
            power.now, power.off = "", True
            assert isinstance(device.watch, SuspendWatch)
            assert not await device.watch.remote_wakeup()
            power.off, looked = False, power.looked
            await eventually(lambda: power.looked > looked + 2)
            assert device.suspended
            await host.control(0x80, 6, 0x0100, 0, 64)
            assert application.happened[2:] == ["suspended armed=True", "bus reset"]

    asyncio.run(scenario())


def test_a_device_answers_while_the_kernel_holds_its_hubs_lock() -> None:
    """Enumerating it, the kernel tells nobody whether a port is off before it has had the device's answers."""

    async def scenario() -> None:
        device, power = FirmwareDevice(BUILD, RecordingApplication()), FakePower()
        async with plugged(device) as host:
            device.watch = SuspendWatch(device, power)
            power.now = ""
            power.unlocked.clear()
            await host.unlink(host.submit_in(4, 64))
            await eventually(lambda: power.looked > 0)
            await host.control(0x80, 6, 0x0100, 0, 8)
            power.unlocked.set()
            assert not power.kept_waiting

    asyncio.run(scenario())


def test_what_is_learnt_after_looking_has_ended_counts_no_more() -> None:
    """The cable may be out by then."""

    async def scenario() -> None:
        device, power = FirmwareDevice(BUILD, application := RecordingApplication()), FakePower()
        async with plugged(device) as host:
            device.watch = watch = SuspendWatch(device, power)
            power.now, power.off = "", True
            power.unlocked.clear()
            await host.unlink(host.submit_in(4, 64))
            await eventually(lambda: power.looked > 0)
            power.unlocked.set()
            time.sleep(0.05)  # the answer is there, and the loop has not seen it
            await asyncio.sleep(0)
            watch.close()
            await asyncio.sleep(0.05)
            assert (device.suspended, power.looked) == (False, 1)
            assert "suspended armed=False" not in application.happened

    asyncio.run(scenario())


def test_a_disabled_port_is_read_from_its_hub(tmp_path: Path) -> None:
    """Its device itself is gone."""
    tree = VhciTree(tmp_path)
    power = SysfsPower("1-3", tree.devices)
    tree.set_disabled("1-3", True)
    assert (power.status(), power.port_is_off()) == ("", True)
    tree.set_disabled("1-3", False)
    tree.make_power("1-3", "active")
    assert (power.status(), power.port_is_off()) == ("active", False)
    assert not SysfsPower("1-4", tree.devices).port_is_off()


def test_sysfs_is_read_and_written_by_topology_path(tmp_path: Path) -> None:
    """status, control and a changed control; a device that is gone has no status and refuses control by name."""
    tree = VhciTree(tmp_path)
    tree.make_power("1-1", "suspended", "auto")
    power = SysfsPower("1-1", tree.devices)
    assert (power.status(), power.control()) == ("suspended", "auto")
    power.set_control("on")
    assert power.control() == "on"
    gone = SysfsPower("1-2", tree.devices)
    assert gone.status() == ""
    with pytest.raises(VirtualBoardError, match="1-2/power/control: reading : No such file"):
        gone.control()
