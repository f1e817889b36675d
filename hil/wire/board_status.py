"""What a board says of itself over HTTP: the text of ``/events``, the JSON of ``/status`` and ``/version``.

::

    === CRITICAL EVENTS (2 recorded) ===
    === 1 EVENTS DISCARDED ===              where the firmware counts what it could not keep

    [   663 ms] USB_MOUNTED
    [   921 ms] NCM_LINK_UP: stack_ready_kick_up

    === STATUS FLAGS ===
    USB_MOUNTED: YES
    USB_SUSPENDED: NO

Names that no profile knows are kept. An empty body is an error: known firmware answers one when its log is locked.
"""

import json
import re
from dataclasses import dataclass

from hil.errors import WireError

MAX_BODY = 1 << 20
MAX_STATUS = 1 << 16
MAX_DEPTH = 16
UINT32_MAX = 0xFFFF_FFFF

HEADER = re.compile(r"=== CRITICAL EVENTS \(([0-9]{1,10}) recorded\) ===")
DISCARDED = re.compile(r"=== ([0-9]{1,10}) EVENTS DISCARDED ===")
FLAGS_HEADER = "=== STATUS FLAGS ==="
ENTRY = re.compile(r"\[ *([0-9]{1,10}) ms\] ([A-Z][A-Z0-9_]{0,63})(?:: (.*))?")
FLAG = re.compile(r"([A-Z][A-Z0-9_]{0,63}): (YES|NO)")
FLAG_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class EventEntry:
    """One line of the board's event log."""

    ms: int
    """Since the board's boot."""
    name: str
    detail: str
    """'' where the line has none."""


@dataclass(frozen=True, slots=True)
class EventLog:
    """Body of ``/events``."""

    entries: tuple[EventEntry, ...]
    flags: dict[str, bool]
    """In the order of the body."""
    recorded: int
    """The header's number; a board that lies about it differs from ``len(entries)``."""
    discarded: int
    """Events that the board had no room for, 0 where it does not say."""


def parse_events(body: bytes) -> EventLog:
    """Body of ``/events``.

    Raises:
        WireError: empty, cut off, a line of no known form, a number over 32 bits, or a flag that comes twice.
    """
    lines = [(number, line) for number, line in enumerate(_lines(body), 1) if line]
    if not lines or not (header := HEADER.fullmatch(lines[0][1])):
        raise WireError(f"/events: begins with {lines[0][1][:80] if lines else ''!r}, expected '=== CRITICAL EVENTS'")
    rest = lines[1:]
    discarded = 0
    if rest and (found := DISCARDED.fullmatch(rest[0][1])):
        discarded = _number(found[1], rest[0][0])
        rest = rest[1:]
    middle = next((at for at, (_, line) in enumerate(rest) if line == FLAGS_HEADER), None)
    if middle is None:
        raise WireError(f"/events: no line {FLAGS_HEADER!r} in {len(body)} bytes; was the body cut off?")
    entries = tuple(_entry(number, line) for number, line in rest[:middle])
    return EventLog(entries, _flags(rest[middle + 1 :]), _number(header[1], lines[0][0]), discarded)


def _lines(body: bytes) -> list[str]:
    if len(body) > MAX_BODY:
        raise WireError(f"/events: {len(body)} bytes, at most {MAX_BODY}")
    return [line.removesuffix("\r") for line in _text("/events", body).split("\n")]


def _text(path: str, body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise WireError(f"{path}: no UTF-8 at byte {error.start}") from error


def _entry(number: int, line: str) -> EventEntry:
    found = ENTRY.fullmatch(line)
    if not found:
        raise WireError(f"/events line {number}: {line[:80]!r}, expected '[   663 ms] NAME: detail'")
    return EventEntry(_number(found[1], number), found[2], found[3] or "")


def _flags(lines: list[tuple[int, str]]) -> dict[str, bool]:
    flags: dict[str, bool] = {}
    for number, line in lines:
        found = FLAG.fullmatch(line)
        if not found or found[1] in flags:
            raise WireError(f"/events line {number}: {line[:80]!r}, expected 'NAME: YES' or 'NAME: NO', each name once")
        flags[found[1]] = found[2] == "YES"
    return flags


def _number(digits: str, line: int) -> int:
    number = int(digits)
    if number > UINT32_MAX:
        raise WireError(f"/events line {line}: {number} is more than 32 bits hold")
    return number


def parse_status(body: bytes) -> dict[str, bool]:
    """Body of ``/status``: the flags of a JSON object, in its order.

    A key in capitals is a flag and has to be true or false; other keys are kept where they are, and left out where they
    are not.

    Raises:
        WireError: no JSON object, a flag that is no boolean, a key that comes twice, NaN, too long or too deep.
    """
    made = _object("/status", body)
    for name, value in made.items():
        if FLAG_NAME.fullmatch(name) and not isinstance(value, bool):
            raise WireError(f"/status: {name} is {str(value)[:80]!r}, expected true or false")
    return {name: value for name, value in made.items() if isinstance(value, bool)}


def parse_version(body: bytes) -> dict[str, str | int]:
    """Body of ``/version``: the strings and integers of a JSON object, in its order; other values are left out.

    Raises:
        WireError: no JSON object, a key that comes twice, NaN, too long or too deep.
    """
    made = _object("/version", body)
    return {name: v for name, v in made.items() if isinstance(v, str | int) and not isinstance(v, bool)}


def _object(path: str, body: bytes) -> dict[str, object]:
    text = _text(path, body)
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
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        raise WireError(f"{next(name for name in names if names.count(name) > 1)!r} comes twice")
    return made


def _no_constant(name: str) -> object:
    raise WireError(f"{name} is no JSON value")
