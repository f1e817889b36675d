"""Events as text: one JSON object a line, ASCII, newest last (https://jsonlines.org).

::

    {"event":"DhcpAck","address":"192.168.7.2", …,"t_ns":1200,"t_err_ns":50,"board":"s3-a","source":"packet"}

Fields that the event left unset are left out. The stamp is always there. A line that is not followed by a newline
was cut off while it was being written and is no event yet.

msgspec writes and reads what is usual. What it does otherwise than a journal should (text that is not ASCII, NaN, half
of a surrogate pair) and what it refuses is left to :mod:`json` and to :func:`_judge`, whose messages name the field.
"""

import json
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, NoReturn, Union, get_origin, get_type_hints

from msgspec import MsgspecError, to_builtins
from msgspec.json import Decoder, Encoder

from hil.errors import WireError
from hil.timeline.events import ANY, REGISTRY, STAMP, Event

_encoder = Encoder()
_to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@lru_cache(maxsize=1)
def _decoder(kinds: int) -> Decoder[Event]:
    """Of the classes that there are, ``kinds`` by number."""
    return Decoder(Union[tuple(REGISTRY.values())])  # noqa: UP007


def encode(event: Event) -> str:
    """``event`` as one line of JSON, without the newline.

    Raises:
        WireError: a stamp field is unset, or a field holds something that has no text, such as a predicate.
    """
    if _unstamped(event):
        missing = next(name for name in STAMP if getattr(event, name) is ANY)
        kind = type(event).__name__
        raise WireError(f"{kind}.{missing} is unset; a recorded event has all of: {', '.join(STAMP)}")
    try:
        line = _encoder.encode(event)
        return line.decode() if _as_is(line) else _to_json(to_builtins(event))
    except UnicodeEncodeError:
        return _to_json(to_builtins(event))
    except (TypeError, ValueError) as error:
        raise WireError(f"{type(event).__name__} has no text: {error}; fields: {event!r}") from error


def encode_lines(events: Sequence[Event]) -> bytes:
    """Every event as :func:`encode` writes it, each with its newline."""
    try:
        lines = _encoder.encode_lines(events)
        if lines.isascii() and b":null" not in lines:
            return lines
    except (TypeError, ValueError):
        pass  # encode says which one it is
    return b"".join([encode(event).encode() + b"\n" for event in events])


def _as_is(lines: bytes) -> bool:
    """Whether what msgspec wrote is what a journal holds: ASCII, and no null, which may have been a NaN."""
    return lines.isascii() and b":null" not in lines


def _unstamped(event: Event) -> bool:
    return event.t_ns is ANY or event.t_err_ns is ANY or event.board is ANY or event.source is ANY


def decode(line: str | bytes, number: int = 0) -> Event:
    """The event written in ``line``; ``number`` is the line's, for the message.

    Raises:
        WireError: not a JSON object, an unknown event or field, a value of the wrong type, or a missing stamp field.
    """
    try:
        event = _decoder(len(REGISTRY)).decode(line)
    except (MsgspecError, UnicodeError):
        return _judge(line, number)
    return _judge(line, number) if _unstamped(event) else event


def _judge(line: str | bytes, number: int) -> Event:
    """What is wrong with a line that msgspec would not read, or the event if nothing is."""
    text = line if isinstance(line, str) else line.decode(errors="backslashreplace")
    try:
        record = json.loads(text)
    except ValueError as error:
        raise WireError(f"line {number}: not JSON: {error}; it begins {text[:40]!r}") from error
    if type(record) is not dict:
        raise WireError(f"line {number}: wanted a JSON object, got {text[:40]!r}")
    name = record.pop("event", None)
    kind = REGISTRY.get(name) if isinstance(name, str) else None
    if kind is None:
        raise WireError(f"line {number}: event is {name!r}; known: {', '.join(sorted(REGISTRY))}")
    for field, value in record.items():
        _check_field(kind, field, value, number)
    missing = [field for field in STAMP if field not in record]
    if missing:
        raise WireError(f"line {number}: {name}.{missing[0]} is missing; needed: {', '.join(STAMP)}")
    if record["t_err_ns"] < 0:
        err, t_ns = record["t_err_ns"], record["t_ns"]
        raise WireError(f"line {number}: {name}.t_err_ns is {err} at t_ns {t_ns}; it is never negative")
    return kind(**record)


@cache
def _types(kind: type[Event]) -> dict[str, type]:
    """The JSON type of each field, the stamp's first."""
    hints = get_type_hints(kind)
    names = (*STAMP, *(name for name in kind.__struct_fields__ if name not in STAMP))
    return {name: get_origin(hints[name]) or hints[name] for name in names}


def _check_field(kind: type[Event], field: str, value: Any, number: int) -> None:
    """Accept a whole number where a float is due; raise for all else that is not of the field's type."""
    types = _types(kind)
    if field not in types:
        raise WireError(f"line {number}: {kind.__name__} has no field {field!r}; known: {', '.join(types)}")
    if type(value) is types[field] or (types[field] is float and type(value) is int):
        if type(value) is not dict:
            return
        for inner in value.values():
            if type(inner) is not str:
                _wrong_type(kind, field, value, number)
        return
    _wrong_type(kind, field, value, number)


def _wrong_type(kind: type[Event], field: str, value: Any, number: int) -> NoReturn:
    wanted = _types(kind)[field].__name__
    raise WireError(f"line {number}: {kind.__name__}.{field} is {value!r}; wanted: {wanted}")


class JournalReader:
    """Reads a journal as it grows.

    Args:
        first_number: number of the line that the first portion begins with.
    """

    def __init__(self, first_number: int = 1) -> None:
        self.rest = b""
        """What stands behind the last newline."""
        self._number = first_number

    def feed(self, data: bytes) -> list[Event]:
        """The events of all lines that ``data`` completes.

        Raises:
            WireError: as :func:`decode`, naming the line; at every further call too.
        """
        self.rest += data
        end = self.rest.rfind(b"\n") + 1
        if not end:
            return []
        lines = self.rest[:end]
        try:
            events = _decoder(len(REGISTRY)).decode_lines(lines)
        except (MsgspecError, UnicodeError):
            events = self._one_by_one(lines)
        if any(map(_unstamped, events)):
            events = self._one_by_one(lines)
        self._number += lines.count(b"\n")
        self.rest = self.rest[end:]
        return events

    def _one_by_one(self, lines: bytes) -> list[Event]:
        numbered = enumerate(lines.split(b"\n"), self._number)
        return [decode(line, number) for number, line in numbered if line]


def read_journal(text: str, first_number: int = 1) -> tuple[list[Event], str]:
    """The events of all whole lines of ``text``, and what stands behind the last newline: '' if it was closed.

    Raises:
        WireError: as :func:`decode`, naming the line.
    """
    reader = JournalReader(first_number)
    events = reader.feed(text.encode(errors="surrogatepass"))
    return events, reader.rest.decode(errors="surrogatepass")
