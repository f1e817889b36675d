"""Cutting a log into lines."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.lines import Line, LineSplitter

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=100)
CHUNKS = st.lists(st.text("ab\r\n\x00", max_size=8).map(str.encode), max_size=8)


def split(chunks: list[bytes], limit: int) -> list[Line]:
    """All lines of a stream that came in these chunks and ended."""
    splitter = LineSplitter(limit)
    return [line for chunk in chunks for line in splitter.feed(chunk)] + splitter.flush()


@PURE
@given(CHUNKS, st.integers(1, 12))
def test_no_byte_is_lost_and_offsets_are_true(chunks: list[bytes], limit: int) -> None:
    """Raw lines joined are the stream, and each stands where its offset says."""
    stream = b"".join(chunks)
    lines = split(chunks, limit)
    assert b"".join(line.raw for line in lines) == stream
    for line in lines:
        assert stream[line.offset : line.offset + len(line.raw)] == line.raw
        assert 1 <= len(line.raw) <= limit
        assert line.complete == line.raw.endswith(b"\n")


@PURE
@given(CHUNKS, st.integers(1, 12))
def test_chunks_make_no_difference(chunks: list[bytes], limit: int) -> None:
    """One read or many: the same lines."""
    assert split(chunks, limit) == split([b"".join(chunks)], limit)


@PURE
@given(CHUNKS, st.integers(1, 12))
def test_what_waits_is_shorter_than_the_limit(chunks: list[bytes], limit: int) -> None:
    """However long a stream without line ends goes on."""
    splitter = LineSplitter(limit)
    for chunk in chunks:
        splitter.feed(chunk)
        assert splitter.pending < limit


def test_lf_and_crlf_end_a_line_and_a_lone_cr_does_not() -> None:
    """The text has neither; the raw bytes keep them."""
    lines = split([b"one\ntwo\r", b"\nth\rree\n"], 100)
    assert [line.text for line in lines] == ["one", "two", "th\rree"]
    assert [line.raw for line in lines] == [b"one\n", b"two\r\n", b"th\rree\n"]
    assert [line.offset for line in lines] == [0, 4, 9]


def test_a_line_without_end_is_cut_at_the_limit() -> None:
    """And told to be incomplete; a line that just fits is not."""
    assert split([b"abcdef"], 4) == [Line(b"abcd", 0, False), Line(b"ef", 4, False)]
    assert split([b"abc\n"], 4) == [Line(b"abc\n", 0, True)]


def test_flush_gives_what_waits_once() -> None:
    """And offsets go on after it."""
    splitter = LineSplitter(10)
    splitter.feed(b"half")
    assert splitter.flush() == [Line(b"half", 0, False)]
    assert splitter.flush() == []
    assert splitter.feed(b" line\n") == [Line(b" line\n", 4, True)]


def test_bytes_that_are_no_utf8_are_replaced_in_the_text_only() -> None:
    """An incomplete line keeps a CR, which may be the first half of its end."""
    assert Line(b"a\xffb\n", 0, True).text == "a\ufffdb"
    assert Line(b"a\r", 0, False).body == b"a\r"


@PURE
@given(CHUNKS, st.integers(1, 12))
def test_whole_lines_in_one_piece_are_the_lines_one_by_one(chunks: list[bytes], limit: int) -> None:
    """Where feed_whole gives them; where it gives None it has taken in nothing."""
    one, other = LineSplitter(limit), LineSplitter(limit)
    for chunk in chunks:
        whole, lines = one.feed_whole(chunk), other.feed(chunk)
        if whole is None:
            assert one.feed(chunk) == lines
            continue
        assert whole.raw == b"".join(line.raw for line in lines)
        assert whole.lengths == [len(line.raw) for line in lines]
        assert not lines or whole.offset == lines[0].offset


def test_a_limit_of_nothing_is_refused() -> None:
    """No line has no byte."""
    with pytest.raises(WireError, match="line limit 0"):
        LineSplitter(0)
