"""The cable into this kernel's vhci_hcd: what its drivers make of the device, and what the device sees of the host."""

import asyncio
import fcntl
import os
import socket
import statistics
import struct
import time
import tty
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.testing.plugged_device import RecordingApplication
from hil.virtual.ipstack.netns import NetNamespace
from hil.virtual.usb.bus_state import SysfsPower
from hil.virtual.usb.cable import Cable
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.virtual.usb.firmware_device import FirmwareDevice
from hil.virtual.usb.uart_bridge import UartBridge
from hil.virtual.usb.vhci import Vhci
from tests.virtual.until import until

pytestmark = pytest.mark.vhci

BUILD = FirmwareUsb.for_chip("7c:df:a1:00:00:01")
SIOCGIFFLAGS = 0x8913
IFF_RUNNING = 0x40
USBDEVFS_RESET = 0x5514


class Host:
    """What the kernel made of the device on one topology path."""

    def __init__(self, path: str) -> None:
        self.node = Path("/sys/bus/usb/devices") / path
        self.path = path

    def tty(self) -> Path | None:
        """The node of its serial port."""
        found = next(self.node.glob(f"{self.path}:1.0/tty/ttyACM*"), None)
        return Path("/dev") / found.name if found and (Path("/dev") / found.name).exists() else None

    async def gone(self) -> None:
        """Until the kernel has let go of what was on the path before."""
        await until(lambda: not self.node.exists())

    def netif(self) -> str | None:
        """The name of its network interface, in the first namespace."""
        found = next(self.node.glob(f"{self.path}:1.2/net/*"), None)
        return found.name if found else None


async def run(*command: str) -> None:
    """A command, while the loop goes on serving the device."""
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0, command


async def settle() -> None:
    """Let udev rename what it wants to rename."""
    await run("udevadm", "settle")


async def interface_into(namespace: NetNamespace, host: Host) -> socket.socket:
    """Move the board's interface, set it up, and open a packet socket on it."""
    await until(host.netif)
    await settle()
    name = await until(host.netif)
    await run("ip", "link", "set", name, "netns", namespace.name)
    await run("ip", "-n", namespace.name, "link", "set", name, "up")

    def opened() -> socket.socket:
        packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        packets.bind((name, 3))
        packets.setblocking(False)
        return packets

    return namespace.call(opened)


def carrier_of(packets: socket.socket) -> Callable[[], bool]:
    """Whether the interface that a packet socket is bound to has its carrier (IFF_RUNNING)."""
    request = struct.pack("16sH14x", packets.getsockname()[0].encode(), 0)

    def read() -> bool:
        (flags,) = struct.unpack_from("H", fcntl.ioctl(packets, SIOCGIFFLAGS, request), 16)
        return bool(flags & IFF_RUNNING)

    return read


def open_raw(node: Path) -> int:
    """The serial port, raw and without waiting for a carrier."""
    descriptor = os.open(node, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(descriptor)
    return descriptor


def test_the_kernel_makes_a_tty_and_an_interface_and_both_carry_data() -> None:
    """cdc_acm and cdc_ncm bind; the log, DTR, frames both ways and the carrier work; unplugged, all is gone."""

    async def scenario() -> None:
        application = RecordingApplication()
        device = FirmwareDevice(BUILD, application)
        cable = Cable(Vhci(), Vhci().free_port())
        host = Host(cable.path)
        namespace = NetNamespace.create("hil-usb-test")
        begin = time.monotonic()
        await host.gone()
        cable.plug(device)
        node = await until(host.tty)
        seen_tty = time.monotonic() - begin
        await until(host.netif)
        print(f"attach to tty {seen_tty:.3f} s, to interface {time.monotonic() - begin:.3f} s")
        packets = await interface_into(namespace, host)
        carrier = carrier_of(packets)
        await until(carrier)
        await _frames_cross(device, application, packets)
        await _carrier_follows_the_link(device, carrier)
        await _serial_crosses(device, application, node)
        packets.close()
        begin = time.monotonic()
        await cable.unplug()
        await until(lambda: not host.node.exists())
        print(f"unplugged in {time.monotonic() - begin:.3f} s; counters {device.net.counters}")
        assert device.net.counters.malformed == 0
        namespace.close()

    asyncio.run(scenario())


async def _frames_cross(device: FirmwareDevice, application: RecordingApplication, packets: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    took = []
    for number in range(50):
        frame = bytes(range(6)) + bytes.fromhex(BUILD.host_mac.replace(":", "")) + b"\x88\xb5" + bytes([number]) * 100
        begin = time.monotonic()
        await loop.sock_sendall(packets, frame)
        await until(lambda frame=frame: frame in application.frames)
        back = frame[6:12] + frame[:6] + frame[12:]
        assert device.net.transmit(back)
        while await loop.sock_recv(packets, 2048) != back:
            pass
        took.append(time.monotonic() - begin)
    print(f"frame there and back: median {1000 * statistics.median(took):.2f} ms, longest {1000 * max(took):.2f} ms")


async def _carrier_follows_the_link(device: FirmwareDevice, carrier: Callable[[], bool]) -> None:
    for up in (False, True, False, True):
        begin = time.monotonic()
        device.net.set_link(up)
        await until(lambda up=up: carrier() is up)
        print(f"carrier {'up' if up else 'down'} after {1000 * (time.monotonic() - begin):.0f} ms")


async def _serial_crosses(device: FirmwareDevice, application: RecordingApplication, node: Path) -> None:
    port = await asyncio.to_thread(open_raw, node)
    await until(lambda: device.serial.dtr)
    assert "dtr=True rts=True" in application.happened
    assert device.serial.write(b"I (123) main: up\n") == 17
    got = bytearray()
    while len(got) < 17:
        await until(lambda: _read_into(port, got))
    assert got == b"I (123) main: up\n"
    await asyncio.to_thread(os.write, port, b"help\n")
    await until(lambda: application.serial == b"help\n")
    await asyncio.to_thread(os.close, port)
    await until(lambda: not device.serial.dtr)


def _read_into(port: int, got: bytearray) -> bool:
    try:
        got += os.read(port, 4096)
    except BlockingIOError:
        return False
    return True


def test_ten_replugs_lead_to_the_same_path_each_time() -> None:
    """A new device on the same port comes up again, with tty and interface, ten times without a failure."""

    async def scenario() -> None:
        cable = Cable(Vhci(), Vhci().free_port())
        host = Host(cable.path)
        up, down = [], []
        for _ in range(10):
            device = FirmwareDevice(BUILD, RecordingApplication())
            begin = time.monotonic()
            cable.plug(device)
            await until(host.tty)
            await until(host.netif)
            up.append(time.monotonic() - begin)
            begin = time.monotonic()
            await cable.unplug()
            await until(lambda: not host.node.exists())
            down.append(time.monotonic() - begin)
        print(f"replug: median {statistics.median(up):.3f} s, longest {max(up):.3f} s; unplug {max(down):.3f} s")

    asyncio.run(scenario())


def test_the_device_sees_suspend_and_wakes_the_host() -> None:
    """power/control=auto suspends the board; a frame waits until its remote wakeup; the host resumes it too."""

    async def scenario() -> None:
        application = RecordingApplication()
        device = FirmwareDevice(BUILD, application)
        cable = Cable(Vhci(), Vhci().free_port())
        host = Host(cable.path)
        namespace = NetNamespace.create("hil-usb-test")
        await host.gone()
        cable.plug(device)
        packets = await interface_into(namespace, host)
        carrier = carrier_of(packets)
        await until(carrier)
        power = SysfsPower(cable.path)
        (host.node / "power/autosuspend_delay_ms").write_text("100")
        begin = time.monotonic()
        await asyncio.to_thread(power.set_control, "auto")
        await until(lambda: power.status() == "suspended")
        kernel_s = time.monotonic() - begin
        await until(lambda: device.suspended)
        print(f"suspended: the kernel after {kernel_s:.3f} s, the device after {time.monotonic() - begin:.3f} s")
        assert application.happened[-1] == "suspended armed=True"
        assert not device.ready
        frame = bytes.fromhex(BUILD.host_mac.replace(":", "")) + bytes(6) + b"\x88\xb5" + b"late" * 20
        assert device.net.transmit(frame)
        assert cable.watch is not None
        begin = time.monotonic()
        assert await cable.watch.remote_wakeup()
        while await asyncio.wait_for(asyncio.get_running_loop().sock_recv(packets, 2048), 5) != frame:
            pass
        print(f"remote wakeup to the late frame: {time.monotonic() - begin:.3f} s")
        assert application.happened[-1] == "resumed"
        assert power.control().strip() == "auto"
        await until(lambda: device.suspended)
        await asyncio.to_thread(power.set_control, "on")
        await until(lambda: not device.suspended)
        packets.close()
        await cable.unplug()
        namespace.close()

    asyncio.run(scenario())


def test_the_device_sees_suspend_with_everything_closed() -> None:
    """With the tty closed and the interface down there is no URB to take back, and the suspend is seen all the same."""

    async def scenario() -> None:
        application = RecordingApplication()
        device = FirmwareDevice(BUILD, application)
        cable = Cable(Vhci(), Vhci().free_port())
        host = Host(cable.path)
        await host.gone()
        cable.plug(device)
        await until(host.netif)
        await settle()
        (host.node / "power/autosuspend_delay_ms").write_text("100")
        await asyncio.to_thread(SysfsPower(cable.path).set_control, "auto")
        await until(lambda: device.suspended)
        assert application.happened[-1] == "suspended armed=False"
        port = await asyncio.to_thread(open_raw, await until(host.tty))
        assert application.happened[-2:] == ["resumed", "dtr=True rts=True"]
        await asyncio.to_thread(os.close, port)
        await cable.unplug()

    asyncio.run(scenario())


def test_the_bus_is_never_faster_than_full_speed() -> None:
    """Frames that leave as fast as buffers come free stay below 1216 kB/s on a kernel that could take far more."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, RecordingApplication())
        cable = Cable(Vhci(), Vhci().free_port())
        host = Host(cable.path)
        namespace = NetNamespace.create("hil-usb-test")
        await host.gone()
        cable.plug(device)
        packets = await interface_into(namespace, host)
        carrier = carrier_of(packets)
        await until(carrier)
        frame = bytes.fromhex(BUILD.host_mac.replace(":", "")) + bytes(6) + b"\x88\xb5" + bytes(1486)
        before = device.net.counters.frames_to_host
        begin = time.monotonic()
        while time.monotonic() - begin < 3:
            while device.net.transmit(frame):
                pass
            await asyncio.sleep(0.001)
        rate = (device.net.counters.frames_to_host - before) * len(frame) / (time.monotonic() - begin) / 1000
        print(f"to the host: {rate:.0f} kB/s of frames")
        packets.close()
        await cable.unplug()
        namespace.close()
        assert 0 < rate < 1216

    asyncio.run(scenario())


def test_the_uart_bridge_is_a_second_device() -> None:
    """Board and bridge have paths and serial numbers of their own; the bridge carries a boot log whole."""

    async def scenario() -> None:
        vhci = Vhci()
        bridge_events = RecordingApplication()
        board = Cable(vhci, vhci.free_port())
        board.plug(FirmwareDevice(BUILD, RecordingApplication()))
        await until(Host(board.path).tty)
        console = Cable(vhci, vhci.free_port())
        bridge = UartBridge("5435021234", bridge_events)
        console.plug(bridge)
        host = Host(console.path)
        node = await until(host.tty)
        assert (host.node / "serial").read_text().strip() == "5435021234"
        port = await asyncio.to_thread(open_raw, node)
        await until(lambda: bridge.serial.polled)
        log = b"".join(b"I (%d) boot: line\r\n" % number for number in range(2000))
        assert bridge.serial.write(log) == len(log)
        got = bytearray()
        begin = time.monotonic()
        while len(got) < len(log):
            await until(lambda: _read_into(port, got))
        print(f"{len(log)} bytes of console in {time.monotonic() - begin:.3f} s")
        assert got == log
        await asyncio.to_thread(os.close, port)
        await console.unplug()
        await board.unplug()

    asyncio.run(scenario())


def test_the_device_sees_what_the_host_does_to_it() -> None:
    """USBDEVFS_RESET is a bus reset and a mount; authorized 0 and 1 an unmount and a mount; both once."""

    async def scenario() -> None:
        application = RecordingApplication()
        cable = Cable(Vhci(), Vhci().free_port())
        host = Host(cable.path)
        await host.gone()
        cable.plug(FirmwareDevice(BUILD, application))
        await until(lambda: len(application.happened) >= 2)  # the test before may have left its interface for a moment
        await until(host.netif)
        await settle()
        assert application.happened == ["bus reset", "mounted"]
        await asyncio.to_thread(reset_device, host.node)
        await until(lambda: len(application.happened) >= 4)
        await until(host.netif)
        assert application.happened[2:] == ["bus reset", "mounted"]
        authorized = host.node / "authorized"
        for value, wanted in (("0", "unmounted"), ("1", "mounted")):
            await asyncio.to_thread(authorized.write_text, value)
            await until(lambda wanted=wanted: application.happened[-1] == wanted)
        assert application.happened[4:] == ["unmounted", "mounted"]
        await cable.unplug()

    asyncio.run(scenario())


def reset_device(node: Path) -> None:
    """USBDEVFS_RESET; returns when the kernel has the device again."""
    bus, number = (int((node / name).read_text()) for name in ("busnum", "devnum"))
    descriptor = os.open(f"/dev/bus/usb/{bus:03d}/{number:03d}", os.O_RDWR)
    try:
        fcntl.ioctl(descriptor, USBDEVFS_RESET, 0)
    finally:
        os.close(descriptor)
