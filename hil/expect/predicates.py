"""Fields of a pattern that accept more than one value.

::

    HttpReply("/status", one_of(200, 204))
    SerialLine(text=regex(r"MTU \\d+"))
    DhcpAck(lease_s=at_least(60), server=not_(""))

The makers are typed ``Any`` because they stand where an event holds an int or a str. A value of a type that cannot be
compared is not accepted; it raises nothing.
"""

import re
from typing import Any

from hil.errors import MisuseError
from hil.timeline.matching import Predicate, agrees


class _OneOf(Predicate):
    __slots__ = ("values",)

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values

    def __repr__(self) -> str:
        return f"one_of({', '.join(map(repr, self.values))})"

    def accepts(self, value: Any) -> bool:
        return any(agrees(wanted, value) for wanted in self.values)


class _Regex(Predicate):
    __slots__ = ("pattern",)

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.pattern = pattern

    def __repr__(self) -> str:
        return f"regex({self.pattern.pattern!r})"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str) and self.pattern.search(value) is not None


class _Between(Predicate):
    __slots__ = ("high", "low")

    def __init__(self, low: Any, high: Any) -> None:
        self.low = low
        self.high = high

    def __repr__(self) -> str:
        return f"between({self.low!r}, {self.high!r})"

    def accepts(self, value: Any) -> bool:
        try:
            return bool(self.low <= value <= self.high)
        except TypeError:
            return False

    def describe_mismatch(self, value: Any) -> str:
        return f"wanted {self!r}, got {value!r}{_distance(value, self.low, self.high)}"


class _AtLeast(Predicate):
    __slots__ = ("low",)

    def __init__(self, low: Any) -> None:
        self.low = low

    def __repr__(self) -> str:
        return f"at_least({self.low!r})"

    def accepts(self, value: Any) -> bool:
        try:
            return bool(value >= self.low)
        except TypeError:
            return False

    def describe_mismatch(self, value: Any) -> str:
        return f"wanted {self!r}, got {value!r}{_distance(value, self.low, None)}"


class _Not(Predicate):
    __slots__ = ("unwanted",)

    def __init__(self, unwanted: Any) -> None:
        self.unwanted = unwanted

    def __repr__(self) -> str:
        return f"not_({self.unwanted!r})"

    def accepts(self, value: Any) -> bool:
        return not agrees(self.unwanted, value)


class _Contains(Predicate):
    __slots__ = ("part",)

    def __init__(self, part: Any) -> None:
        self.part = part

    def __repr__(self) -> str:
        return f"contains({self.part!r})"

    def accepts(self, value: Any) -> bool:
        try:
            return self.part in value
        except TypeError:
            return False


def _distance(value: Any, low: Any, high: Any) -> str:
    """By how much a number missed its bounds: ', 3 too low'; '' for what is not a number."""
    if not isinstance(value, int | float) or not isinstance(low, int | float):
        return ""
    return f", {low - value:g} too low" if value < low else f", {value - high:g} too high"


def one_of(*values: Any) -> Any:
    """Any of ``values``, each a value or a predicate."""
    if not values:
        raise MisuseError("one_of() has no values; give at least one, as in one_of(200, 204)")
    return _OneOf(values)


def regex(pattern: str) -> Any:
    """Text in which the regular expression is found anywhere; anchor it with ^ and $ to match the whole."""
    try:
        return _Regex(re.compile(pattern))
    except re.error as error:
        raise MisuseError(f"regex({pattern!r}) is no regular expression: {error}") from error


def between(low: Any, high: Any) -> Any:
    """A value from ``low`` to ``high``, both included."""
    try:
        empty = low > high
    except TypeError as error:
        raise MisuseError(f"between({low!r}, {high!r}): the two cannot be compared") from error
    if empty:
        raise MisuseError(f"between({low!r}, {high!r}) holds nothing: the lower bound comes first")
    return _Between(low, high)


def at_least(low: Any) -> Any:
    """``low`` or more."""
    return _AtLeast(low)


def not_(unwanted: Any) -> Any:
    """Anything but ``unwanted``, a value or a predicate."""
    return _Not(unwanted)


def contains(part: Any) -> Any:
    """Text that holds ``part``, or a mapping that has it as a key."""
    return _Contains(part)
