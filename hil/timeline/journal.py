"""Events as text: one JSON object a line, ASCII, newest last (https://jsonlines.org).

::

    {"event":"DhcpAck","t_ns":1200,"t_err_ns":50,"board":"s3-a","source":"packet","address":"192.168.7.2", …}

Fields that the event left unset are left out. The stamp is always there. A line that is not followed by a newline
was cut off while it was being written and is no event yet.
"""

import json
from collections.abc import Callable
from operator import attrgetter
from sys import intern
from typing import Any, NoReturn, get_origin, get_type_hints

from hil.errors import WireError
from hil.timeline.events import ANY, REGISTRY, STAMP, Event, own_fields

SHARED = 32
"""Texts up to this length are stored once, however many events hold them: names and addresses, mostly."""
_to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_from_json: Callable[[str], Any] = json.JSONDecoder().decode


class _Layout:
    """How the events of one class are written, and the JSON type that each field has."""

    def __init__(self, kind: type[Event]) -> None:
        hints = get_type_hints(kind)
        self.names = (*STAMP, *own_fields(kind))
        self.values_of: Callable[[Event], tuple[Any, ...]] = attrgetter(*self.names)
        self.types: dict[str, type] = {name: get_origin(hints[name]) or hints[name] for name in self.names}


_LAYOUTS: dict[type[Event], _Layout] = {}


def _layout(kind: type[Event]) -> _Layout:
    layout = _LAYOUTS.get(kind)
    if layout is None:
        layout = _LAYOUTS[kind] = _Layout(kind)
    return layout


def encode(event: Event) -> str:
    """``event`` as one line of JSON, without the newline.

    Raises:
        WireError: a stamp field is unset, or a field holds something that has no text, such as a predicate.
    """
    kind = type(event)
    layout = _layout(kind)
    values = layout.values_of(event)
    record: dict[str, Any] = {"event": kind.__name__}
    record.update(zip(layout.names, values, strict=True))
    if ANY in values:
        record = _without_unset(record)
    try:
        return _to_json(record)
    except (TypeError, ValueError) as error:
        raise WireError(f"{kind.__name__} has no text: {error}; fields: {event!r}") from error


def _without_unset(record: dict[str, Any]) -> dict[str, Any]:
    missing = [name for name in STAMP if record[name] is ANY]
    if missing:
        raise WireError(f"{record['event']}.{missing[0]} is unset; a recorded event has all of: {', '.join(STAMP)}")
    return {name: value for name, value in record.items() if value is not ANY}


def decode(line: str, number: int = 0) -> Event:
    """The event written in ``line``; ``number`` is the line's, for the message.

    Raises:
        WireError: not a JSON object, an unknown event or field, a value of the wrong type, or a missing stamp field.
    """
    try:
        record = _from_json(line)
    except ValueError as error:
        raise WireError(f"line {number}: not JSON: {error}; it begins {line[:40]!r}") from error
    if type(record) is not dict:
        raise WireError(f"line {number}: wanted a JSON object, got {line[:40]!r}")
    name = record.pop("event", None)
    kind = REGISTRY.get(name) if isinstance(name, str) else None
    if kind is None:
        raise WireError(f"line {number}: event is {name!r}; known: {', '.join(sorted(REGISTRY))}")
    schema = _layout(kind).types
    for field, value in record.items():
        if type(value) is not schema.get(field):
            _check_field(kind, field, value, number)
        elif type(value) is str and len(value) <= SHARED:
            record[field] = intern(value)
    try:
        t_ns, t_err_ns, _, _ = (record[name] for name in STAMP)
    except KeyError as error:
        raise WireError(f"line {number}: {name}.{error.args[0]} is missing; needed: {', '.join(STAMP)}") from error
    if t_err_ns < 0:
        raise WireError(f"line {number}: {name}.t_err_ns is {t_err_ns} at t_ns {t_ns}; it is never negative")
    return kind(**record)


def _check_field(kind: type[Event], field: str, value: Any, number: int) -> None:
    """Accept a whole number where a float is due; raise for all else."""
    schema = _layout(kind).types
    if field not in schema:
        known = ", ".join(schema)
        raise WireError(f"line {number}: {kind.__name__} has no field {field!r}; known: {known}")
    if schema[field] is float and type(value) is int:
        return
    _wrong_type(kind, field, value, number)


def _wrong_type(kind: type[Event], field: str, value: Any, number: int) -> NoReturn:
    wanted = _layout(kind).types[field].__name__
    raise WireError(f"line {number}: {kind.__name__}.{field} is {value!r}; wanted: {wanted}")


def read_journal(text: str, first_number: int = 1) -> tuple[list[Event], str]:
    """The events of all whole lines of ``text``, and what stands behind the last newline.

    The rest is '' in a journal that was closed. A reader that follows a growing file puts the rest before what it
    reads next, and passes the number of the line that this begins as ``first_number``.

    Raises:
        WireError: as :func:`decode`, naming the line.
    """
    *lines, rest = text.split("\n")
    return [decode(line, number) for number, line in enumerate(lines, first_number) if line], rest
