"""The steps of a sentence about a board, and what cannot be said.

A bare event is a step: it has to happen. The makers below say more::

    optional(UsbDetached())                      it may happen here
    repeated(ArpRequest(), 3, at_most=4)         three times at least, four at most
    unordered(Carrier(up=True), TtyAppeared())   both, in whatever order
    never(DhcpNak())                             not between its neighbours; as the last step: not until the end
    within(DhcpAck(), 2.0)                       no later than 2 s after the step before it
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from math import isfinite
from typing import Any

from hil.errors import MisuseError
from hil.expect.pattern import describe
from hil.timeline.events import Event

MAKERS = "optional, repeated, unordered, never, within"


class Kind(Enum):
    """What a step asks of its patterns."""

    ONCE = "once"
    OPTIONAL = "optional"
    REPEATED = "repeated"
    UNORDERED = "unordered"
    NEVER = "never"


@dataclass(frozen=True, slots=True, repr=False)
class Step:
    """One step of a sentence; its repr is what the author wrote."""

    kind: Kind
    patterns: tuple[Event, ...]
    times: int = 1
    """How often each pattern has to happen."""
    at_most: int | None = None
    """How often it may happen until the next step; None sets no limit."""
    within_s: float | None = None
    """Time limit, counted from the previous step that has to happen, or from the start."""

    @property
    def required(self) -> bool:
        """Whether the sentence fails when this does not happen."""
        return self.kind not in (Kind.OPTIONAL, Kind.NEVER)

    def __repr__(self) -> str:
        inside = ", ".join(map(describe, self.patterns))
        if self.kind is Kind.REPEATED:
            inside += f", {self.times}" + ("" if self.at_most is None else f", at_most={self.at_most}")
        text = inside if self.kind is Kind.ONCE else f"{self.kind.value}({inside})"
        return text if self.within_s is None else f"within({text}, {self.within_s})"


def optional(pattern: Event) -> Step:
    """``pattern`` may happen here; it is reported, and decides nothing."""
    return Step(Kind.OPTIONAL, (_event("optional", pattern),))


def repeated(pattern: Event, times: int, at_most: int | None = None) -> Step:
    """``pattern`` happens ``times`` times; with ``at_most``, no more often than that until the next step."""
    _event("repeated", pattern)
    if type(times) is not int or times < 0:
        raise MisuseError(f"repeated(…, times={times!r}): times is a whole number, 0 or more")
    if at_most is None and times == 0:
        raise MisuseError("repeated(…, times=0) asks for nothing; give at_most too, or use never or optional")
    if at_most is not None and (type(at_most) is not int or at_most < max(times, 1)):
        raise MisuseError(
            f"repeated(…, times={times}, at_most={at_most!r}): at_most is a whole number, {max(times, 1)} or more"
            + ("; for none at all use never" if at_most == 0 else "")
        )
    return Step(Kind.REPEATED, (pattern,), times, at_most)


def unordered(*patterns: Event) -> Step:
    """All of ``patterns`` happen, each by an event of its own, in any order."""
    if len(patterns) < 2:
        raise MisuseError(f"unordered() has {len(patterns)} patterns; it takes two or more")
    return Step(Kind.UNORDERED, tuple(_event("unordered", pattern) for pattern in patterns))


def never(pattern: Event) -> Step:
    """``pattern`` does not happen between the steps beside it; as the last step: until the window closes."""
    return Step(Kind.NEVER, (_event("never", pattern),))


def within(step: Event | Step, within_s: float) -> Step:
    """``step``, at most ``within_s`` seconds after the previous step that has to happen (or after the start)."""
    found = as_step(step, "within(…)")
    if found.within_s is not None:
        raise MisuseError(f"{found!r} has a time limit already; within(…, {within_s!r}) would be a second one")
    return replace(found, within_s=_duration(f"within({found!r}, …)", within_s))


def as_step(value: Any, place: str) -> Step:
    """``value`` as a step.

    Raises:
        MisuseError: it is neither an event nor made by one of the makers; ``place`` says where it stands.
    """
    if isinstance(value, Step):
        return value
    if isinstance(value, Event):
        return Step(Kind.ONCE, (value,))
    raise MisuseError(f"{place} is {_named(value)}; a step is an event such as UsbAttached(), or made by {MAKERS}")


def as_sentence(steps: Sequence[Any], within_s: float | None, ordered: bool) -> tuple[tuple[Step, ...], float]:
    """The checked steps, and the window in seconds; where none is given, the sum of the steps' own limits.

    Raises:
        MisuseError: the sentence can not fail, can not end, or says something that has no meaning.
    """
    if not steps:
        raise MisuseError("an expectation without a step; give at least one event, such as UsbAttached()")
    found = tuple(as_step(value, f"step {number}") for number, value in enumerate(steps, 1))
    if all(step.kind is Kind.OPTIONAL for step in found):
        raise MisuseError(f"{', '.join(map(repr, found))} can not fail: every step is optional")
    if not ordered and any(step.kind is Kind.UNORDERED for step in found):
        raise MisuseError("unordered(…) in an expectation with ordered=False; list its patterns as steps of their own")
    if within_s is not None:
        return found, _duration("within_s of the expectation", within_s)
    return found, _summed(found, ordered)


def _summed(steps: tuple[Step, ...], ordered: bool) -> float:
    """The window that the steps' own limits add up to."""
    timed = [step for step in steps if step.kind is not Kind.OPTIONAL]
    endless = [step for step in timed if step.within_s is None]
    if endless:
        raise MisuseError(f"no within_s is given and {endless[0]!r} has no limit of its own: this would never end")
    limits = [step.within_s or 0.0 for step in timed]
    return sum(limits) if ordered else max(limits)


def _event(maker: str, value: Any) -> Event:
    if isinstance(value, Event):
        return value
    raise MisuseError(f"{maker}({_named(value)}): it takes an event such as UsbAttached()")


def _named(value: Any) -> str:
    if isinstance(value, type) and issubclass(value, Event):
        return f"the class {value.__name__} (write {value.__name__}())"
    return repr(value)


def _duration(place: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value <= 0:
        raise MisuseError(f"{place} is {value!r}; a time limit is a number of seconds above 0")
    return float(value)
