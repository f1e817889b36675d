"""Stands for the agent and for one USB device that it can reach."""

import socket

from hil.agent.replies import Done, PortHeld
from hil.errors import AgentError, SetupError
from hil.testing.fake_capture import FakeCapture
from hil.timeline.events import TtyAppeared, UsbAttached, UsbDetached, UsbResumed, UsbSuspended

PATH = "1-1.2"
VID, PID = 0x303A, 0x4001
UEVENT_S = 0.01
"""Between what happens to the device and the journal's line about it."""


class FakeAgent:
    """Records calls; its device suspends, resumes and vanishes as the test lays down, and the journal tells of it."""

    def __init__(self, capture: FakeCapture) -> None:
        self.capture = capture
        self.calls: list[tuple[str, ...]] = []
        """Name and arguments of each call, as text."""
        self.alive = True
        self.present = True
        self.suspends = True
        """Whether the device goes to sleep when it may."""
        self.resumes = True
        self.vanish_on: tuple[str, ...] | None = None
        """The call during which the device leaves the bus."""
        self.answers: list[socket.socket | OSError] = []
        """What open_tcp_socket brings, in order."""
        self.attributes = {
            "runtime_status": "active",
            "idVendor": f"{VID:04x}",
            "idProduct": f"{PID:04x}",
            "control": "on",
            "autosuspend_delay_ms": "2000",
            "authorized": "1",
            "bound": "1",
            "bound_ncm": "1",
            "port_disable": "0",
        }
        self.tells = True
        """Whether the journal tells when the device comes and goes; the kernel knows it all the same."""
        self.tells_of_tty = False
        """Whether it tells of the device's serial port as well."""
        self.refuses: tuple[str, ...] | None = None
        """The call at which the kernel says no, with the device there."""
        self.has_port_switch = True
        """Whether the kernel can disable a hub's port."""
        self.lines_reset = True
        """Whether the console's DTR and RTS are wired to the chip."""
        self.ttys = {"usb": "/dev/ttyACM0"}
        """Node of each serial port that is there."""
        self.boot_s = 0.4
        """From a reset to the device on the bus."""

    # ---- what happens to the device --------------------------------------------------------------

    def attach(self) -> None:
        """The device comes onto the bus, awake."""
        self.present = True
        self.attributes.update(runtime_status="active", control="on", authorized="1", bound="1", bound_ncm="1")
        told = [UsbAttached(PATH, *self.identity, source="uevent")] if self.tells else []
        ports = [TtyAppeared(PATH, self.ttys["usb"], source="uevent")] if self.tells_of_tty else []
        self.capture.after(UEVENT_S, lambda: [*map(self.capture.record, [*told, *ports])])

    @property
    def identity(self) -> tuple[int, int]:
        """Vendor and product of the device that is there, or comes next."""
        return int(self.attributes["idVendor"], 16), int(self.attributes["idProduct"], 16)

    def become(self, vid: int, pid: int, after_s: float = 0.0) -> None:
        """The device goes, and comes back as another one when ``after_s`` more have passed."""
        self.detach()
        self.attributes.update(idVendor=f"{vid:04x}", idProduct=f"{pid:04x}")
        self.capture.after(after_s, self.attach)

    def detach(self) -> None:
        """The device leaves the bus, unless it has already."""
        if not self.present:
            return
        self.present = False
        if self.tells:
            self.capture.record_after(UEVENT_S, UsbDetached(PATH, source="uevent"))

    def restart(self) -> None:
        """The chip starts over: its device goes, and comes when it has booted."""
        self.detach()
        self.capture.after(self.boot_s, self.attach)

    def starts(self, download: bool) -> None:
        """The chip comes out of a reset with IO0 low or high: its loader, or its application."""
        pid = 0x1001 if download else PID
        self.become(VID, pid, self.boot_s)

    def suspend(self) -> None:
        """The device goes to sleep, if it is there."""
        if not self.present:
            return
        self.attributes["runtime_status"] = "suspended"
        self.capture.record(UsbSuspended(PATH, source="sysfs"))

    # ---- calls of the agent ----------------------------------------------------------------------

    def boards_known(self) -> list[str]:
        self._called("boards_known")
        return ["s3-a"]

    def read_attribute(self, board: str, attribute: str) -> str:
        self._asked(attribute, "read_attribute", board, attribute)
        return self.attributes[attribute]

    def write_attribute(self, board: str, attribute: str, value: str) -> Done:
        self._asked(attribute, "write_attribute", board, attribute, value)
        self.attributes[attribute] = value
        if attribute == "control":
            self._controlled(value)
        if attribute == "port_disable":
            self.detach() if value == "1" else self.attach()
        return self._done()

    def find_tty(self, board: str, port: str) -> str:
        self._reached("find_tty", board, port)
        if port not in self.ttys:
            raise AgentError(f"{PATH} has no serial port")
        return self.ttys[port]

    def reset_device(self, board: str) -> Done:
        self._reached("reset_device", board)
        return self._done()

    def reset_by_lines(self, board: str, download: bool = False) -> Done:
        self._called("reset_by_lines", board, *(["download"] if download else []))
        if self.lines_reset:
            self.starts(download)
        return self._done()

    def open_tty(self, board: str, port: str, alone: bool = True) -> tuple[str, int]:
        self._reached("open_tty", board, port)
        raise PortHeld(f"{self.ttys[port]} is held by screen (process 77); end that, or let go of it")

    def switch_power(self, board: str, power: str, on: bool) -> Done:
        self._called("switch_power", board, power, str(on))
        return self._done()

    def hold_boot(self, board: str, boot: str, on: bool) -> Done:
        self._called("hold_boot", board, boot, str(on))
        return self._done()

    def _done(self) -> Done:
        return Done(self.capture.clock.now_ns(), 1000)

    def _asked(self, attribute: str, *call: str) -> None:
        """A port has its attribute whether a device is there or not."""
        if attribute != "port_disable":
            self._reached(*call)
            return
        self._called(*call)
        if not self.has_port_switch:
            raise SetupError("port has no attribute 'disable'; kernels before 6.0 have none")

    def set_address(self, board: str, address: str, prefix: int, router: str = "") -> Done:
        self._reached("set_address", board, f"{address}/{prefix}", router)
        return self._done()

    def clear_address(self, board: str) -> Done:
        self._reached("clear_address", board)
        return self._done()

    def open_tcp_socket(self, board: str, address: str, port: int, timeout_s: float) -> socket.socket:
        self._called("open_tcp_socket", board, address, str(port))
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    def _controlled(self, value: str) -> None:
        asleep = self.attributes["runtime_status"] == "suspended"
        if value == "auto" and self.suspends:
            self.capture.after(0.03, self.suspend)
        if value == "on" and asleep and self.resumes:
            self.attributes["runtime_status"] = "active"
            self.capture.record_after(0.02, UsbResumed(PATH, source="sysfs"))

    def _called(self, *call: str) -> None:
        self.calls.append(call)
        if not self.alive:
            raise AgentError(f"{call[0]}: the agent is gone: it closed the connection")

    def _reached(self, *call: str) -> None:
        self._called(*call)
        self.capture.catch_up()
        if call == self.vanish_on:
            self.detach()
        if call == self.refuses:
            raise AgentError(f"{' '.join(call)}: Input/output error")
        if not self.present:
            raise AgentError(f"no USB device at {PATH}: /sys/bus/usb/devices/{PATH} does not resolve")
