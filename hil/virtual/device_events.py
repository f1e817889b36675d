"""From one USB device to the firmware that made it."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from hil.virtual.firmware import Command, Firmware
from hil.virtual.seen import Seen


class Listener(Protocol):
    """The board, as its USB device sees it."""

    def mounted(self) -> None: ...

    def frame_from_host(self, frame: bytes) -> None: ...

    def tell(self, callback: Callable[[int], list[Command]]) -> None: ...


class DeviceEvents:
    """An :class:`~hil.virtual.usb.application.Application` that ends with its device.

    The host notices only some time after a reset that the device is gone; what it still sends must not reach the next
    boot's firmware.
    """

    def __init__(self, listener: Listener, firmware: Firmware, seen: Seen | None = None) -> None:
        self._listener: Listener | None = listener
        self._firmware = firmware
        self._seen = seen or Seen()

    def detach(self) -> None:
        """Nobody listens any more."""
        self._listener = None

    def on_mounted(self) -> None:
        if self._listener is not None:
            self._seen.mounts += 1
            self._listener.mounted()

    def on_unmounted(self) -> None:
        self._seen.unmounts += self._listener is not None
        self._tell(self._firmware.unmounted)

    def on_suspended(self, remote_wakeup_armed: bool) -> None:
        self._seen.suspends += self._listener is not None
        self._tell(partial(self._firmware.suspended, remote_wakeup_armed))

    def on_resumed(self) -> None:
        self._seen.resumes += self._listener is not None
        self._tell(self._firmware.resumed)

    def on_bus_reset(self) -> None:
        """TinyUSB has no callback for it: the firmware is not told."""
        self._seen.bus_resets += self._listener is not None

    def on_serial(self, data: bytes) -> None:
        self._tell(partial(self._firmware.serial_received, data))

    def on_line_state(self, dtr: bool, rts: bool) -> None:
        self._tell(partial(self._firmware.line_state, dtr, rts))

    def on_frame(self, frame: bytes) -> bool:
        if self._listener is not None:
            self._listener.frame_from_host(frame)
        return True

    def _tell(self, callback: Callable[[int], list[Command]]) -> None:
        if self._listener is not None:
            self._listener.tell(callback)
