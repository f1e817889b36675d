"""Serial ports that come and go, played with pseudo-terminals."""

import asyncio
import os
import pty
import select
import termios
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from hil.agent.server.tty import LineSettings, TtyWatch, loaders_but, open_tty
from hil.agent.server.usbdevice import UsbDevice
from hil.errors import AgentError
from hil.testing.usb_tree import UsbTree
from hil.wire.uevent import KernelUevent


class Port:
    """A serial port below 1-1.2 that is really a pseudo-terminal."""

    def __init__(self, directory: Path) -> None:
        self.tree = UsbTree(directory / "sys")
        self.tree.attach("1-1.2")
        self.dev = directory / "dev"
        self.dev.mkdir()
        self.device = UsbDevice("1-1.2", self.tree.root, self.dev)
        self.opened: list[tuple[str, int]] = []
        self.gone: list[str] = []
        self.far: list[int] = []
        self.waited_out = threading.Event()

    def watch(self, settings: LineSettings | None = None) -> TtyWatch:
        return TtyWatch(
            self.device,
            settings or LineSettings(),
            lambda node, port: self.opened.append((node, port.descriptor)),
            self.gone.append,
            self.dev,
        )

    def appear(self, name: str) -> KernelUevent:
        """Make the port. Returns the uevent that says so."""
        far, near = pty.openpty()
        self.far.append(far)
        status = os.fstat(near)
        self.tree.add_tty("1-1.2", name, (os.major(status.st_rdev), os.minor(status.st_rdev)))
        (self.dev / name).unlink(missing_ok=True)
        (self.dev / name).symlink_to(os.ttyname(near))
        self.far.append(near)
        return self.event("add", name)

    def vanish(self, name: str) -> KernelUevent:
        place = self.tree.directory("1-1.2") / f"1-1.2:1.2/tty/{name}"
        (place / "dev").unlink()
        place.rmdir()
        return self.event("remove", name)

    @staticmethod
    def event(action: str, name: str) -> KernelUevent:
        devpath = f"/devices/platform/vhci_hcd.0/usb1/1-1/1-1.2/1-1.2:1.2/tty/{name}"
        return KernelUevent(action, devpath, {"SUBSYSTEM": "tty"})

    def held_up(self, name: str) -> Callable[[], None]:
        """Make opening the port take until the returned function is called, or 2 s where it is called too late."""
        number = self.tree.directory("1-1.2") / f"1-1.2:1.2/tty/{name}/dev"
        text = number.read_text()
        number.unlink()
        os.mkfifo(number)
        rescue = threading.Timer(2.0, lambda: self.waited_out.set() or number.write_text(text))
        rescue.daemon = True
        rescue.start()

        def go_on() -> None:
            rescue.cancel()
            number.write_text(text)

        return go_on

    def times_open(self, name: str) -> int:
        """How many descriptors of this process lead to the port."""
        names = [f"/proc/self/fd/{each}" for each in os.listdir("/proc/self/fd")]
        wanted = os.readlink(self.dev / name)
        return sum(os.path.realpath(each) == wanted for each in names)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5.0):
            while not condition():
                await asyncio.sleep(0.001)

    def close(self) -> None:
        for descriptor in [*self.far, *(fd for _, fd in self.opened)]:
            os.close(descriptor)


def played(directory: Path, scenario: Callable[[Port, TtyWatch], Awaitable[None]]) -> None:
    """Run a scenario with a port and its watch."""
    port = Port(directory)

    async def run() -> None:
        watch = port.watch()
        try:
            await scenario(port, watch)
        finally:
            watch.close()

    try:
        asyncio.run(run())
    finally:
        port.close()


def test_a_port_that_is_there_is_opened(tmp_path: Path) -> None:
    """Looking opens what is there, once."""

    async def scenario(port: Port, watch: TtyWatch) -> None:
        port.appear("ttyACM0")
        watch.look()
        watch.look()
        await port.until(lambda: bool(port.opened))
        watch.look()
        assert [node for node, _ in port.opened] == [str(port.dev / "ttyACM0")]

    played(tmp_path, scenario)


def test_a_port_that_comes_back_under_another_name_is_opened_again(tmp_path: Path) -> None:
    """What counts is the USB device; removal and return are both told."""

    async def scenario(port: Port, watch: TtyWatch) -> None:
        watch.take(port.appear("ttyACM0"))
        await port.until(lambda: len(port.opened) == 1)
        watch.take(port.vanish("ttyACM0"))
        assert port.gone == [str(port.dev / "ttyACM0")]
        watch.take(port.appear("ttyACM1"))
        await port.until(lambda: len(port.opened) == 2)
        assert port.opened[1][0] == str(port.dev / "ttyACM1")

    played(tmp_path, scenario)


def test_a_node_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    """The kernel's uevent may lead the node; opening is tried until it is there."""

    async def scenario(port: Port, watch: TtyWatch) -> None:
        event = port.appear("ttyACM0")
        target = os.readlink(port.dev / "ttyACM0")
        (port.dev / "ttyACM0").unlink()
        watch.take(event)
        await asyncio.sleep(0.05)
        assert port.opened == []
        (port.dev / "ttyACM0").symlink_to(target)
        await port.until(lambda: len(port.opened) == 1)

    played(tmp_path, scenario)


def test_lost_uevents_are_made_up_for(tmp_path: Path) -> None:
    """Where uevents were dropped, looking tells both the port that went and the one that came."""

    async def scenario(port: Port, watch: TtyWatch) -> None:
        watch.take(port.appear("ttyACM0"))
        await port.until(lambda: len(port.opened) == 1)
        port.vanish("ttyACM0")
        port.appear("ttyACM1")
        watch.look()
        await port.until(lambda: len(port.opened) == 2)
        assert port.gone == [str(port.dev / "ttyACM0")]

    played(tmp_path, scenario)


@pytest.mark.parametrize(
    ("pid", "serial_jtag", "opens"),
    [
        ("1001", False, False),
        ("0009", False, False),
        ("1001", True, True),
        ("0009", True, False),
        ("4001", False, True),
    ],
)
def test_a_loaders_port_is_left_alone(tmp_path: Path, pid: str, serial_jtag: bool, opens: bool) -> None:
    """USB-Serial/JTAG is opened where the log comes over it, the ROM's own USB never; an application's port always."""

    async def scenario(port: Port, _: TtyWatch) -> None:
        (port.tree.directory("1-1.2") / "idProduct").write_text(f"{pid}\n")
        watch = port.watch(LineSettings(avoided=loaders_but(serial_jtag)))
        watch.take(port.appear("ttyACM0"))
        await asyncio.sleep(0.01)  # the port is there: an attempt would have succeeded by now
        assert watch.leaves_alone() is not opens
        watch.close()
        assert bool(port.opened) is opens

    played(tmp_path, scenario)


def test_the_applications_port_is_opened_once_the_loader_has_gone(tmp_path: Path) -> None:
    """The watch goes on while a loader is there."""

    async def scenario(port: Port, _: TtyWatch) -> None:
        watch = port.watch(LineSettings(avoided=loaders_but(False)))
        (port.tree.directory("1-1.2") / "idProduct").write_text("1001\n")
        watch.take(port.appear("ttyACM0"))
        watch.take(port.vanish("ttyACM0"))
        (port.tree.directory("1-1.2") / "idProduct").write_text("4001\n")
        watch.take(port.appear("ttyACM0"))
        await port.until(lambda: len(port.opened) == 1)
        watch.close()

    played(tmp_path, scenario)


def test_a_port_that_opens_slowly_holds_up_nothing_else(tmp_path: Path) -> None:
    """The kernel waits 5 s for a board that does not answer SET_LINE_CODING; the agent's loop serves others."""

    async def scenario(port: Port, watch: TtyWatch) -> None:
        port.appear("ttyACM0")
        go_on = port.held_up("ttyACM0")
        watch.look()
        await asyncio.sleep(0.02)
        assert not port.waited_out.is_set()
        assert port.opened == []
        await asyncio.to_thread(go_on)
        await port.until(lambda: len(port.opened) == 1)

    played(tmp_path, scenario)


def test_a_port_that_nobody_wants_any_more_is_closed_once_it_is_open(tmp_path: Path) -> None:
    """Settling waits for that: whoever asked to let go of the port may open it then."""

    async def scenario(port: Port, watch: TtyWatch) -> None:
        port.appear("ttyACM0")
        before = port.times_open("ttyACM0")
        go_on = port.held_up("ttyACM0")
        watch.look()
        await asyncio.sleep(0.02)
        watch.close()
        settled = asyncio.create_task(watch.settle())
        await asyncio.sleep(0.02)
        assert not settled.done()
        await asyncio.to_thread(go_on)
        await settled
        assert (port.opened, port.times_open("ttyACM0")) == ([], before)

    played(tmp_path, scenario)


def test_a_port_of_another_device_is_not_opened(tmp_path: Path) -> None:
    """A uevent from elsewhere in the tree is ignored."""

    async def scenario(port: Port, watch: TtyWatch) -> None:
        port.appear("ttyACM0")
        elsewhere = "/devices/platform/vhci_hcd.0/usb1/1-1/1-1.3/1-1.3:1.2/tty/ttyACM9"
        watch.take(KernelUevent("add", elsewhere, {"SUBSYSTEM": "tty"}))
        await asyncio.sleep(0)
        assert port.opened == []

    played(tmp_path, scenario)


def test_what_the_port_held_survives_opening(tmp_path: Path) -> None:
    """Bytes that came before the port was opened are read after it, raw."""
    port = Port(tmp_path)
    port.appear("ttyACM0")
    far, near = port.far
    os.write(far, b"early\n")
    settings = LineSettings(baud=921600)
    descriptor = open_tty(port.dev / "ttyACM0", port.device.tty_number("ttyACM0"), settings)
    os.write(far, b"late\r\x03")
    read = b""
    while len(read) < len(b"early\nlate\r\x03") and select.select([descriptor], [], [], 5.0)[0]:
        read += os.read(descriptor, 100)
    assert read == b"early\nlate\r\x03"
    mode = termios.tcgetattr(descriptor)
    assert (mode[0], mode[1], mode[3], mode[4]) == (0, 0, 0, termios.B921600)
    assert mode[2] & (termios.CSIZE | termios.HUPCL | termios.CLOCAL) == termios.CS8 | termios.CLOCAL
    os.close(descriptor)
    port.close()
    assert near


def test_another_device_at_the_node_is_not_opened(tmp_path: Path) -> None:
    """The node must be the character device that sysfs names."""
    port = Port(tmp_path)
    port.appear("ttyACM0")
    with pytest.raises(AgentError, match=r"ttyACM0 is not the character device 166:0"):
        open_tty(port.dev / "ttyACM0", (166, 0), LineSettings())
    port.close()
