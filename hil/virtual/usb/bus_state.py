"""Suspend and resume, which USB/IP does not carry.

vhci_hcd tells the device nothing when the kernel suspends its port: the device sees the host arm remote wakeup where it
wants it, and take back its IN URBs. That also happens when a driver closes. So this module looks at the host's side of
the device, ``power/runtime_status`` in sysfs, which a real device could not: this is the seam of the virtual bench.

- While the configured device has no IN URB of the host, the status is read every 5 ms for one second, then every 100 ms
  (with the tty closed and the interface down there is nothing to take back, and the suspend comes later).
- While it is suspended the status is read every 20 ms, and any URB counts as resume.
- A port that the kernel disables takes the device's URBs back too, and then has no device any more: without VBUS
  sensing that is a suspend to the board, until the host resets the enabled port's bus. vhci_hcd tells nothing of it.
  Whether the port is disabled is asked beside the loop: the answer waits for the hub's lock, which the kernel holds for
  as long as it enumerates a device there (drivers/usb/core/port.c, ``disable_show``; hub.c, ``hub_event``). That may be
  this very device, whose answers only the loop gives.
- vhci_hcd has no remote wakeup either: ``power/control`` is set to ``on``, which resumes the device, and put back.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from hil.clock import Deadline
from hil.errors import VirtualBoardError
from hil.virtual.usb.device import UsbDevice

DEVICES = Path("/sys/bus/usb/devices")
SUSPENDED, ACTIVE = "suspended", "active"
DOUBT_POLL_S = 0.005
DOUBT_S = 1.0
IDLE_POLL_S = 0.1
SUSPENDED_POLL_S = 0.02


class RuntimePower(Protocol):
    """Runtime power management of the device on the host."""

    def status(self) -> str:
        """``runtime_status``: active, suspending, suspended, resuming; '' where there is no such device now."""

    def port_is_off(self) -> bool:
        """Whether its port is disabled; may take as long as an enumeration, so never call it from the loop."""

    def control(self) -> str:
        """``auto`` or ``on``."""

    def set_control(self, value: str) -> None:
        """Returns when a resume it causes is over, so never call it from the loop that serves the device."""


class SysfsPower:
    """The ``power`` directory of a USB device.

    Args:
        path: topology path, such as ``1-1``.
    """

    def __init__(self, path: str, devices: Path = DEVICES) -> None:
        self._directory = devices / path / "power"
        bus, _, port = path.partition("-")
        self._disable = devices / f"usb{bus}" / f"{bus}-0:1.0" / f"usb{bus}-port{port}" / "disable"

    def status(self) -> str:
        return _line(self._directory / "runtime_status")

    def port_is_off(self) -> bool:
        return _line(self._disable) == "1"

    def control(self) -> str:
        return self._attempt("reading").strip()

    def set_control(self, value: str) -> None:
        self._attempt("writing", value)

    def _attempt(self, what: str, value: str | None = None) -> str:
        file = self._directory / "control"
        try:
            if value is None:
                return file.read_text()
            file.write_text(value)
        except OSError as error:
            raise VirtualBoardError(f"{file}: {what} {value or ''}: {error.strerror}") from error
        return ""


def _line(file: Path) -> str:
    """Its text; '' where there is no such file now."""
    try:
        return file.read_text().strip()
    except OSError:
        return ""


class SuspendWatch:
    """Tells one device of suspend and resume; set as its ``watch`` while the cable is in.

    Args:
        port_back: called when a port that was disabled is enabled again; a real hub sees the connection then,
            vhci_hcd's does not tell the kernel of it.
    """

    def __init__(self, device: UsbDevice, power: RuntimePower, port_back: Callable[[], None] = lambda: None) -> None:
        self._device = device
        self._power = power
        self._port_back = port_back
        self._port_off = False
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.TimerHandle | asyncio.Future[bool] | None = None
        """The next look, or the one at the port that is under way."""
        self._doubt_until_s = 0.0

    def polling(self, polled: bool) -> None:
        """Whether the host has any IN URB with the configured device."""
        if polled:
            self.close()
        elif self._next is None:
            self._doubt()

    def close(self) -> None:
        """Look no more, until the host takes its IN URBs back again."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    async def remote_wakeup(self, within_s: float = 5.0) -> bool:
        """Wake the host (``tud_remote_wakeup``); False where it is not suspended, did not arm it or listens no more.

        Raises:
            VirtualBoardError: the device is not active within ``within_s``.
        """
        if not (self._device.suspended and self._device.remote_wakeup_armed and self._power.status()):
            return False
        former = self._power.control()
        try:
            await asyncio.wait_for(asyncio.to_thread(self._power.set_control, "on"), within_s)
            await self._wait_active(within_s)
        except TimeoutError as error:
            raise VirtualBoardError(f"power/control 'on' did not resume the device within {within_s} s") from error
        finally:
            await asyncio.to_thread(self._power.set_control, former)
        return True

    async def _wait_active(self, within_s: float) -> None:
        deadline = Deadline(within_s)
        while (found := self._power.status()) != ACTIVE:
            if deadline.passed:
                raise VirtualBoardError(f"runtime_status is {found!r} {within_s} s after a remote wakeup")
            await asyncio.sleep(DOUBT_POLL_S)

    def _doubt(self) -> None:
        now_s = self._loop.time()
        self._doubt_until_s = now_s + DOUBT_S
        self._next = self._loop.call_at(now_s + DOUBT_POLL_S, self._look)

    def _look(self) -> None:
        status = self._power.status()
        if status:
            self._see(status, port_off=False)
        else:
            self._next = asked = self._loop.run_in_executor(None, self._power.port_is_off)
            asked.add_done_callback(self._answered)

    def _answered(self, asked: asyncio.Future[bool]) -> None:
        if asked is self._next:  # nobody has closed this meanwhile
            self._see("", port_off=asked.result())

    def _see(self, status: str, *, port_off: bool) -> None:
        if self._port_off and not port_off:
            self._port_back()
        self._port_off = port_off
        if port_off or status == SUSPENDED:
            self._device.suspend()
        elif status:  # a port that was enabled again has no device before the host has reset the bus
            self._device.resume()
        pause_s = IDLE_POLL_S
        if self._device.suspended:
            pause_s = SUSPENDED_POLL_S
        elif self._loop.time() < self._doubt_until_s:
            pause_s = DOUBT_POLL_S
        self._next = self._loop.call_later(pause_s, self._look)
