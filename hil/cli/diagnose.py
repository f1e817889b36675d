"""``hil diagnose``: why a board or a build failed, from a saved run, any log or the body of ``/events``."""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from hil.capture.claims import Claims, message_of
from hil.diagnosis import SIGNATURES
from hil.diagnosis.failed_tests import judge
from hil.diagnosis.finding import NO_MATCH, Finding
from hil.diagnosis.signature import Signature
from hil.diagnosis.text import CAUSES, LogReader
from hil.diagnosis.text.claims import BoardClaims
from hil.diagnosis.text.clue import Cause
from hil.diagnosis.text.events_body import SHOWN, EventsBody
from hil.diagnosis.text.line import parts
from hil.diagnosis.text.stream import dedented, lines, plain
from hil.errors import SetupError, WireError
from hil.profiles import load, shipped
from hil.timeline.events import Event
from hil.timeline.journal import decode
from hil.wire.lines import LineSplitter

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

CHUNK = 1 << 16
LINE_LIMIT = 1 << 12
"""Bytes of a log's line; a longer one is read in pieces."""
EVENT_LIMIT = 1 << 20
"""Bytes of a timeline's line."""
MAX_NS = (1 << 63) - 1
TIMELINES = ("timeline.jsonl", "session/timeline.jsonl")
"""Where a folder of artifacts keeps its timeline: a test's own, and a run's."""
TIMELINE_HEAD = re.compile(rb'\s*\{"event":"\w+",[^\n]*"t_ns":')
HEAD = 1 << 12
"""Bytes by which the kind of a file is told."""
OTHER_JSON = (
    "JSON, and no timeline; of what a board says of itself the text of /events alone is read, in the form that "
    "begins with === CRITICAL EVENTS; a /status, or the event log of other firmware, is judged where a test runs with "
    "its profile"
)
HAS_CLAIMS = "a timeline, which holds what its boards claimed; --profile says whose log a text is"
KINDS = "a run's folder, its timeline.jsonl, a serial log, a build log, the body of /events, or - for standard input"
STATUS = (
    "Exit status: 1 where something is found, 0 where no signature matches, 2 where the path or the profile cannot be "
    "read."
)


def add(commands: "Commands") -> None:
    text = "say why a board or a build failed, from a saved run or from the log of ESP32 firmware, ESP-IDF or Arduino"
    parser = commands.add_parser("diagnose", help=text, description=f"S{text[1:]}.", epilog=STATUS)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("path", nargs="?", help=KINDS)
    what.add_argument("--list", action="store_true", help="everything that can be found, as a table")
    parser.add_argument(
        "--profile",
        default="",
        metavar="NAME|FILE.toml",
        help=f"of the firmware that wrote the log: what it says of itself is shown, and judged; {', '.join(shipped())}",
    )
    parser.set_defaults(
        run=lambda options: _listed(options.profile) if options.list else run(options.path, options.profile)
    )


def _listed(profile: str) -> str:
    if profile:
        raise SetupError(f"--profile {profile} says whose log PATH is, and --list reads none")
    return table()


def table() -> str:
    """Every finding, and what it is read from: the table of docs/diagnosis.md."""
    known: dict[str, Signature | Cause] = {**CAUSES, **{each.name: each for each in SIGNATURES}}
    read_from = {
        "timeline": {each.name for each in SIGNATURES},
        "log": set(CAUSES),
        "/events": set(SHOWN),
    }
    rows = [
        (f"`{name}`", each.title, ", ".join(kind for kind, names in read_from.items() if name in names), each.source)
        for name, each in known.items()
    ]
    head = ("finding", "what it says", "read from", "source")
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def run(path: str, profile: str = "") -> tuple[str, int]:
    """What is printed, and the exit status.

    Args:
        path: what is read, or '-'.
        profile: name or file of the profile by which a log's claims are read; '' for none.

    Raises:
        BenchError: the profile is not known, or something in it is wrong.
        SetupError: the path cannot be read, is empty, compressed otherwise than by gzip, JSON that is no timeline, or
            a folder without a timeline.
        WireError: a timeline or a body of /events that does not follow its format; the message names the line.
    """
    claims = _claims(profile) if profile else None
    with _opened(path) as stream:
        chunks = _chunks(stream)
        try:
            chunks = plain(_head(chunks), chunks)
            head = _head(chunks)
            if not head.strip():
                raise SetupError(f"the file is empty; wanted: {KINDS}")
            return _told(head, chain((head,), chunks), claims)
        except (SetupError, WireError) as error:
            raise type(error)(f"{path}: {error}") from error


def _claims(name: str) -> BoardClaims:
    profile = load(name)
    return BoardClaims(profile, Claims.from_profile(message_of(profile)).find)


def _head(chunks: Iterator[bytes]) -> bytes:
    head = next(chunks, b"")
    while len(head) < HEAD and (more := next(chunks, b"")):
        head += more
    return head


def _opened(path: str) -> AbstractContextManager[BinaryIO]:
    if path == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return _file(Path(path)).open("rb")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SetupError(f"{path}: cannot be read: {reason}; wanted: {KINDS}") from error


def _file(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = next((path / name for name in TIMELINES if (path / name).is_file()), None)
    if found is None:
        raise SetupError(f"{path} holds no {' and no '.join(TIMELINES)}; wanted: {KINDS}")
    return found


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    try:
        while chunk := stream.read(CHUNK):
            yield chunk
    except OSError as error:
        raise SetupError(f"cannot be read: {error.strerror}") from error


def _told(head: bytes, chunks: Iterator[bytes], claims: BoardClaims | None) -> tuple[str, int]:
    """Diagnose by what the content is."""
    if TIMELINE_HEAD.match(head):
        if claims is not None:
            raise SetupError(HAS_CLAIMS)
        return _of_timeline(chunks)
    findings = _of_text(chunks, claims)
    if not findings and _is_json(head):
        raise SetupError(OTHER_JSON)
    text, status = _answer(findings)
    return (text if claims is None else f"{text}\n\n{claims.text()}"), status


def _is_json(head: bytes) -> bool:
    """Whether a text that is as short as its head is a JSON object or array."""
    try:
        return isinstance(json.loads(head), dict | list)
    except (ValueError, RecursionError):
        return False


def _answer(findings: list[Finding]) -> tuple[str, int]:
    return _shown(findings, 0), int(bool(findings))


def _shown(findings: list[Finding], zero_ns: int) -> str:
    return "\n\n".join(finding.text(zero_ns) for finding in findings) or f"finding   {NO_MATCH}"


def _of_text(chunks: Iterator[bytes], claims: BoardClaims | None = None) -> list[Finding]:
    """As a log, by its claims, and by the body of /events that it holds; what two of them show is one finding."""
    reader, body = LogReader(), EventsBody()
    for number, text in dedented(lines(chunks, LINE_LIMIT)):
        heard = list(parts(text, number))
        reader.hear(heard)
        body.hear(heard)
        if claims is not None:
            claims.hear(heard)
    found = {finding.name: finding for finding in reader.finish()}
    for finding in (*(claims.findings() if claims is not None else ()), *body.findings(bool(found))):
        first = found.get(finding.name)
        supports = (*first.supports, *finding.supports) if first else finding.supports
        found[finding.name] = replace(finding, supports=supports)
    return list(found.values())


def _of_timeline(chunks: Iterator[bytes]) -> tuple[str, int]:
    judged = list(judge(_events(chunks)))
    told = [
        "\n".join((*([each.test] if each.test else []), _shown(list(each.findings), each.since_ns))) for each in judged
    ]
    found = any(each.findings for each in judged)
    return "\n\n".join(told) or f"finding   {NO_MATCH}: no test failed", int(found)


def _events(chunks: Iterator[bytes]) -> Iterator[Event]:
    """The events of all whole lines."""
    splitter, number = LineSplitter(EVENT_LIMIT), 1
    for chunk in chunks:
        for line in splitter.feed(chunk):
            if line.complete and line.body.strip():
                yield _event(line.body, number)
            number += line.complete


def _event(text: bytes, number: int) -> Event:
    try:
        event = decode(text, number)
    except RecursionError as error:
        raise WireError(f"line {number}: JSON nested too deep") from error
    if abs(event.t_ns) > MAX_NS:
        raise WireError(f"line {number}: t_ns has {event.t_ns.bit_length()} bits; wanted at most {MAX_NS}")
    return event
