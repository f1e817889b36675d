"""The board's log: whether it comes, and whether it comes whole."""

import re

from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, seen
from hil.diagnosis.window import Window
from hil.expect import regex
from hil.timeline.events import Event, HttpReply, SerialLine, SerialOpened, UsbControl

SETTLED_NS = 1_000_000_000
"""What the console shows comes out of the CDC port within this, where it comes at all."""
BEGINNING = r"[EWIDV] \(\d+\) [\w.-]+: "
"""How ESP-IDF begins a line of log (``components/log/src/log_format_text.c``)."""
TORN = rf".{BEGINNING}"
DTR_HIGH = {1, 3}
"""wValue of SET_CONTROL_LINE_STATE with the bit of DTR, without and with RTS."""


def _serial_silent(window: Window) -> Sides | None:
    """The port is open with DTR high, the console goes on after HTTP has answered, and nothing comes from CDC."""
    opened = window.last(SerialOpened(source="serial", dtr=True))
    if opened is None or window.blind("serial") or window.blind("console"):
        return None
    listening = window.after(opened)
    served = listening.first(HttpReply())
    if not isinstance(served, HttpReply):
        return None
    lines = listening.all(SerialLine(source="console", complete=True, text=regex(BEGINNING)))
    said = next((line for line in lines if line.t_ns - line.t_err_ns >= _asked_ns(served)), None)
    if said is None or window.until_ns - said.t_ns < SETTLED_NS:
        return None
    supports = [
        Evidence("the port is open with DTR high", opened),
        *seen("the board was told of DTR and took it", _dtr_taken(window)),
        Evidence("the firmware is past its boot: HTTP answers", served),
        Evidence("it has something to say, on the console", said),
        Evidence("nothing at all came out of the CDC port while it was open"),
    ]
    return supports, seen("the CDC port said", listening.first(SerialLine(source="serial")))


def _asked_ns(reply: HttpReply) -> int:
    """When the request was sent: what it leaves in the log may be there before the answer."""
    return int(reply.t_ns - reply.took_s * 1e9)


def _dtr_taken(window: Window) -> Event | None:
    taken = window.all(UsbControl(request="SET_CONTROL_LINE_STATE", status=0))
    return next((event for event in taken if isinstance(event, UsbControl) and event.value in DTR_HIGH), None)


def _serial_log_cut(window: Window) -> Sides | None:
    """A line of the CDC port begins behind the stump of another one."""
    torn = window.first(SerialLine(source="serial", text=regex(TORN)))
    if not isinstance(torn, SerialLine):
        return None
    stump = _stump(str(torn.text))
    whole = window.first(SerialLine(source="console", text=regex(f"^{re.escape(stump)}.")))
    supports = [
        Evidence(f"after {stump!r} another line begins in mid text", torn),
        *seen("the console has that line whole", whole),
    ]
    return supports, seen("the console has the same text", window.first(SerialLine(source="console", text=torn.text)))


def _stump(text: str) -> str:
    """What there is of the first line in a torn one."""
    found = re.search(TORN, text)
    assert found is not None
    return text[: found.start() + 1]


SERIAL_SIGNATURES: tuple[Signature, ...] = (
    Signature(
        name="serial-silent",
        title="nobody hears the board: DTR is high and its CDC port stays silent",
        look=_serial_silent,
        cause="the log is not written to the CDC port, or a condition other than DTR holds it back.",
        remedy="redirect the log (esp_log_set_vprintf) after tusb_cdc_acm_init and write while tud_cdc_connected(); "
        "check that CONFIG_TINYUSB_CDC_ENABLED is set in the build that was flashed.",
        source="mcu-apple-bridge main/usb_ncm_server.c at 0d5a385; USB CDC PSTN 1.2 section 6.3.12",
    ),
    Signature(
        name="serial-log-cut",
        title="lines of the board's log are cut in mid text, and nothing says so",
        look=_serial_log_cut,
        cause="the transmit FIFO was full: tud_cdc_write takes what fits, and the rest of the line was thrown away.",
        remedy="write a line only when tud_cdc_write_available() has room for all of it, keep it in a ring until then, "
        "and say how many lines were dropped.",
        source="esp_tinyusb tusb_cdc_acm.c, tinyusb_cdcacm_write_queue; mcu-apple-bridge at 0d5a385",
    ),
)
"""What can be wrong with the log on the serial port."""
