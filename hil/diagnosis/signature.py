"""What a signature is, and what signatures have in common."""

from collections.abc import Callable
from dataclasses import dataclass

from hil.diagnosis.finding import Evidence, Finding
from hil.diagnosis.window import Window
from hil.expect import matches
from hil.timeline.events import Event

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
