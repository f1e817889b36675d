"""What comes before lines can be told apart: packed files, UTF-16 and byte order marks, and lines that never end."""

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain

from hil.errors import SetupError
from hil.wire.lines import LineSplitter

GZIP = b"\x1f\x8b"
PACKED = {
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf": "7z",
}
"""Compressed files that are not read, by how they begin."""
MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
"""UTF-8 with a mark, UTF-16 of either byte order."""
LONGEST = max(map(len, MARKS))
PIECE = 1 << 16
MOST_UNPACKED = 1 << 30
"""Bytes."""
CARRIED = 200
"""Bytes of a line that was cut at its limit that are read again with what follows; longer than what is looked for."""


def plain(head: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """``head`` and ``chunks`` as bytes of ASCII or UTF-8, unpacked where they are gzip's.

    Of UTF-16 everything beyond Latin-1 is lost; what is looked for is ASCII.

    Raises:
        SetupError: compressed otherwise, damaged, or more than :data:`MOST_UNPACKED`.
    """
    kind = next((kind for magic, kind in PACKED.items() if head.startswith(magic)), "")
    if kind:
        raise SetupError(f"compressed with {kind}; unpack it first (gzip is read as it is)")
    data = chain((head,), chunks)
    yield from _bare(_unpacked(data) if head.startswith(GZIP) else data)


def _bare(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Without the mark at the beginning, and without NUL."""
    stream = iter(chunks)
    first = b""
    while len(first) < LONGEST and (chunk := next(stream, None)) is not None:
        first += chunk
    mark = next((mark for mark in MARKS if first.startswith(mark)), b"")
    for chunk in chain((first.removeprefix(mark),), stream):
        yield chunk.replace(b"\0", b"")


def _unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What is in a gzip file; of one that was cut off what is there."""
    size = 0
    try:
        for piece in _members(chunks):
            size += len(piece)
            if size > MOST_UNPACKED:
                raise SetupError(f"unpacks to more than {MOST_UNPACKED >> 20} MiB; cut out the part that failed")
            yield piece
    except zlib.error as error:
        raise SetupError(f"compressed with gzip, and damaged: {error}") from error


def _members(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The members of a gzip file, one after the other, in pieces."""
    member = zlib.decompressobj(wbits=31)
    for chunk in chunks:
        rest = chunk
        while rest:
            if member.eof:
                member = zlib.decompressobj(wbits=31)
            yield member.decompress(rest, PIECE)
            rest = member.unused_data or member.unconsumed_tail


def lines(chunks: Iterable[bytes], limit: int) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, from 1; one longer than ``limit`` in pieces that share its number.

    It is cut where a bare carriage return cuts it, or else between pieces that overlap, so that nothing that is looked
    for is cut in two.
    """
    splitter, number, kept = LineSplitter(limit), 1, b""
    for chunk in chunks:
        for line in splitter.feed(chunk):
            text = kept + line.body
            kept = b""
            if not line.complete:
                text, kept = _parted(text)
            yield number, text.decode(errors="replace")
            number += line.complete
    rest = kept + b"".join(line.body for line in splitter.flush())
    if rest:
        yield number, rest.decode(errors="replace")


def dedented(numbered: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Lines without the indentation of the first that is not blank, as a log has it that was copied out of a text."""
    indent: str | None = None
    for number, text in numbered:
        if indent is None and text.strip():
            indent = text[: len(text) - len(text.lstrip(" \t"))]
        yield number, text.removeprefix(indent or "")


def _parted(text: bytes) -> tuple[bytes, bytes]:
    """What of a piece is read now, and what with the next one."""
    whole, separator, rest = text.rpartition(b"\r")
    return (whole, rest) if separator and whole else (text, text[-CARRIED:])
