"""What both loaders work on."""

import pytest

from hil.virtual.flash import MB, FlashChip
from hil.virtual.rom.chip import Chip, Exit, in_ram
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.rom.registers import Registers

FLASH = FlashChip(MB)


def chip(filled: dict[int, bytes]) -> Chip:
    made = Chip(FLASH, Registers(FLASH, ChipIdentity(), strapped=True, forced=False))
    made.filled = {address: bytearray(data) for address, data in filled.items()}
    return made


def test_the_stub_is_known_by_its_greeting() -> None:
    """Wherever in RAM the text of it lies."""
    made = chip({0x4037_8000: bytes(64), 0x3FCB_2C00: b"....OHAI"})
    made.start_code(0x4037_8010)
    assert made.stub_started
    assert made.exit is None


@pytest.mark.parametrize(
    ("filled", "entry"),
    [({0x4037_8000: b"code"}, 0x4037_8000), ({0x4037_8000: b"OHAI"}, 0x4037_9000), ({}, 0x4037_8000)],
)
def test_other_code_leaves_the_loader(filled: dict[int, bytes], entry: int) -> None:
    """Code that is no stub, and an entry where nothing was loaded."""
    made = chip(filled)
    made.start_code(entry)
    assert (made.stub_started, made.exit) == (False, Exit.RAM_CODE)


def test_ranges_are_held_to_their_memory() -> None:
    """Flash by its size, RAM by the memory map."""
    assert chip({}).holds(MB - 1, 1)
    assert not chip({}).holds(MB - 1, 2)
    assert in_ram(0x3FC8_8000, 0x1000)
    assert not in_ram(0x3FCF_F000, 0x2000)
    assert not in_ram(0, 4)
