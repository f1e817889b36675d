"""A restart of the chip, and where it led."""

from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, seen
from hil.diagnosis.window import ESPRESSIF, LOADERS, Window
from hil.expect import regex
from hil.timeline.events import BootMessage, Event, HttpReply, LoaderAsked, Started, UsbAttached, UsbDetached

RESTARTS = r"/(reset|reboot|restart)\b"
DOWNLOAD = "DOWNLOAD"
SETTLED_NS = 5_000_000_000
"""The chip's own device may be there for a moment before an application takes the pins."""
INTO_LOADER = ("enter_bootloader", "flash", "recover")


def _restart_ends_in_loader(window: Window) -> Sides | None:
    """A restart was asked for and granted, and what came is the chip's own device, waiting for a download."""
    ends = (_end_of(window, asked) for asked in window.all(HttpReply(status=200, method="POST", path=regex(RESTARTS))))
    return next((sides for sides in ends if sides is not None), None)


def _end_of(window: Window, asked: Event) -> Sides | None:
    after = window.after(asked)
    gone = after.first(UsbDetached(path=window.port))
    came = None if gone is None else after.after(gone).first(UsbAttached(path=window.port, vid=ESPRESSIF))
    if not isinstance(came, UsbAttached) or came.pid not in LOADERS:
        return None
    rom = [e for e in after.all(BootMessage(stage="rom")) if isinstance(e, BootMessage) and "boot:0x" in e.text]
    waits = next((line for line in rom if DOWNLOAD in line.text), None)
    if waits is None and window.until_ns - came.t_ns < SETTLED_NS:
        return None
    supports = [
        Evidence("the board is told to restart, and says that it will", asked),
        *seen("it left the bus", gone),
        Evidence(f"the chip's {LOADERS[came.pid]} came", came),
        *seen("the ROM waits for a download", waits),
        *seen("a loader answers", after.first(LoaderAsked(answered=True))),
    ]
    back = [e for e in after.after(came).all(UsbAttached(path=window.port)) if e is not came]
    sent = (after.until(came).first(Started(action=action)) for action in INTO_LOADER)
    contradicts = [
        *seen("its application came after all", next(iter(back), None)),
        *(e for event in sent for e in seen("the test sent it there", event)),
    ]
    return supports, contradicts


RESTART_SIGNATURES: tuple[Signature, ...] = (
    Signature(
        name="restart-ends-in-loader",
        title="the board is told to restart, and comes back as its chip's loader",
        look=_restart_ends_in_loader,
        cause="RTC_CNTL_FORCE_DOWNLOAD_BOOT was set when it restarted: the bit outlives a reset of the core, and the "
        "firmware sets it too early or never clears it; or IO0 is low.",
        remedy="clear the bit at each start of the firmware, and set it directly before the restart that is meant for "
        "the loader; until then a power-on leads out.",
        source="esptool targets/esp32s3.py, hard_reset; ESP32-S3 TRM, RTC_CNTL_OPTION1_REG",
        across_enumerations=True,
    ),
)
"""What can be wrong with a restart."""
