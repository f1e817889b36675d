"""One write to flash."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.virtual.flash import MB, SECTOR, FlashChip
from hil.virtual.rom.writing import BLOCK, FlashWrite
from hil.wire.esp_loader import Begin

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=25)


def filled() -> FlashChip:
    flash = FlashChip(MB)
    flash.program(0, bytes(MB))
    return flash


def write(flash: FlashChip, offset: int, size: int, *, deflated: bool = False, ahead: bool = False) -> FlashWrite:
    return FlashWrite(flash, Begin(size, 1, SECTOR, offset), deflated=deflated, ahead=ahead)


@PURE
@given(st.integers(0, 60), st.binary(min_size=1, max_size=3 * SECTOR), st.booleans(), st.booleans(), st.data())
def test_any_data_at_any_sector_reads_back(
    sector: int, data: bytes, deflated: bool, ahead: bool, draw: st.DataObject
) -> None:
    """Over old contents, in blocks of any size; the sectors around keep theirs."""
    flash = filled()
    session = write(flash, sector * SECTOR, len(data), deflated=deflated, ahead=ahead)
    stream = zlib.compress(data) if deflated else data
    step = draw.draw(st.integers(1, len(stream)))
    for start in range(0, len(stream), step):
        session.add(stream[start : start + step])
    assert flash.read(sector * SECTOR, len(data)) == data
    assert session.left == 0
    end = sector + -(-len(data) // SECTOR)
    assert flash.read(0, sector * SECTOR) == bytes(sector * SECTOR)
    assert not any(flash.read(end * SECTOR, MB - end * SECTOR))


def test_the_rom_has_erased_all_before_the_first_block() -> None:
    """A write that breaks off leaves an erased rest."""
    flash = filled()
    write(flash, SECTOR, 3 * SECTOR, ahead=True).add(b"\x12" * SECTOR)
    assert flash.read(0, 5 * SECTOR) == bytes(SECTOR) + b"\x12" * SECTOR + b"\xff" * 2 * SECTOR + bytes(SECTOR)


def test_the_stub_erases_as_it_goes() -> None:
    """A write that breaks off leaves an old rest, from the next sector or 64 KiB block on."""
    flash = filled()
    write(flash, SECTOR, 3 * SECTOR).add(b"\x12" * 100)
    assert flash.read(SECTOR + 100, 2 * SECTOR) == b"\xff" * (SECTOR - 100) + bytes(SECTOR + 100)
    write(flash, BLOCK, 2 * BLOCK).add(b"\x12")
    assert flash.read(BLOCK + 1, BLOCK) == b"\xff" * (BLOCK - 1) + b"\0"


def test_padding_of_the_last_block_is_left_out() -> None:
    """esptool fills it up with 0xFF, which may lie in a sector that is not erased."""
    flash = filled()
    write(flash, 0, 4).add(b"data\xff\xff\xff")
    assert flash.read(0, 8) == b"data\xff\xff\xff\xff"
    assert flash.read(SECTOR, 4) == bytes(4)


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (b"no zlib stream", "header"),
        (zlib.compress(bytes(100_000)), "more data than announced"),
        (zlib.compress(b"data")[:-1] + b"\0", "data check"),
    ],
)
def test_a_bad_stream_is_named(stream: bytes, words: str) -> None:
    """None of it may make more than it was begun with."""
    with pytest.raises(zlib.error, match=words):
        write(FlashChip(MB), 0, 1000, deflated=True).add(stream)
