"""What is written, given what a board has: the board is a byte array here."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from hil.flash.build import SECTOR, Build, Region
from hil.flash.plan import CHANGED, UNCHANGED, WRITTEN, Md5, changed_spans, digest, plan


def has(flash: bytes) -> Md5:
    return lambda offset, length: digest(flash[offset : offset + length])


def build(*contents: tuple[int, bytes]) -> Build:
    return Build("here", tuple(Region(offset, data, f"{offset:x}.bin") for offset, data in contents))


OLD = build((0, b"a" * 5000), (0x4000, b"b" * 9000))
FLASH = (b"a" * 5000).ljust(0x4000, b"\xff") + b"b" * 9000


def test_what_is_there_is_not_written() -> None:
    """Nothing at all, where all is."""
    found = plan(OLD, None, has(FLASH))
    assert (found.what, found.writes, found.size) == (UNCHANGED, (), 0)


def test_an_unknown_board_gets_whole_regions() -> None:
    """Those that differ."""
    found = plan(build((0, b"a" * 5000), (0x4000, b"c" * 9000)), None, has(FLASH))
    assert (found.what, [str(write) for write in found.writes]) == (CHANGED, ["4000.bin at 0x4000"])
    assert found.in_parts == ()
    assert plan(OLD, None, has(bytes(len(FLASH)))).what == WRITTEN


def test_of_a_known_build_only_the_sectors_that_differ_are_written() -> None:
    """Up to the end of what is new, and no further."""
    new = b"b" * 5000 + b"x" + b"b" * 3999 + b"tail"
    found = plan(build((0, b"a" * 5000), (0x4000, new)), OLD, has(FLASH))
    assert [(write.offset, len(write.data)) for write in found.writes] == [(0x5000, len(new) - SECTOR)]
    assert [str(write) for write in found.writes] == ["4908 bytes of 4000.bin at 0x5000"]
    assert (found.what, [region.offset for region in found.in_parts]) == (CHANGED, [0x4000])


def test_a_board_that_does_not_hold_what_is_said_gets_whole_regions() -> None:
    """Its own hash is believed, not what is known."""
    lying = FLASH[:0x4000] + b"?" + FLASH[0x4001:]
    found = plan(build((0x4000, b"c" + b"b" * 8999)), OLD, has(lying))
    assert [(write.offset, write.whole) for write in found.writes] == [(0x4000, True)]


CONTENT = st.lists(st.sampled_from([b"a", b"b"]), max_size=6).map(lambda parts: b"".join(part * 2100 for part in parts))


@settings(deadline=None, derandomize=True, database=None, max_examples=200)
@given(CONTENT, CONTENT)
def test_changed_spans_make_the_old_into_the_new(old: bytes, new: bytes) -> None:
    """Applied, nothing of the old is left; each span begins at a sector, and none lies side by side."""
    flash = bytearray(old.ljust(len(new), b"\xff")[: len(new)])
    spans = list(changed_spans(old, new))
    for start, end in spans:
        assert start % SECTOR == 0
        flash[start:end] = new[start:end]
    assert bytes(flash) == new
    assert all(first[1] < second[0] for first, second in pairwise(spans))
