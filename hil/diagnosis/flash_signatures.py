"""Flashing that did not end with what was to be written: refused, not taken, not held, or interrupted.

A flash tells its steps as :class:`~hil.timeline.events.FlashProgress`; the last one of a failed flash has the reason
in a word. What interrupted it, the host saw on the bus.
"""

from collections.abc import Callable

from hil.diagnosis.boot_signatures import BOOT_SIGNATURES
from hil.diagnosis.finding import Evidence, Finding
from hil.diagnosis.signature import Sides, Signature, seen
from hil.diagnosis.window import LOADERS, Window
from hil.timeline.events import (
    ActionFailed,
    BootMessage,
    Event,
    FlashProgress,
    LoaderAsked,
    Started,
    TtyAppeared,
    UsbAttached,
    UsbDetached,
)

FAILED, VANISHED = "failed", "vanished"
NOTHING_WRITTEN = ("other-chip", "other-board", "security", "flash-size", "revision", "partitions")
_STARTS = {*(signature.name for signature in BOOT_SIGNATURES), "application-never-appears"}


def _failed(reason: str) -> Callable[[Window], Sides | None]:
    """Looks for a flash that failed for that reason."""

    def look(window: Window) -> Sides | None:
        failed = window.first(FlashProgress(status=FAILED, reason=reason))
        if failed is None:
            return None
        return [*_begun(window, failed), Evidence("it failed", failed)], _written(window, failed, reason)

    return look


def _begun(window: Window, failed: Event) -> list[Evidence]:
    """What was to be flashed, and how far it came."""
    step = _step_before(window, failed)
    return [
        *seen("it was to be flashed", window.until(failed).last(Started("flash"))),
        *(seen(f"flashing came to: {step.status} {step.percent} %", step) if step is not None else []),
    ]


def _step_before(window: Window, failed: Event) -> FlashProgress | None:
    """The last thing that was done."""
    steps = (e for e in reversed(window.until(failed).all(FlashProgress())) if isinstance(e, FlashProgress))
    return next((each for each in steps if each.status != FAILED), None)


def _written(window: Window, failed: Event, reason: str) -> list[Evidence]:
    """A refusal comes before the first byte is written."""
    if reason not in NOTHING_WRITTEN:
        return []
    since = window.until(failed)
    begun = since.last(Started("flash"))
    flash = since if begun is None else since.after(begun)
    return seen("something had been written before", flash.first(FlashProgress(status="writing")))


class _Interruption:
    """The board's going in the middle of a flash."""

    def __init__(self, window: Window, failed: Event) -> None:
        step = _step_before(window, failed)
        ended = window.after(failed).first(ActionFailed("flash"))
        flash = window if step is None else window.after(step)
        self._window = window
        self._failed = failed
        self._flash = flash if ended is None else flash.until(ended)
        """It is given up when something has come, or has not come for a while."""
        self.gone = self._flash.first(UsbDetached(path=window.port))
        self.rest = self._flash if self.gone is None else self._flash.after(self.gone)

    @property
    def came(self) -> UsbAttached | None:
        found = self.rest.first(UsbAttached(path=self._window.port))
        return found if isinstance(found, UsbAttached) else None

    @property
    def loader_stayed(self) -> Event | None:
        """An answer of the loader, which nobody has sent there anew."""
        came = self.came
        return (
            None if came is None or came.pid not in LOADERS else self.rest.after(came).first(LoaderAsked(answered=True))
        )

    @property
    def rom(self) -> Event | None:
        """Its line about the reset, or any other."""
        lines = [e for e in self.rest.all(BootMessage(stage="rom")) if isinstance(e, BootMessage)]
        return next((line for line in lines if line.reset_reason), lines[0] if lines else None)

    def evidence(self, *between: Evidence) -> list[Evidence]:
        """From what was to be flashed to its failure."""
        begun = _begun(self._window, self._failed)
        return [*begun, *seen("the board left the bus", self.gone), *between, Evidence("it failed", self._failed)]

    def renamed(self) -> list[Evidence]:
        """That the loader's port has another name now."""
        before = self._window.until(self.gone).last(TtyAppeared(path=self._window.port)) if self.gone else None
        after = self.rest.last(TtyAppeared(path=self._window.port))
        if not isinstance(before, TtyAppeared) or not isinstance(after, TtyAppeared) or before.node == after.node:
            return []
        return seen(f"its port, which was {before.node}, is {after.node}", after)


def _interrupted(window: Window) -> _Interruption | None:
    failed = window.first(FlashProgress(status=FAILED, reason=VANISHED))
    if failed is None or window.blind("uevent"):
        return None
    found = _Interruption(window, failed)
    return found if found.gone is not None else None


def _contact_lost(window: Window) -> Sides | None:
    """It comes back as the loader that it was, and that loader answers."""
    found = _interrupted(window)
    if found is None or found.loader_stayed is None:
        return None
    supports = found.evidence(
        *seen("it came back at the same port as a loader", found.came),
        *found.renamed(),
        *seen("the loader answers: the chip has kept its supply", found.loader_stayed),
    )
    return supports, seen("the ROM has started since", found.rom)


def _board_lost(window: Window) -> Sides | None:
    """It starts over, or stays away."""
    found = _interrupted(window)
    if found is None:
        return None
    supports = found.evidence(
        *seen("the ROM starts: the chip was without its supply, or was reset", found.rom),
        *(seen("it came back", found.came) or [Evidence("it did not come back while that was waited for")]),
    )
    return supports, seen("the loader is there still", found.loader_stayed) if found.rom is None else []


def _of_the_image(finding: Finding) -> bool:
    """What a half-written image, or one in doubt, does when it is started."""
    return finding.name in _STARTS


FLASH_SIGNATURES = (
    Signature(
        name="board-lost-while-flashing",
        title="the board goes in the middle of a flash, and does not stay in its loader",
        look=_board_lost,
        cause="its cable was pulled, or its supply broke down, while its flash was erased and written; what is in it "
        "now may be neither the old firmware nor the new one.",
        remedy="look at the cable, the hub's supply and what else hangs on it; then flash again: the ROM's loader is "
        "there whatever the flash holds.",
        source="esptool docs, Troubleshooting: insufficient power",
        across_enumerations=True,
        explains=_of_the_image,
    ),
    Signature(
        name="contact-lost-while-flashing",
        title="the loader's port goes in the middle of a flash and comes back, and the chip has run on",
        look=_contact_lost,
        cause="the data lines lost contact, or the hub disabled the port; the kernel then gives the device a new "
        "number, and its serial port another name where the old one is still open.",
        remedy="look at the plug and the hub (kernel log: 'disabled by hub (EMI?)'); find the port by its topology "
        "path, never by its name.",
        source="Linux drivers/usb/class/cdc-acm.c, acm_alloc_minor",
        across_enumerations=True,
    ),
    Signature(
        name="stub-never-starts",
        title="the ROM's loader answers, and esptool's stub never says OHAI",
        look=_failed("stub"),
        cause="the RAM that the stub was loaded into does not hold it, or the chip stops when its clock goes up: a "
        "supply that breaks down, or a board whose pins disturb the chip.",
        remedy="measure 3V3 while the stub starts; try --no-stub, which leaves the clock as it is.",
        source="esptool docs, Flasher Stub; esptool loader.py, run_stub",
        across_enumerations=True,
    ),
    Signature(
        name="loader-refuses-write",
        title="the loader refuses what it is to write",
        look=_failed("loader-refused"),
        cause="the SPI flash does not carry the operation out: it is write-protected, worn out, in another mode than "
        "the loader takes it to be, or its supply is too weak to erase and program.",
        remedy="read its status register (esptool read-flash-status) and identity (flash-id); try --flash-mode dio and "
        "--flash-freq 40m; replace the module.",
        source="esptool loader.py, StubLoader and ROM errors; esptool-legacy-flasher-stub, stub_flasher.h",
        across_enumerations=True,
        explains=_of_the_image,
    ),
    Signature(
        name="flash-holds-something-else",
        title="the hash of what the flash holds is not that of what was written",
        look=_failed("hash"),
        cause="bits do not stay as they were written, or are not read as they are: a bad flash chip, a solder joint, a "
        "supply that is too weak, or two programs that write at once.",
        remedy="flash again at --flash-freq 40m and --flash-mode dio; if the hash differs again, read the region and "
        "compare: bits that stay 0 are wear, bits that change from reading to reading are contact or supply.",
        source="esptool docs, Troubleshooting; esptool cmds.py, write_flash",
        across_enumerations=True,
        explains=_of_the_image,
    ),
    Signature(
        name="build-for-another-chip",
        title="the chip at the board's port is not the one that the build is for",
        look=_failed("other-chip"),
        cause="another board hangs at that port, or the board has another chip than its bench file says.",
        remedy="look what is plugged in there, and at the target of the build (idf.py set-target).",
        source="ESP-IDF docs, Application Image Format: chip_id; esptool loader.py, GET_SECURITY_INFO",
        across_enumerations=True,
    ),
    Signature(
        name="another-board-at-the-port",
        title="the chip at the board's port is another board's",
        look=_failed("other-board"),
        cause="two boards have changed places, or the console leads to another board than the USB port.",
        remedy="look at usb, console and mac in bench.toml, and at what hangs there (esptool read-mac).",
        source="ESP32-S3 TRM, eFuse Controller: MAC; esptool targets/esp32s3.py, read_mac",
        across_enumerations=True,
    ),
    Signature(
        name="build-excludes-revision",
        title="the chip's revision is none that the build's images take",
        look=_failed("revision"),
        cause="the build was configured for other revisions of the chip; the boot loader would not start it.",
        remedy="set CONFIG_ESP32S3_REV_MIN_* to the oldest board in use, or take a board of that revision.",
        source="ESP-IDF docs, Application Image Format: min_chip_rev_full, max_chip_rev_full",
        across_enumerations=True,
    ),
    Signature(
        name="build-against-partitions",
        title="the build does not go with the partition table that the board has",
        look=_failed("partitions"),
        cause="it reaches into what the board has stored in NVS, or an application does not fit the partition at its "
        "offset.",
        remedy="flash the whole build, with its partition table, or name the partition's own offset; NVS is given up "
        "by esptool erase-region alone.",
        source="ESP-IDF docs, Partition Tables; Non-volatile Storage Library",
        across_enumerations=True,
    ),
    Signature(
        name="build-exceeds-flash",
        title="the build does not fit into the flash that the chip has",
        look=_failed("flash-size"),
        cause="the module has less flash than the build was configured for.",
        remedy="set CONFIG_ESPTOOLPY_FLASHSIZE and the partition table for the smallest module in use.",
        source="ESP-IDF docs, Partition Tables; JEDEC identity of the flash, esptool flash-id",
        across_enumerations=True,
    ),
    Signature(
        name="efuses-forbid-flashing",
        title="the chip's eFuses forbid what was to be flashed",
        look=_failed("security"),
        cause="secure boot, flash encryption or secure download mode is burnt in: a plain image would be written and "
        "never start, or could not be verified.",
        remedy="use a board without them, or sign and encrypt the build as the board demands; eFuses cannot be undone.",
        source="ESP-IDF docs, Security; esptool cmds.py, write_flash; GET_SECURITY_INFO",
        across_enumerations=True,
    ),
)
"""What can be wrong with a flash."""
