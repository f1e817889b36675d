"""How far an event is from what a pattern asks for.

:func:`matches` says yes or no; :func:`mismatches` and :func:`closeness` serve the message when it was no.
"""

from difflib import SequenceMatcher
from typing import Any

from hil.timeline.events import Event, own_fields
from hil.timeline.matching import Predicate, agrees, matches, wanted_fields

__all__ = ["closeness", "describe", "describe_mismatch", "matches", "mismatches"]

COMPARED = 200
"""Characters of two texts that are compared for their likeness."""


def describe(pattern: Event) -> str:
    """The pattern as its author wrote it, the stamp fields included, which the repr of an event leaves out."""
    own = own_fields(type(pattern))
    inside = ", ".join(_written(name, value, own) for name, value in wanted_fields(pattern))
    return f"{type(pattern).__name__}({inside})"


def _written(name: str, value: Any, own: tuple[str, ...]) -> str:
    return f"{name}={value!r}" if name in own or name in ("board", "source") else f"{name}={value}"


def mismatches(pattern: Event, event: Event) -> list[tuple[str, Any, Any]]:
    """``(field, wanted, got)`` of every field that differs; of class too, as field 'class', where that does not fit."""
    differing: list[tuple[str, Any, Any]] = []
    if not isinstance(event, type(pattern)):
        differing.append(("class", type(pattern).__name__, type(event).__name__))
    for name, wanted in wanted_fields(pattern):
        if not hasattr(event, name):
            continue
        got = getattr(event, name)
        if not agrees(wanted, got):
            differing.append((name, wanted, got))
    return differing


def describe_mismatch(wanted: Any, got: Any) -> str:
    """Why a field's value will not do: "wanted '192.168.4.2', got '192.168.4.3'"."""
    if isinstance(wanted, Predicate):
        return wanted.describe_mismatch(got)
    return f"wanted {wanted!r}, got {got!r}"


def closeness(pattern: Event, event: Event) -> float:
    """How near ``event`` comes to ``pattern``: 1.0 matches, 0.0 is another kind of event.

    Every field that agrees counts, texts that differ count by their likeness, and being of the class counts once.
    """
    if not isinstance(event, type(pattern)):
        return 0.0
    wanted = wanted_fields(pattern)
    likeness = sum(_likeness(value, getattr(event, name)) for name, value in wanted)
    return (1.0 + likeness) / (1.0 + len(wanted))


def _likeness(wanted: Any, got: Any) -> float:
    if agrees(wanted, got):
        return 1.0
    if isinstance(wanted, str) and isinstance(got, str):
        return 0.9 * SequenceMatcher(None, wanted[:COMPARED], got[:COMPARED]).quick_ratio()
    return 0.0
