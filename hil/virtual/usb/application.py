"""What the firmware behind a virtual USB device is told.

The callbacks are TinyUSB's (``src/device/usbd.h``, ``class/cdc/cdc_device.h``, ``class/net/net_device.h``) and run
inside the event loop; none of them may wait.
"""

from typing import Protocol


class BusEvents(Protocol):
    """State of the bus, for any device."""

    def on_mounted(self) -> None:
        """SET_CONFIGURATION 1 (``tud_mount_cb``)."""

    def on_unmounted(self) -> None:
        """SET_CONFIGURATION 0 (``tud_umount_cb``); never on a plain unplug, as nothing senses VBUS."""

    def on_suspended(self, remote_wakeup_armed: bool) -> None:
        """The bus went idle (``tud_suspend_cb``): a suspend, or an unplug where the board has its own supply."""

    def on_resumed(self) -> None:
        """Traffic after a suspend (``tud_resume_cb``)."""

    def on_bus_reset(self) -> None:
        """The host reset the bus; configuration and class state are gone."""


class SerialEvents(Protocol):
    """What a CDC-ACM function tells."""

    def on_serial(self, data: bytes) -> None:
        """Bytes from the host."""

    def on_line_state(self, dtr: bool, rts: bool) -> None:
        """SET_CONTROL_LINE_STATE, also where nothing changed."""


class FrameEvents(Protocol):
    """What a CDC-NCM function tells."""

    def on_frame(self, frame: bytes) -> bool:
        """One Ethernet frame from the host (``tud_network_recv_cb``); False keeps it until ``renew_receive()``."""


class Application(BusEvents, SerialEvents, FrameEvents, Protocol):
    """Everything that the composite CDC-ACM + CDC-NCM firmware is told."""


class QuietApplication:
    """Does nothing; also the base for applications that care for a part."""

    def on_mounted(self) -> None:
        pass

    def on_unmounted(self) -> None:
        pass

    def on_suspended(self, remote_wakeup_armed: bool) -> None:
        pass

    def on_resumed(self) -> None:
        pass

    def on_bus_reset(self) -> None:
        pass

    def on_serial(self, data: bytes) -> None:
        pass

    def on_line_state(self, dtr: bool, rts: bool) -> None:
        pass

    def on_frame(self, frame: bytes) -> bool:
        return True
