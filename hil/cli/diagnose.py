"""``hil diagnose``: why a board or a build failed, from a saved run, any log or the body of ``/events``."""

import argparse
import re
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from hil.diagnosis import SIGNATURES
from hil.diagnosis.failed_tests import judge
from hil.diagnosis.finding import NO_MATCH, Finding
from hil.diagnosis.signature import Signature
from hil.diagnosis.text import CAUSES, LogReader
from hil.diagnosis.text.clue import Cause
from hil.diagnosis.text.events_body import SHOWN, diagnose_events
from hil.diagnosis.text.line import parts
from hil.errors import SetupError, WireError
from hil.timeline.events import Event
from hil.timeline.journal import decode
from hil.wire.board_status import MAX_BODY
from hil.wire.lines import Line, LineSplitter

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
EVENTS_HEAD = re.compile(rb"(?:\A|\n)=== CRITICAL EVENTS \([0-9]+ recorded\) ===")
HEAD = 1 << 12
"""Bytes by which the kind of a file is told."""
KINDS = "a run's folder, its timeline.jsonl, a serial log, a build log, the body of /events, or - for standard input"
STATUS = "Exit status: 1 where something is found, 0 where no signature matches, 2 where the path cannot be read."


def add(commands: "Commands") -> None:
    text = "say why a board or a build failed, from a saved run or from the log of any ESP-IDF or Arduino firmware"
    parser = commands.add_parser("diagnose", help=text, description=f"S{text[1:]}.", epilog=STATUS)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("path", nargs="?", help=KINDS)
    what.add_argument("--list", action="store_true", help="everything that can be found, as a table")
    parser.set_defaults(run=lambda options: table() if options.list else run(options.path))


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


def run(path: str) -> tuple[str, int]:
    """What is printed, and the exit status.

    Raises:
        SetupError: the path cannot be read, is empty, or is a folder without a timeline.
        WireError: a timeline or a body of /events that does not follow its format; the message names the line.
    """
    with _opened(path) as stream:
        chunks = _chunks(path, stream)
        head = next(chunks, b"")
        while len(head) < HEAD and (more := next(chunks, b"")):
            head += more
        if not head.strip(b"\0 \t\r\n"):
            raise SetupError(f"{path} is empty; wanted: {KINDS}")
        try:
            return _told(head, _again(head, chunks))
        except WireError as error:
            raise WireError(f"{path}: {error}") from error


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


def _chunks(path: str, stream: BinaryIO) -> Iterator[bytes]:
    try:
        while chunk := stream.read(CHUNK):
            yield chunk
    except OSError as error:
        raise SetupError(f"{path}: cannot be read: {error.strerror}") from error


def _again(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from chunks


def _told(head: bytes, chunks: Iterator[bytes]) -> tuple[str, int]:
    """Diagnose by what the content is."""
    if TIMELINE_HEAD.match(head):
        return _of_timeline(chunks)
    if found := EVENTS_HEAD.search(head[:HEAD]):
        body = _body(chunks, found.start())
        return _answer(diagnose_events(body, head.count(b"\n", 0, found.end()) + 1))
    return _answer(_of_text(chunks))


def _answer(findings: list[Finding]) -> tuple[str, int]:
    return _shown(findings, 0), int(bool(findings))


def _shown(findings: list[Finding], zero_ns: int) -> str:
    return "\n\n".join(finding.text(zero_ns) for finding in findings) or f"finding   {NO_MATCH}"


def _of_text(chunks: Iterator[bytes]) -> list[Finding]:
    reader = LogReader()
    for number, line in _lines(chunks, LINE_LIMIT):
        reader.hear(parts(line.text, number))
    return reader.finish()


def _body(chunks: Iterator[bytes], start: int) -> bytes:
    """The body without the headers that were saved with it; one byte more than a body may have, at most."""
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) > MAX_BODY + start:
            break
    return body[start:].lstrip(b"\n")


def _of_timeline(chunks: Iterator[bytes]) -> tuple[str, int]:
    judged = list(judge(_events(chunks)))
    told = [
        "\n".join((*([each.test] if each.test else []), _shown(list(each.findings), each.since_ns))) for each in judged
    ]
    found = any(each.findings for each in judged)
    return "\n\n".join(told) or f"finding   {NO_MATCH}: no test failed", int(found)


def _events(chunks: Iterator[bytes]) -> Iterator[Event]:
    """The events of all whole lines."""
    for number, line in _lines(chunks, EVENT_LIMIT):
        if line.complete and line.body.strip():
            yield _event(line.body, number)


def _event(text: bytes, number: int) -> Event:
    try:
        event = decode(text, number)
    except RecursionError as error:
        raise WireError(f"line {number}: JSON nested too deep") from error
    if abs(event.t_ns) > MAX_NS:
        raise WireError(f"line {number}: t_ns has {event.t_ns.bit_length()} bits; wanted at most {MAX_NS}")
    return event


def _lines(chunks: Iterator[bytes], limit: int) -> Iterator[tuple[int, Line]]:
    """Lines with their numbers, from 1; the pieces of a long one share theirs."""
    splitter, number = LineSplitter(limit), 1
    for chunk in chunks:
        for line in splitter.feed(chunk):
            yield number, line
            number += line.complete
    for line in splitter.flush():
        yield number, line
