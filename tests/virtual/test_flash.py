"""The flash of a virtual board."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import VirtualBoardError
from hil.virtual.flash import MB, SECTOR, FlashChip, open_when_free

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)


@PURE
@given(st.integers(0, MB - 1), st.binary(min_size=1, max_size=3 * SECTOR))
def test_what_is_written_where_it_was_erased_reads_back(offset: int, data: bytes) -> None:
    """At any offset, over any sector's end; and nothing beside it changes."""
    data = data[: MB - offset]
    chip = FlashChip(MB)
    chip.program(offset, b"\0" * len(data))
    chip.erase(offset, len(data))
    chip.program(offset, data)
    assert chip.read(offset, len(data)) == data
    assert chip.read(0, MB).count(0xFF) == MB - len(data) + data.count(0xFF)


@PURE
@given(st.binary(min_size=1, max_size=50), st.binary(min_size=1, max_size=50))
def test_programming_only_clears_bits(first: bytes, second: bytes) -> None:
    """What was not erased is the AND of both."""
    chip = FlashChip(MB)
    chip.program(SECTOR - 10, first)
    chip.program(SECTOR - 10, second)
    width = max(len(first), len(second))
    both = zip(first.ljust(width, b"\xff"), second.ljust(width, b"\xff"), strict=True)
    assert chip.read(SECTOR - 10, width) == bytes(a & b for a, b in both)


def test_whole_sectors_are_erased() -> None:
    """One byte of a range costs its sector; the neighbours stay."""
    chip = FlashChip(MB)
    chip.program(0, bytes(4 * SECTOR))
    chip.erase(2 * SECTOR - 1, 2)
    assert chip.read(0, 4 * SECTOR) == bytes(SECTOR) + b"\xff" * 2 * SECTOR + bytes(SECTOR)
    chip.erase(0, 0)
    assert chip.read(0, SECTOR) == bytes(SECTOR)


def test_the_contents_outlive_the_object(tmp_path: Path) -> None:
    """What was programmed and what was erased since."""
    path = tmp_path / "flash"
    chip = FlashChip(MB, path)
    chip.program(100, b"first")
    chip.program(5 * SECTOR, b"second")
    chip.program(MB - 4, b"last")
    chip.erase(5 * SECTOR, 1)
    chip.close()
    again = FlashChip(MB, path)
    assert again.read(0, MB) == (b"\xff" * 100 + b"first").ljust(MB - 4, b"\xff") + b"last"
    again.close()


def test_the_file_of_a_killed_process_has_every_change(tmp_path: Path) -> None:
    """Nothing waits for a close: a second look at the file, while the first holds it, sees all."""
    chip = FlashChip(MB, tmp_path / "flash")
    chip.program(SECTOR, b"\x12\x34")
    assert (tmp_path / "flash").read_bytes()[SECTOR : SECTOR + 3] == b"\xed\xcb\0"
    chip.close()


def test_erased_flash_takes_no_space(tmp_path: Path) -> None:
    """The file is as long as the chip and as large as what it holds; chip erase gives the space back."""
    path = tmp_path / "flash"
    chip = FlashChip(32 * MB, path)
    chip.program(16 * MB, b"firmware")
    assert path.stat().st_size == 32 * MB
    assert path.stat().st_blocks * 512 <= MB
    chip.erase_all()
    assert path.stat().st_blocks == 0
    assert chip.read(16 * MB, 8) == b"\xff" * 8
    chip.close()


def test_a_file_belongs_to_one_board(tmp_path: Path) -> None:
    """And to one size of flash; both are said with the path."""
    path = tmp_path / "flash"
    chip = FlashChip(MB, path)
    with pytest.raises(VirtualBoardError, match=r"flash belongs to another running board"):
        FlashChip(MB, path)
    chip.close()
    with pytest.raises(VirtualBoardError, match=r"flash: 1048576 bytes, the board's flash has 2097152"):
        FlashChip(2 * MB, path)


def test_the_chip_tells_its_maker_and_size() -> None:
    """A Winbond of 8 MB answers RDID with ef 40 17."""
    assert FlashChip().jedec_id.to_bytes(3, "little").hex() == "ef4017"
    assert FlashChip(16 * MB, maker=0x20).jedec_id.to_bytes(3, "little").hex() == "204018"


@pytest.mark.parametrize(("offset", "length"), [(MB, 1), (-1, 1), (0, MB + 1), (0, -1)])
def test_no_access_leaves_the_chip(offset: int, length: int) -> None:
    """The error names the place."""
    with pytest.raises(VirtualBoardError, match=r"it has 0x100000"):
        FlashChip(MB).read(offset, length)


def test_no_chip_has_an_odd_size() -> None:
    """The sizes that an image's header can name."""
    with pytest.raises(VirtualBoardError, match=r"flash: 3000000 bytes; known: 1 MB, 2 MB, .*128 MB"):
        FlashChip(3_000_000)


def test_worn_bits_stay_cleared(tmp_path: Path) -> None:
    """Through programming, erasing, and in the file."""
    chip = FlashChip(MB, tmp_path / "flash")
    chip.wear_out(SECTOR + 1, 0x0F)
    chip.erase(SECTOR, SECTOR)
    assert chip.read(SECTOR, 3) == b"\xff\xf0\xff"
    chip.program(SECTOR, b"\x11\x22\x33")
    assert chip.read(SECTOR, 3) == b"\x11\x20\x33"
    chip.erase_all()
    chip.close()
    again = FlashChip(MB, tmp_path / "flash")
    assert again.read(SECTOR, 3) == b"\xff\xf0\xff"
    again.close()


def test_the_same_cells_can_be_shown_as_a_smaller_chip(tmp_path: Path) -> None:
    """What is written through it is in the board's own flash and in its file; it knows nothing above its end."""
    flash = FlashChip(8 * MB, tmp_path / "flash")
    small = flash.shown_as(MB)
    small.program(0x1000, b"abc")
    assert flash.read(0x1000, 3) == b"abc"
    with pytest.raises(VirtualBoardError, match="it has 0x100000"):
        small.read(MB, 1)
    small.erase_all()
    assert flash.read(0x1000, 3) == b"\xff" * 3
    assert (tmp_path / "flash").stat().st_size == 8 * MB
    flash.close()


def test_the_flash_of_a_board_that_is_ending_is_waited_for(tmp_path: Path) -> None:
    """And not for ever."""
    first = FlashChip(path=tmp_path / "flash")

    async def scenario() -> None:
        with pytest.raises(VirtualBoardError, match="belongs to another running board"):
            await open_when_free(tmp_path / "flash", within_s=0.0)
        asyncio.get_running_loop().call_later(0.01, first.close)
        (await open_when_free(tmp_path / "flash")).close()

    asyncio.run(scenario())
