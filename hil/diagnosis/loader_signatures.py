"""The chip's loader: where the way into it, or out of it, ended instead.

That a board was sent there, only the test's own action tells; so each picture begins with such an action that failed.
What it ended in is what the host saw of the board until then: which device came, which one is there, whether a loader
answers. What the error says is not read.
"""

from collections.abc import Callable, Iterator

from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, seen
from hil.diagnosis.window import LOADERS, Window
from hil.timeline.departure import RECOVERY, around, why_it_left
from hil.timeline.events import (
    ActionFailed,
    BootMessage,
    EnumerationFailed,
    Event,
    HttpFailed,
    HttpReply,
    LoaderAsked,
    ProfileRead,
    Started,
    UsbAttached,
    UsbDetached,
)

ENTER, LEAVE = "enter_bootloader", "leave_bootloader"
IN, OUT, IN_AND_OUT = (ENTER,), (LEAVE,), (ENTER, LEAVE)
FIRMWARES_WAYS = ("serial", "http", "micropython")
"""In which the firmware chooses who has the pins."""
LISTENED_NS = 5_000_000_000
"""A way that ended sooner was given up before anything could come."""
PLAIN = "plain"
"""A reset of the core, and of nothing else."""
DOWNLOAD = "DOWNLOAD"
"""In the ROM's line of a chip that waits for its loader: boot:0x0 (DOWNLOAD(USB/UART0)); of others SPI_…_BOOT."""
ESPTOOL = "esptool targets/esp32s3.py; ESP32-S3 TRM, Reset and Clock"


class Attempt:
    """A way that failed: from its order to its failure.

    Args:
        window: what it was a part of.
        failed: its end.
    """

    def __init__(self, window: Window, failed: ActionFailed) -> None:
        begun = window.until(failed).last(Started(failed.action))
        self.window = window
        self.failed = failed
        self.began = begun if isinstance(begun, Started) else None
        self.part = (window if begun is None else window.after(begun)).until(failed)

    @property
    def how(self) -> str:
        return str(self.began.detail) if self.began is not None else ""

    @property
    def there(self) -> UsbAttached | None:
        """The device at the board's port when it failed."""
        until = self.window.until(self.failed)
        came, gone = until.last(UsbAttached(path=until.port)), until.last(UsbDetached(path=until.port))
        if came is None and gone is None:
            came = until.standing(UsbAttached)
        is_there = isinstance(came, UsbAttached) and (gone is None or gone.t_ns < came.t_ns)
        return came if is_there and isinstance(came, UsbAttached) else None

    @property
    def loader(self) -> str:
        """Which of the chip's own devices is there, or ''."""
        there = self.there
        return "" if there is None else LOADERS.get(there.pid, "")

    @property
    def application(self) -> UsbAttached | None:
        """The device that is there, if it is not the chip's own."""
        return None if self.loader else self.there

    @property
    def left(self) -> Event | None:
        """The board's going from the bus, unless only to recover."""
        gone = (event for event, recovers in self._gone() if recovers is None)
        return next(gone, None)

    @property
    def recovered(self) -> Event | None:
        """The board's word that it left to recover, and ran on."""
        return next((recovers for _, recovers in self._gone() if recovers is not None), None)

    def _gone(self) -> Iterator[tuple[UsbDetached, Event | None]]:
        """Each departure, with the word of the recovery out of which the board came back."""
        until = self.window.until(self.failed)
        for left in self.part.all(UsbDetached(path=self.part.port)):
            if isinstance(left, UsbDetached):
                came_ns, back_ns = around(left, until.all, until.since_ns, until.until_ns)
                reason, because = why_it_left(until.all, came_ns, back_ns)
                yield left, because if reason == RECOVERY and back_ns < until.until_ns else None

    @property
    def rom(self) -> BootMessage | None:
        """The ROM's last line about how it starts, if the console has heard one."""
        lines = (e for e in self.part.events if isinstance(e, BootMessage) and "boot:0x" in e.text)
        return max(lines, key=lambda line: line.t_ns, default=None)

    def waits(self) -> list[Evidence]:
        """That the chip is in its loader, as the ROM tells."""
        return seen("the ROM waits for a download", self.rom) if self.rom and DOWNLOAD in self.rom.text else []

    def starts(self) -> list[Evidence]:
        """That the chip runs what is in its flash, as the ROM tells."""
        return seen("the ROM starts what is in flash", self.rom) if self.rom and DOWNLOAD not in self.rom.text else []

    def order(self) -> list[Evidence]:
        """What was done."""
        text = "it was sent to its loader" if self.failed.action == ENTER else "it was reset out of its loader"
        return [*seen(f"{text} by {self.how}" if self.how else text, self.began), *seen("it left the bus", self.left)]

    def absent(self, what: str) -> Evidence:
        began_ns = self.part.since_ns if self.began is None else self.began.t_ns
        return Evidence(f"{what} at {self.window.port} in {(self.failed.t_ns - began_ns) / 1e9:.1f} s")


def _at_end_of(actions: tuple[str, ...], look: Callable[[Attempt], Sides | None]) -> Callable[[Window], Sides | None]:
    """Looks at the ways of these kinds that failed, until one shows it."""

    def looks(window: Window) -> Sides | None:
        if window.blind("uevent"):
            return None
        failures = (e for e in window.all(ActionFailed()) if isinstance(e, ActionFailed) and e.action in actions)
        found = (look(Attempt(window, failed)) for failed in failures)
        return next((sides for sides in found if sides is not None), None)

    return looks


def _never_appears(attempt: Attempt) -> Sides | None:
    """The board goes, and nothing comes in its place; its application does not come back either."""
    if attempt.there is not None or attempt.left is None or attempt.part.first(LoaderAsked(answered=True)):
        return None
    came = (each for each in attempt.part.all(UsbAttached(path=attempt.part.port)) if isinstance(each, UsbAttached))
    if any(each.pid not in LOADERS and each.t_ns > attempt.part.since_ns for each in came):
        return None
    supports = [*attempt.order(), *attempt.waits(), attempt.absent("no device came")]
    broken = attempt.part.first(EnumerationFailed(path=attempt.window.port))
    return supports, seen("something came that the kernel cannot enumerate", broken)


def _not_enumerated(attempt: Attempt) -> Sides | None:
    """Something comes in its place that does not work as a USB device."""
    broken = attempt.part.last(EnumerationFailed(path=attempt.window.port))
    if attempt.there is not None or broken is None:
        return None
    return [*attempt.order(), *seen("what came cannot be enumerated", broken), attempt.absent("no device came")], []


def _does_not_answer(attempt: Attempt) -> Sides | None:
    """A port of a loader, or the bridge to one, on which SYNC was asked in vain."""
    asked = attempt.part.last(LoaderAsked())
    if not isinstance(asked, LoaderAsked) or asked.answered:
        return None
    there = attempt.there if attempt.loader else None
    supports = [
        *attempt.order(),
        *seen("a loader's identity is there", there),
        *attempt.waits(),
        Evidence("SYNC is not answered", asked),
    ]
    return supports, [*attempt.starts()]


def _on_other_usb(attempt: Attempt) -> Sides | None:
    """The loader that the firmware left for is the other one."""
    told = attempt.window.told(ProfileRead)
    expected = told.loader if isinstance(told, ProfileRead) else ""
    if attempt.how not in FIRMWARES_WAYS or attempt.loader in ("", expected) or expected not in LOADERS.values():
        return None
    return [
        *seen(f"the profile expects the loader over {expected}", told),
        *attempt.order(),
        *seen(f"the loader over {attempt.loader} came", attempt.there),
        *attempt.waits(),
    ], []


def _ignored(attempt: Attempt) -> Sides | None:
    """The application is on the bus as if it had not been told; it may have left it for a moment to recover."""
    there, began = attempt.application, attempt.began
    if there is None or began is None or attempt.left is not None:
        return None
    if attempt.failed.t_ns - began.t_ns < LISTENED_NS or attempt.part.first(LoaderAsked()) is not None:
        return None
    replies = [e for e in attempt.part.all(HttpReply(method="POST")) if isinstance(e, HttpReply)]
    supports = [
        *seen("its application is on the bus", there),
        *attempt.order(),
        *seen("it answered", next(iter(replies), None)),
        *seen("it left the bus to recover, and ran on", attempt.recovered),
        attempt.absent("no other departure of the board" if attempt.recovered else "no departure of the board"),
    ]
    contradicts = [
        *seen("it refused", next((reply for reply in replies if reply.status != 200), None)),
        *seen("it did not answer", attempt.part.first(HttpFailed(method="POST"))),
        *seen("it started over", attempt.rom),
    ]
    return supports, contradicts


def _came_back(attempt: Attempt) -> Sides | None:
    """It goes, and comes as what it was."""
    if attempt.left is None or attempt.application is None:
        return None
    supports = [*attempt.order(), *seen("its application came back", attempt.application), *attempt.starts()]
    return supports, attempt.waits()


def _application_never_appears(attempt: Attempt) -> Sides | None:
    """Out of the loader nothing comes, or the chip's own device without a loader behind it, as in a loop of boots."""
    if attempt.application is not None or (not attempt.loader and attempt.left is None):
        return None
    asked = attempt.part.last(LoaderAsked())
    if attempt.loader and not (isinstance(asked, LoaderAsked) and asked.answered is False):
        return None
    broken = attempt.part.first(EnumerationFailed(path=attempt.window.port))
    supports = [
        *attempt.order(),
        *attempt.starts(),
        *seen(f"the chip's {attempt.loader} is there", attempt.there),
        *(seen("and no loader answers", asked) if attempt.loader else []),
        attempt.absent("no application came"),
    ]
    return supports, [*seen("something came that the kernel cannot enumerate", broken), *attempt.waits()]


def _loader_again(attempt: Attempt) -> Sides | None:
    """Out of the loader leads into the loader; a core's reset alone may leave its device on the bus meanwhile."""
    if not attempt.loader:
        return None
    supports = [
        *attempt.order(),
        *seen(f"the chip's {attempt.loader} is there", attempt.there),
        *attempt.waits(),
        *seen("a loader answers", attempt.part.last(LoaderAsked(answered=True))),
        attempt.absent("no application came"),
    ]
    asked = attempt.part.last(LoaderAsked())
    mute = isinstance(asked, LoaderAsked) and not asked.answered
    unreached = attempt.how != PLAIN and attempt.left is None
    return supports, [
        *attempt.starts(),
        *(seen("no loader answers", asked) if mute else []),
        *([Evidence("it never left the bus: has the reset reached the chip?")] if unreached else []),
    ]


LOADER_SIGNATURES = (
    Signature(
        name="loader-never-appears",
        title="the board left for its loader and no device ever came",
        look=_at_end_of(IN, _never_appears),
        cause="the USB pins were left with a controller that nobody serves, the chip hangs before its loader, or its "
        "cable or hub port lets nothing through.",
        remedy="route the PHY to USB-Serial/JTAG before the restart (usb_usj_mode), and look at the UART for 'waiting "
        "for download'.",
        source=f"{ESPTOOL}; espressif/esp-idf components/usb/usb_phy.c",
        across_enumerations=True,
    ),
    Signature(
        name="loader-not-enumerated",
        title="what came out of the reset does not function as a USB device",
        look=_at_end_of(IN_AND_OUT, _not_enumerated),
        cause="the PHY changed hands while the host was enumerating, or its pull-up is on without a controller behind.",
        remedy="disconnect first (tud_disconnect), wait 100 ms, then switch the PHY and restart.",
        source="Linux drivers/usb/core/hub.c, hub_port_init and hub_port_connect",
        across_enumerations=True,
    ),
    Signature(
        name="loader-does-not-answer",
        title="a loader's port is there and answers no SYNC",
        look=_at_end_of(IN, _does_not_answer),
        cause="no loader runs behind it (an application that leaves USB to USB-Serial/JTAG looks the same), it hangs, "
        "or the line of the bridge to the chip is broken one way.",
        remedy="hold BOOT while the board gets its power; if it answers then, the firmware's way to its loader is "
        "wrong, else look at the lines.",
        source="esptool docs, Troubleshooting; esptool loader.py, connect",
        across_enumerations=True,
    ),
    Signature(
        name="loader-on-other-usb",
        title="the loader came up on the other USB controller",
        look=_at_end_of(IN, _on_other_usb),
        cause="the firmware set the download bit and left the PHY with USB-OTG (303a:0009), or gave it away "
        "(303a:1001).",
        remedy="call usb_usj_mode before the restart for 303a:1001; leave the PHY alone for 303a:0009; or say in the "
        "profile which one is right.",
        source="MicroPython ports/esp32/modmachine.c, machine_bootloader; esptool loader.py, USB_JTAG_SERIAL_PID",
        across_enumerations=True,
    ),
    Signature(
        name="bootloader-request-ignored",
        title="the firmware was told to leave for its loader and stayed",
        look=_at_end_of(IN, _ignored),
        cause="the command is answered and not carried out: an exception in the REPL, or a restart that never comes.",
        remedy="look at what it printed; believe a loader's identity and not the text.",
        source="MicroPython tools/mpremote, transport_serial.py: exec_raw_no_follow returns whatever happens",
        across_enumerations=True,
    ),
    Signature(
        name="application-came-back",
        title="the board restarted into its application in place of its loader",
        look=_at_end_of(IN, _came_back),
        cause="RTC_CNTL_FORCE_DOWNLOAD_BOOT was not set before the restart, or IO0 was high at the reset.",
        remedy="set bit 0 of RTC_CNTL_OPTION1_REG directly before esp_restart; check what drives IO0.",
        source=ESPTOOL,
        across_enumerations=True,
    ),
    Signature(
        name="application-never-appears",
        title="the board was reset out of its loader and its application never came",
        look=_at_end_of(OUT, _application_never_appears),
        cause="what is in its flash does not run, or does not bring USB up.",
        remedy="read the console from the reset on; flash a firmware that is known to run.",
        source=ESPTOOL,
        across_enumerations=True,
    ),
    Signature(
        name="download-bit-never-cleared",
        title="the loader is there again after a reset",
        look=_at_end_of(OUT, _loader_again),
        cause="RTC_CNTL_FORCE_DOWNLOAD_BOOT lies in the RTC domain and outlives a reset of the core; or GPIO0 is low.",
        remedy="clear it through the loader before the reset, reset by EN or the RTC watchdog, or cut the supply.",
        source=f"{ESPTOOL}; espressif/arduino-esp32 issue 6762",
        across_enumerations=True,
    ),
)
"""Their names are those of the errors that the actions raise."""
