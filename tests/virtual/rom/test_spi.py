"""The SPI1 controller as a host drives it."""

import pytest

from hil.virtual.flash import MB, FlashChip
from hil.virtual.rom.spi import ADDR, CMD, MISO_LENGTH, USER, USER2, USER_COMMAND, USER_MISO, W0, SpiController


def run(spi: SpiController, command: int, bits: int = 0, address: int = 0) -> int:
    """The steps of esptool's run_spiflash_command."""
    spi.write(MISO_LENGTH, max(bits - 1, 0))
    spi.write(USER, 1 << 31 | (USER_MISO if bits else 0))
    spi.write(USER2, 7 << 28 | command)
    spi.write(ADDR, address)
    spi.write(W0, 0)
    spi.write(CMD, USER_COMMAND)
    assert spi.read(CMD) & USER_COMMAND == 0
    return spi.read(W0)


@pytest.mark.parametrize(("size_mb", "jedec"), [(4, 0x1640EF), (8, 0x1740EF), (16, 0x1840EF)])
def test_the_flash_tells_its_id(size_mb: int, jedec: int) -> None:
    """RDID, 24 bits: maker in the lowest byte, size in the highest."""
    assert run(SpiController(FlashChip(size_mb * MB)), 0x9F, 24) == jedec


def test_the_flash_has_discoverable_parameters() -> None:
    """The signature, and the density in the second word of the table that the header points to."""
    spi = SpiController(FlashChip(8 * MB))
    assert run(spi, 0x5A, 32).to_bytes(4, "little") == b"SFDP"
    table = run(spi, 0x5A, 24, 12)
    assert run(spi, 0x5A, 32, table + 4) == 64 * MB - 1
    assert run(spi, 0x5A, 8, 0x10000) == 0xFF


def test_only_as_many_bits_come_as_are_asked_for() -> None:
    """One byte of the id, then none."""
    spi = SpiController(FlashChip())
    assert run(spi, 0x9F, 8) == 0xEF
    assert run(spi, 0x9F) == 0


def test_the_chip_is_erased_only_where_writing_was_enabled() -> None:
    """And the status tells whether it is."""
    flash = FlashChip(MB)
    flash.program(0, b"data")
    spi = SpiController(flash)
    run(spi, 0xC7)
    assert flash.read(0, 4) == b"data"
    run(spi, 0x06)
    assert run(spi, 0x05, 8) == 2
    run(spi, 0xC7)
    assert flash.read(0, 4) == b"\xff" * 4
    assert run(spi, 0x05, 8) == 0


@pytest.mark.parametrize("command", [0x66, 0x99, 0xB9, 0x79, 0xFF])
def test_commands_without_an_answer_end(command: int) -> None:
    """Reset and power-down: the lines float high."""
    assert run(SpiController(FlashChip()), command, 8) == 0xFF
