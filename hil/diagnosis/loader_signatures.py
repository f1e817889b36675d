"""The chip's loader: where the way into it, or out of it, ended instead.

Whether a board was asked to go, only the test's own action tells; so each picture begins with an action that failed,
and rests on what the host saw of the board since it began.
"""

from collections.abc import Callable

from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, seen
from hil.diagnosis.window import Window
from hil.timeline.events import (
    ActionFailed,
    BootMessage,
    EnumerationFailed,
    Event,
    Started,
    UsbAttached,
    UsbDetached,
)

ENTER, LEAVE = "enter_bootloader", "leave_bootloader"
LOADERS = (0x1001, 0x0009)
"""Product numbers of the chip's USB-Serial/JTAG and of its ROM over USB-OTG."""
ESPTOOL = "esptool targets/esp32s3.py; ESP32-S3 TRM, Reset and Clock"


class Attempt:
    """The first way of the window that failed under one name, and what was seen of the board since it began."""

    def __init__(self, window: Window, action: str, failed: ActionFailed) -> None:
        self.failed = failed
        begun = window.until(failed).last(Started(action, board=window.board))
        since_ns = begun.t_ns if begun is not None else window.since_ns
        self._seen = [e for e in window.events if since_ns <= e.t_ns <= failed.t_ns]
        self._port = window.port

    def last(self, kind: type[Event]) -> Event | None:
        """The latest event of a class, at the board's port where it has one."""
        found = (e for e in reversed(self._seen) if type(e) is kind)
        return next((e for e in found if getattr(e, "path", self._port) == self._port), None)

    @property
    def product(self) -> int | None:
        """Product number of what came last and has not gone since; None where nothing is there."""
        came, gone = self.last(UsbAttached), self.last(UsbDetached)
        if not isinstance(came, UsbAttached) or (gone is not None and gone.t_ns > came.t_ns):
            return None
        return came.pid

    def evidence(self, *more: tuple[str, type[Event]]) -> list[Evidence]:
        """The failed action, and the latest event of each class."""
        found = [Evidence("the way ended here", self.failed)]
        return found + [each for text, kind in more for each in seen(text, self.last(kind))]


def _ended(action: str, name: str, look: Callable[[Attempt], list[Evidence]]) -> Callable[[Window], Sides | None]:
    def seen_in(window: Window) -> Sides | None:
        failures = (e for e in window.all(ActionFailed(action)) if isinstance(e, ActionFailed))
        failed = next((each for each in failures if each.error.startswith(f"{name}: ")), None)
        if failed is None:
            return None
        evidence = look(Attempt(window, action, failed))
        return (evidence, []) if evidence else None

    return seen_in


def _never_came(attempt: Attempt) -> list[Evidence]:
    if attempt.product is not None:
        return []
    return attempt.evidence(("the board left the bus", UsbDetached), ("the ROM speaks on the console", BootMessage))


def _not_enumerated(attempt: Attempt) -> list[Evidence]:
    if attempt.last(EnumerationFailed) is None:
        return []
    return attempt.evidence(("the kernel cannot enumerate what came", EnumerationFailed))


def _no_answer(attempt: Attempt) -> list[Evidence]:
    return attempt.evidence(("a loader's identity is there", UsbAttached), ("the ROM speaks", BootMessage))


def _came_as_loader(attempt: Attempt) -> list[Evidence]:
    return attempt.evidence(("this came", UsbAttached)) if attempt.product in LOADERS else []


def _stayed(attempt: Attempt) -> list[Evidence]:
    return attempt.evidence() if attempt.last(UsbDetached) is None else []


def _came_back(attempt: Attempt) -> list[Evidence]:
    if attempt.product is None or attempt.product in LOADERS:
        return []
    return attempt.evidence(("it left the bus", UsbDetached), ("and came back as its application", UsbAttached))


def _loader_again(attempt: Attempt) -> list[Evidence]:
    return attempt.evidence(("this is there after the reset", UsbAttached), ("the ROM says", BootMessage))


LOADER_SIGNATURES = (
    Signature(
        name="loader-never-appears",
        title="the board left for its loader and no device ever came",
        look=_ended(ENTER, "loader-never-appears", _never_came),
        cause="the USB pins were left with a controller that nobody serves, or the chip hangs before its loader.",
        remedy="route the PHY to USB-Serial/JTAG before the restart (usb_usj_mode), and look at the UART for 'waiting "
        "for download'.",
        source=f"{ESPTOOL}; espressif/esp-idf components/usb/usb_phy.c",
        across_enumerations=True,
    ),
    Signature(
        name="loader-not-enumerated",
        title="what came in the loader's place does not function as a USB device",
        look=_ended(ENTER, "loader-not-enumerated", _not_enumerated),
        cause="the PHY changed hands while the host was enumerating, or its pull-up is on without a controller behind.",
        remedy="disconnect first (tud_disconnect), wait 100 ms, then switch the PHY and restart.",
        source="Linux drivers/usb/core/hub.c, hub_port_init and hub_port_connect",
        across_enumerations=True,
    ),
    Signature(
        name="loader-does-not-answer",
        title="a loader's port is there and answers no SYNC",
        look=_ended(ENTER, "loader-does-not-answer", _no_answer),
        cause="no loader runs behind it: an application leaves USB to USB-Serial/JTAG, or a loader hangs.",
        remedy="hold BOOT while the board gets its power; if it answers then, the firmware's way there is wrong.",
        source="esptool docs, Troubleshooting; esptool loader.py, connect",
        across_enumerations=True,
    ),
    Signature(
        name="loader-on-other-usb",
        title="the loader came up on the other USB controller",
        look=_ended(ENTER, "loader-on-other-usb", _came_as_loader),
        cause="the firmware set the download bit and left the PHY with USB-OTG (303a:0009), or gave it away (1001).",
        remedy="call usb_usj_mode before the restart for 303a:1001; leave the PHY alone for 303a:0009; or say in the "
        "profile which one is right.",
        source="MicroPython ports/esp32/modmachine.c, machine_bootloader; esptool loader.py, USB_JTAG_SERIAL_PID",
        across_enumerations=True,
    ),
    Signature(
        name="bootloader-request-ignored",
        title="the firmware was told to leave for its loader and stayed",
        look=_ended(ENTER, "bootloader-request-ignored", _stayed),
        cause="the command is answered and not carried out: an exception in the REPL, or a restart that never comes.",
        remedy="look at what it printed; believe a loader's identity and not the text.",
        source="MicroPython tools/mpremote, transport_serial.py: exec_raw_no_follow returns whatever happens",
        across_enumerations=True,
    ),
    Signature(
        name="application-came-back",
        title="the board restarted into its application in place of its loader",
        look=_ended(ENTER, "application-came-back", _came_back),
        cause="RTC_CNTL_FORCE_DOWNLOAD_BOOT was not set before the restart, or IO0 was high at the reset.",
        remedy="set bit 0 of RTC_CNTL_OPTION1_REG directly before esp_restart; check what drives IO0.",
        source=ESPTOOL,
        across_enumerations=True,
    ),
    Signature(
        name="download-bit-never-cleared",
        title="the loader is there again after a reset",
        look=_ended(LEAVE, "download-bit-never-cleared", _loader_again),
        cause="RTC_CNTL_FORCE_DOWNLOAD_BOOT lies in the RTC domain and outlives a reset of the core; or GPIO0 is low.",
        remedy="clear it through the loader before the reset, reset by EN or the RTC watchdog, or cut the supply.",
        source=f"{ESPTOOL}; espressif/arduino-esp32 issue 6762",
        across_enumerations=True,
    ),
)
