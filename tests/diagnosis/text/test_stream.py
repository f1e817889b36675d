"""Packed files, marks and endless lines."""

import bz2
import gzip
import lzma
import tracemalloc
from collections import deque

import pytest

from hil.diagnosis.text import stream
from hil.diagnosis.text.stream import CARRIED, MOST_UNPACKED, dedented, lines, plain
from hil.errors import SetupError

GURU = b"Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled."


def read(data: bytes, chunk: int = 1 << 16) -> bytes:
    pieces = [data[at : at + chunk] for at in range(0, len(data), chunk)]
    return b"".join(plain(pieces[0], iter(pieces[1:])))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "ascii"])
def test_marks_and_nul_are_taken_away(encoding: str) -> None:
    """UTF-16 of either order, with a mark or without, and UTF-8 with one."""
    assert read("a log\nof two lines\n".encode(encoding)) == b"a log\nof two lines\n"
    assert read(b"\xfe\xff" + "x".encode("utf-16-be")) == b"x"


@pytest.mark.parametrize("chunk", [3, 17, 1 << 16])
def test_gzip_is_read_as_what_is_in_it(chunk: int) -> None:
    """However its bytes come; the members of joined files one after the other."""
    text = b"".join(b"line %d\n" % number for number in range(40_000))
    assert read(gzip.compress(text), chunk) == text
    assert read(gzip.compress(b"first\n") + gzip.compress(b"second\n"), chunk) == b"first\nsecond\n"
    assert read(gzip.compress("\ufeffa".encode("utf-16-le")), chunk) == b"a"


def test_gzip_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    """A log that was rotated while the disk was full."""
    text = b"".join(b"%d: line\n" % (number * number) for number in range(5000))
    packed = gzip.compress(text)
    found = read(packed[: len(packed) // 2])
    assert len(found) > 1000
    assert text.startswith(found)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (bz2.compress(b"x"), "compressed with bzip2; unpack it first"),
        (lzma.compress(b"x"), "compressed with xz; unpack it first"),
        (b"PK\x03\x04\x14\0", "compressed with zip; unpack it first"),
        (b"\x1f\x8b\x08" + b"\xff" * 100, "compressed with gzip, and damaged"),
    ],
)
def test_what_cannot_be_unpacked_is_an_error(data: bytes, says: str) -> None:
    """It names how the file is compressed."""
    with pytest.raises(SetupError, match=says):
        read(data)


def test_a_small_file_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """In little memory; the limit is the module's, made smaller for the test."""
    assert MOST_UNPACKED == 1 << 30
    packed = gzip.compress(b"\0" * 30_000_000)
    monkeypatch.setattr(stream, "MOST_UNPACKED", 20_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(SetupError, match="unpacks to more than"):
            deque(plain(packed, ()), maxlen=0)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("before", range(4096 - len(GURU) - 3, 4096 + 3, 7))
def test_what_a_cut_would_part_is_read_in_one_piece(before: int) -> None:
    """Wherever it stands in a line that is longer than the limit."""
    found = list(lines([b"one\n", b"." * before, GURU, b" and more" * 600, b"\ntwo\n"], 4096))
    assert any(GURU.decode() in text for _, text in found)
    assert {number for number, _ in found} == {1, 2, 3}
    assert [found[0], found[-1]] == [(1, "one"), (3, "two")]
    assert len(GURU) < CARRIED


def test_lines_that_end_in_carriage_returns_alone_are_whole_and_come_once() -> None:
    """An endless line is parted where they stand."""
    texts = [f"line {number} of a log" for number in range(2000)]
    found = [part for _, text in lines([("\r".join(texts)).encode()], 4096) for part in text.split("\r")]
    assert found == texts


def test_the_indentation_of_the_first_line_is_taken_from_all() -> None:
    """A log that was copied with it; other lines keep what they have beyond, or instead."""
    texts = ["", "    rst:0x1", "      #0 0x4", "   x", "", "\ty"]
    assert [text for _, text in dedented(enumerate(texts))] == ["", "rst:0x1", "  #0 0x4", "   x", "", "\ty"]
    assert [text for _, text in dedented([(1, "\ta"), (2, "\t b")])] == ["a", " b"]
    assert [text for _, text in dedented([(1, "a"), (2, "    b")])] == ["a", "    b"]
