"""Faults of the USB device itself."""

from collections.abc import Mapping, Sequence

from hil.virtual.faults import Fault
from hil.virtual.firmware import UsbConnect, UsbDisconnect
from hil.virtual.points import Injection, Later, Point, StallUsb

CALLBACK_S = 4.6
"""1 s, 0.5 s, 2 s, 1 s and 0.1 s of vTaskDelay."""
AWAY_S = 0.5
"""Long enough for a hub to see the disconnect (USB 2.0 section 7.1.7.3: 2.5 µs; debounced for 100 ms)."""


class UsbTaskStarved(Fault):
    """The mount callback keeps the task that serves USB for seconds; nothing of the host is answered meanwhile.

    Source: ``tud_mount_cb`` of rolivape/ESP32S3_firmware at 77a36dc waits for DHCP in it (``usb_netif_aq.c``).

    Finding: a control request that is answered after seconds, or not at all.
    """

    name = "usb-task-starved"

    def at_point(self, point: Point, now_ms: int) -> Sequence[Injection]:
        return (StallUsb(CALLBACK_S),) if point is Point.MOUNTED else ()


class AlternateSettingNotRearmed(Fault):
    """A host that selects alternate setting 0 and 1 again finds bulk endpoints that move nothing.

    Source: USB 2.0 section 9.1.1.5 puts the endpoints of an interface back to their defaults with each SET_INTERFACE;
    a stack that does not leaves bulk OUT transfers pending for ever (hathach/tinyusb issue 2255). Linux's cdc_ncm
    selects 1, 0, 1 when it binds, iOS too.

    Finding: frames of the host, no bulk OUT transfer that ends, after SET_INTERFACE 1, 0, 1.
    """

    name = "alternate-setting-not-rearmed"

    def rearms(self, interface: int) -> bool:
        return False


class DisconnectsInTest(Fault):
    """The board drops off the bus with the first frame that it sends after each mount, and comes back.

    Source: espressif/arduino-esp32 issue 10000 and hathach/tinyusb issue 3098: supply and EMI, not the firmware, so
    the firmware has nothing to say about it.

    Finding: a disconnect that neither the test nor the board's recovery nor a reset explains.
    """

    name = "disconnects-in-test"

    def __init__(self, options: Mapping[str, str]) -> None:
        super().__init__(options)
        self._due = False

    def at_point(self, point: Point, now_ms: int) -> Sequence[Injection]:
        if point is Point.MOUNTED:
            self._due = True
        elif point is Point.FRAME_SENT and self._due:
            self._due = False
            return (UsbDisconnect(), Later(AWAY_S, UsbConnect()))
        return ()


USB_FAULTS: tuple[type[Fault], ...] = (UsbTaskStarved, AlternateSettingNotRearmed, DisconnectsInTest)
