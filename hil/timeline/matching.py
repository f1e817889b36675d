"""Whether an event is what a pattern asks for.

A pattern is an event whose unset fields are :data:`~hil.timeline.events.ANY`. It matches an event of its own class or
of a subclass when every field it sets is equal to the event's, or is a :class:`Predicate` that accepts the event's.
A field that the recorded event left unset is equal to nothing.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from hil.timeline.events import ANY, STAMP, Event, own_fields


class Predicate:
    """A field of a pattern that accepts more than one value; its repr is what the user wrote.

    Two are equal where what their slots hold is. No dataclass: the journal would take one for a value and write it.
    """

    __slots__: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._held() == self._held()

    def __hash__(self) -> int:
        return hash((type(self), self._held()))

    def _held(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def accepts(self, value: Any) -> bool:
        """Whether ``value`` will do; never raises, whatever the type of ``value``."""
        raise NotImplementedError

    def describe_mismatch(self, value: Any) -> str:
        """Why ``value`` will not do, as the end of the sentence 'address: …'."""
        return f"wanted {self!r}, got {value!r}"


def wanted_fields(pattern: Event) -> list[tuple[str, Any]]:
    """The fields that ``pattern`` sets, in the order in which they are written."""
    found = ((name, getattr(pattern, name)) for name in (*own_fields(type(pattern)), *STAMP))
    return [(name, value) for name, value in found if value is not ANY]


def agrees(wanted: Any, got: Any) -> bool:
    """Whether one field's value is what the pattern's field asks for."""
    if got is ANY:
        return False
    if isinstance(wanted, Predicate):
        return wanted.accepts(got)
    return bool(wanted == got)


def field_matcher(pattern: Event) -> Callable[[Event], bool]:
    """A function that compares the fields of events whose class is already known to fit."""
    wanted = wanted_fields(pattern)
    if not wanted:
        return lambda event: True
    if len(wanted) == 1:
        return _comparison(*wanted[0])
    return lambda event: all(agrees(value, getattr(event, name)) for name, value in wanted)


def _comparison(name: str, wanted: Any) -> Callable[[Event], bool]:
    """:func:`agrees` for one field, decided as far as it can be before an event comes."""
    get = attrgetter(name)
    if isinstance(wanted, Predicate):
        accepts = wanted.accepts
        return lambda event: (got := get(event)) is not ANY and accepts(got)
    return lambda event: agrees(wanted, get(event))


def matcher(pattern: Event) -> Callable[[Event], bool]:
    """A function that tells whether an event matches ``pattern``; quicker than :func:`matches` for many events."""
    kind, compare = type(pattern), field_matcher(pattern)
    return lambda event: isinstance(event, kind) and compare(event)


def matches(pattern: Event, event: Event) -> bool:
    """Whether ``event`` is what ``pattern`` asks for."""
    return matcher(pattern)(event)
