"""Boards that panic, are reset or start over while a test runs: what their serial lines show, as signatures.

A reset that the test asked for, by an action that the board can see, is not the board's doing.
"""

from collections.abc import Iterator
from functools import partial
from weakref import WeakKeyDictionary

from hil.diagnosis.finding import Finding
from hil.diagnosis.signature import Sides, Signature, nothing
from hil.diagnosis.text import LogReader
from hil.diagnosis.text.board_causes import BOARD_CAUSES, BOOT_LOOP
from hil.diagnosis.text.line import TextLine, parts
from hil.diagnosis.window import Window
from hil.timeline.events import Acted, BoardPanicked, BootMessage, Event, SerialLine

RESETTING = frozenset({"vbus_off", "disconnect", "bus_reset", "reconfigure"})
"""``Acted.sees`` of actions after which a board may start over."""
RESETTING_WORDS = ("reset", "reboot", "flash", "bootloader", "ota")
PLAIN_REASONS = ("abort()", "assert", "***ERROR***", "Brownout", "Stack smashing", "ESP_ERROR_CHECK")
"""Beginnings of a ``BoardPanicked.reason`` that is a whole line; others stand in the panic handler's parentheses."""
_READ: WeakKeyDictionary[Window, dict[str, Finding]] = WeakKeyDictionary()
"""One reading of a window serves all signatures."""


def _look(name: str, window: Window) -> Sides | None:
    found = _READ.get(window)
    if found is None:
        found = _READ[window] = _read(window)
    return (list(found[name].supports), []) if name in found else None


def _read(window: Window) -> dict[str, Finding]:
    """Every finding in the lines of the board's ports, by name; where two ports show one, the first port's."""
    readers: dict[str, LogReader] = {}
    told = {event.source for event in window.events if isinstance(event, SerialLine)}
    for event in window.events:
        if isinstance(event, Acted) and _resets(event):
            for reader in readers.values():
                reader.asked()
        else:
            lines = _lines(event, told)
            if lines is not None:
                readers.setdefault(event.source, LogReader()).hear(lines)
    found: dict[str, Finding] = {}
    for reader in readers.values():
        for each in reader.finish(window.board):
            found.setdefault(each.name, each)
    return found


def _resets(event: Acted) -> bool:
    return event.sees in RESETTING or any(word in f"{event.action} {event.detail}" for word in RESETTING_WORDS)


def _lines(event: Event, told: set[str]) -> Iterator[TextLine] | None:
    """The lines that an event holds; what was recognised in them counts only where they themselves were not kept."""
    if isinstance(event, SerialLine):
        return parts(str(event.text), event=event)
    if event.source in told:
        return None
    if isinstance(event, BootMessage):
        return parts(str(event.text), event=event)
    return parts(_panic_text(str(event.reason)), event=event) if isinstance(event, BoardPanicked) else None


def _panic_text(reason: str) -> str:
    return reason if reason.startswith(PLAIN_REASONS) else f"Guru Meditation Error: Core  0 panic'ed ({reason}). "


def _comes_after_boot(finding: Finding) -> bool:
    """A board in a loop does not get round to what others look for."""
    return finding.name not in _OF_BOOTS


_OF_BOOTS = {cause.name for cause in BOARD_CAUSES}
BOOT_SIGNATURES: tuple[Signature, ...] = tuple(
    Signature(
        name=cause.name,
        title=cause.title,
        look=partial(_look, cause.name),
        cause=cause.cause,
        remedy=cause.remedy,
        source=cause.source,
        across_enumerations=True,
        explains=_comes_after_boot if cause.name == BOOT_LOOP else nothing,
    )
    for cause in BOARD_CAUSES
    if cause.name != "no-carrier"
)
"""What can be wrong before the firmware runs, or end it; whether there is carrier the timeline knows better."""
