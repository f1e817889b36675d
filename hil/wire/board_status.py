"""What a board says of itself over HTTP: the text of ``/events``, the JSON of ``/status`` and ``/version``.

::

    === CRITICAL EVENTS (2 recorded) ===
    === 1 EVENTS DISCARDED ===              where the firmware counts what it could not keep

    [   663 ms] USB_MOUNTED
    [   921 ms] NCM_LINK_UP: stack_ready_kick_up

    === STATUS FLAGS ===
    USB_MOUNTED: YES
    USB_SUSPENDED: NO

That is :data:`KNOWN`; a firmware of another form has an :class:`EventFormat` of its own. A line that is of no form is
kept apart and costs nothing but itself. A body without its first line or its flags is no event log: it was cut off, or
is something else. An empty body is an error: known firmware answers one when its log is locked.
"""

import json
import re
from dataclasses import dataclass

from hil.errors import WireError

MAX_BODY = 1 << 20
MAX_STATUS = 1 << 16
MAX_DEPTH = 16
MAX_NAME = 64
UINT32_MAX = 0xFFFF_FFFF
NO_MS = -1
"""``EventEntry.ms`` of an entry without a time."""
NO_COUNT = -1
"""``EventLog.recorded`` where the body gives no number."""

FLAGS_HEADER = "=== STATUS FLAGS ==="
FLAG = re.compile(r"([A-Z][A-Z0-9_]{0,63}): (YES|NO)")
FLAG_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_TWICE = object()
"""Stands for the value of a JSON key that comes twice."""


@dataclass(frozen=True, slots=True)
class EventFormat:
    """The forms of an event log's lines; each has to match the whole line."""

    entry: re.Pattern[str]
    """Groups ``name``, and ``ms`` and ``detail`` where it has them."""
    header: re.Pattern[str] | None = None
    """The first line, with a group ``recorded`` where it counts; None where there is none."""
    discarded: re.Pattern[str] | None = None
    """The line that counts what was not kept, with a group ``discarded``."""
    flags: bool = False
    """After :data:`FLAGS_HEADER` come flags, and a body without them was cut off."""


KNOWN = EventFormat(
    entry=re.compile(r"\[ *(?P<ms>[0-9]{1,10}) ms\] (?P<name>[A-Z][A-Z0-9_]{0,63})(?:: (?P<detail>.*))?"),
    header=re.compile(r"=== CRITICAL EVENTS \((?P<recorded>[0-9]{1,10}) recorded\) ==="),
    discarded=re.compile(r"=== (?P<discarded>[0-9]{1,10}) EVENTS DISCARDED ==="),
    flags=True,
)
"""The form above: of the reference firmware and of the one that it takes after."""


@dataclass(frozen=True, slots=True)
class EventEntry:
    """One line of the board's event log."""

    ms: int
    """Since the board's boot, or :data:`NO_MS`."""
    name: str
    detail: str
    """'' where the line has none."""


@dataclass(frozen=True, slots=True)
class Garbled:
    """A line, or a key, that is not of its form."""

    text: str
    """At most 80 characters of it."""
    reason: str
    """``line 4: '[   921ms] NCM…', expected …``"""


@dataclass(frozen=True, slots=True)
class EventLog:
    """Body of ``/events``."""

    entries: tuple[EventEntry, ...]
    flags: dict[str, bool]
    """In the order of the body; a flag that comes twice is none."""
    recorded: int
    """The header's number, or :data:`NO_COUNT`; a board that lies about it differs from ``len(entries)``."""
    discarded: int
    """Events that the board had no room for, 0 where it does not say."""
    garbled: tuple[Garbled, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusFlags:
    """Body of ``/status``."""

    flags: dict[str, bool]
    """In its order; what is no boolean, or comes twice, is none."""
    garbled: tuple[Garbled, ...] = ()


def parse_events(body: bytes, form: EventFormat = KNOWN) -> EventLog:
    """Body of ``/events``.

    Raises:
        WireError: empty, too long, or without the first line or the flags that the form has.
    """
    if len(body) > MAX_BODY:
        raise WireError(f"/events: {len(body)} bytes, at most {MAX_BODY}")
    lines = [(number, line) for number, line in enumerate(_lines(body), 1) if line]
    if not lines:
        raise WireError("/events: the body is empty")
    reader = _EventReader(form)
    if form.header is not None:
        reader.begin(*lines.pop(0))
    for number, line in lines:
        reader.read(number, line)
    return reader.log(len(body))


class _EventReader:
    """Takes the lines of one body in order."""

    def __init__(self, form: EventFormat) -> None:
        self._form = form
        self._entries: list[EventEntry] = []
        self._flags: dict[str, bool] = {}
        self._twice: set[str] = set()
        self._garbled: list[Garbled] = []
        self._recorded = NO_COUNT
        self._discarded = 0
        self._in_flags = False

    def begin(self, number: int, line: str) -> None:
        found = self._form.header.fullmatch(line) if self._form.header else None
        if found is None:
            raise WireError(f"/events: begins with {line[:80]!r}, expected {_shown(self._form.header)}")
        if "recorded" in found.groupdict():
            self._recorded = self._number(found["recorded"], number, line, NO_COUNT)

    def read(self, number: int, line: str) -> None:
        if self._in_flags:
            self._flag(number, line)
        elif self._form.flags and line == FLAGS_HEADER:
            self._in_flags = True
        elif self._form.discarded and (found := self._form.discarded.fullmatch(line)):
            self._discarded = max(1, self._number(found["discarded"], number, line, UINT32_MAX))
        else:
            self._entry(number, line)

    def log(self, size: int) -> EventLog:
        if self._form.flags and not self._in_flags:
            raise WireError(f"/events: no line {FLAGS_HEADER!r} in {size} bytes; was the body cut off?")
        flags = {name: value for name, value in self._flags.items() if name not in self._twice}
        return EventLog(tuple(self._entries), flags, self._recorded, self._discarded, tuple(self._garbled))

    def _entry(self, number: int, line: str) -> None:
        found = self._form.entry.fullmatch(line)
        groups = found.groupdict() if found else {}
        name = groups.get("name") or ""
        if not name or len(name) > MAX_NAME:
            self._refuse(number, line, f"expected {_shown(self._form.entry)}")
            return
        ms = NO_MS
        if "ms" in groups:
            ms = self._number(groups["ms"] or "", number, line, NO_COUNT)
            if ms == NO_COUNT:
                return
        self._entries.append(EventEntry(ms, name, groups.get("detail") or ""))

    def _flag(self, number: int, line: str) -> None:
        found = FLAG.fullmatch(line)
        if not found:
            self._refuse(number, line, "expected 'NAME: YES' or 'NAME: NO'")
        elif found[1] in self._flags:
            self._twice.add(found[1])
            self._refuse(number, line, "expected each flag once")
        else:
            self._flags[found[1]] = found[2] == "YES"

    def _number(self, digits: str, line_number: int, line: str, otherwise: int) -> int:
        if digits.isascii() and digits.isdecimal() and len(digits) <= 10 and int(digits) <= UINT32_MAX:
            return int(digits)
        self._refuse(line_number, line, f"{digits[:20]!r} is no number of 32 bits")
        return otherwise

    def _refuse(self, number: int, line: str, why: str) -> None:
        self._garbled.append(Garbled(line[:80], f"line {number}: {line[:80]!r}, {why}"))


def _lines(body: bytes) -> list[str]:
    """Each line by itself, so that a byte that is no UTF-8 spoils one line only."""
    return [line.removesuffix(b"\r").decode("utf-8", "replace") for line in body.split(b"\n")]


def _shown(pattern: re.Pattern[str] | None) -> str:
    """What a line of a form looks like, for an error."""
    if pattern is KNOWN.entry:
        return "'[   663 ms] NAME: detail'"
    if pattern is KNOWN.header:
        return "'=== CRITICAL EVENTS'"
    return f"a line of the form {pattern.pattern if pattern else ''!r}"


def parse_status(body: bytes) -> StatusFlags:
    """Body of ``/status``: the booleans of a JSON object.

    A key in capitals is a flag and has to be true or false; other keys are kept where they are, and left out where they
    are not.

    Raises:
        WireError: no JSON object, too long or too deep.
    """
    made = parse_object("/status", body)
    garbled = [
        Garbled(name[:80], f"{name[:80]} is {_value(value)}, expected true or false")
        for name, value in made.items()
        if FLAG_NAME.fullmatch(name) and not isinstance(value, bool)
    ]
    return StatusFlags({name: value for name, value in made.items() if isinstance(value, bool)}, tuple(garbled))


def _value(value: object) -> str:
    return "there twice" if value is _TWICE else repr(value)[:80]


def parse_version(body: bytes) -> dict[str, str | int]:
    """Body of ``/version``: the strings and integers of a JSON object, in its order; other values are left out.

    Raises:
        WireError: no JSON object, too long or too deep.
    """
    made = parse_object("/version", body)
    return {name: v for name, v in made.items() if isinstance(v, str | int) and not isinstance(v, bool)}


def parse_object(path: str, body: bytes) -> dict[str, object]:
    """A JSON object; the value of a key that comes twice is none of JSON's.

    Raises:
        WireError: no JSON object, NaN, too long or too deep; the message begins with ``path``.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise WireError(f"{path}: no UTF-8 at byte {error.start}") from error
    if len(body) > MAX_STATUS or _depth(text) > MAX_DEPTH:
        raise WireError(f"{path}: {len(body)} bytes, at most {MAX_STATUS}, nested at most {MAX_DEPTH} deep")
    try:
        made = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except ValueError as error:
        raise WireError(f"{path}: no JSON: {error}; it begins with {text[:80]!r}") from error
    except WireError as error:
        raise WireError(f"{path}: {error}") from error
    if not isinstance(made, dict):
        raise WireError(f"{path}: a JSON {type(made).__name__}, expected an object")
    return made


def _depth(text: str) -> int:
    """Deepest nesting of brackets outside of strings; the JSON reader would recurse that deep."""
    deepest = depth = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made: dict[str, object] = {}
    for name, value in pairs:
        made[name] = _TWICE if name in made else value
    return made


def _no_constant(name: str) -> object:
    raise WireError(f"{name} is no JSON value")
