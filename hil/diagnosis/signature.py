"""What a signature is, and what signatures have in common."""

from collections.abc import Callable
from dataclasses import dataclass

from hil.diagnosis.finding import Evidence, Finding
from hil.diagnosis.window import Window
from hil.expect import matches
from hil.timeline.events import BoardSaid, Event

DATED_NS = 1_000_000_000
"""What the board says and nothing dates better may be of any time."""
Sides = tuple[list[Evidence], list[Evidence]]
"""Evidence for, evidence against."""


def nothing(finding: Finding) -> bool:
    """Explains no other finding."""
    return False


@dataclass(frozen=True)
class Signature:
    """One known failure; ``look`` returns its evidence, or None where the picture is not there."""

    name: str
    title: str
    look: Callable[[Window], Sides | None]
    cause: str
    remedy: str
    source: str
    across_enumerations: bool = False
    """The picture may span a replug; else the latest enumeration that shows anything is judged, alone."""
    explains: Callable[[Finding], bool] = nothing
    """Which other findings follow from this one, or rest on what it shows to be wrong; they are not told beside it."""

    def evidence(self, window: Window) -> Sides | None:
        """What speaks for and against it, or None where there is nothing to see."""
        parts = [window] if self.across_enumerations else window.enumerations()
        return next((sides for sides in map(self.look, parts) if sides is not None), None)


def seen(text: str, event: Event | None) -> list[Evidence]:
    """Evidence of an event, where there is one."""
    return [] if event is None else [Evidence(text, event)]


def unless(window: Window, look: Callable[[Window], Sides | None], text: str) -> list[Evidence]:
    """Evidence against a weaker picture: the stronger one, which ``look`` sees, is there."""
    sides = look(window)
    return [Evidence(text)] if sides is not None and not sides[1] else []


def frames(window: Window, sender: str) -> list[Event]:
    """Every frame of the 'host' or of the 'board', of whatever class."""
    return [event for event in window.events if getattr(event, "sender", "") == sender]


def held(window: Window, pattern: Event) -> Event | None:
    """The first event of the window that matches, or the one before it, if that still held when the window began."""
    standing = window.standing(type(pattern))
    if standing is not None and matches(pattern, standing):
        return standing
    return window.first(pattern)


def boot_logs(window: Window) -> list[list[BoardSaid]]:
    """The board's event log, a list for each boot in the order of the boots, in the board's own order.

    However often it was read, each entry is there once; each reading puts it at a slightly different instant.
    """
    said = [event for event in window.events if isinstance(event, BoardSaid) and event.via == "events"]
    dated = (each for each in said if each.t_err_ns < DATED_NS and each.board_ms >= 0)
    logs: list[list[BoardSaid]] = []
    latest_ns: int | None = None
    for each in sorted(dated, key=_booted_ns):
        if latest_ns is None or _booted_ns(each) - latest_ns > DATED_NS // 2:
            logs.append([])
        latest_ns = _booted_ns(each)
        logs[-1].append(each)
    return [_once(log) for log in logs]


def _booted_ns(said: BoardSaid) -> int:
    return int(said.t_ns - said.board_ms * 1_000_000)


def _once(log: list[BoardSaid]) -> list[BoardSaid]:
    """Entries of one millisecond stay as they were told: those of one reading have one instant."""
    in_order = sorted(log, key=lambda each: each.t_ns)
    return sorted({(each.name, each.board_ms): each for each in in_order}.values(), key=lambda each: each.board_ms)
