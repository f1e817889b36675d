"""Stands for the agent and for one USB device that it can reach."""

import socket

from hil.agent.client import Done
from hil.errors import AgentError
from hil.testing.fake_capture import FakeCapture
from hil.timeline.events import UsbAttached, UsbDetached, UsbResumed, UsbSuspended

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
        self.attributes = {"runtime_status": "active", "control": "on", "autosuspend_delay_ms": "2000"}

    # ---- what happens to the device --------------------------------------------------------------

    def attach(self) -> None:
        """The device comes onto the bus, awake."""
        self.present = True
        self.attributes.update(runtime_status="active", control="on")
        self.capture.record_after(UEVENT_S, UsbAttached(PATH, VID, PID, "x", source="uevent"))

    def detach(self) -> None:
        """The device leaves the bus, unless it has already."""
        if not self.present:
            return
        self.present = False
        self.capture.record_after(UEVENT_S, UsbDetached(PATH, source="uevent"))

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
        self._reached("read_attribute", board, attribute)
        return self.attributes[attribute]

    def write_attribute(self, board: str, attribute: str, value: str) -> Done:
        self._reached("write_attribute", board, attribute, value)
        self.attributes[attribute] = value
        if attribute == "control":
            self._controlled(value)
        return Done(self.capture.clock.now_ns(), 1000)

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
        if not self.present:
            raise AgentError(f"no USB device at {PATH}: /sys/bus/usb/devices/{PATH} does not resolve")
