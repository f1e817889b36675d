"""Registers behind READ_REG and WRITE_REG."""

from hil.virtual.flash import FlashChip
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.rom.registers import (
    CHIP_MAGIC,
    GPIO_STRAP,
    OPTION1,
    WDT_CONFIG0,
    WDT_CONFIG1,
    WDT_KEY,
    WDT_PROTECT,
    Registers,
)


def registers(*, strapped: bool = True, forced: bool = False) -> Registers:
    return Registers(FlashChip(), ChipIdentity(), strapped=strapped, forced=forced)


def test_a_mask_keeps_the_other_bits() -> None:
    """As the loaders combine a write with what was there."""
    found = registers()
    found.write(0x6000_8000, 0xFFFF_0000)
    found.write(0x6000_8000, 0x0000_1234, 0x0000_00FF)
    assert found.read(0x6000_8000) == 0xFFFF_0034


def test_straps_and_the_forcing_bit_are_told() -> None:
    """Bit 3 of the straps is GPIO0; the forcing bit can be cleared, as esptool does before a reset."""
    assert registers(strapped=True).read(GPIO_STRAP) == 0
    found = registers(strapped=False, forced=True)
    assert found.read(GPIO_STRAP) == 8
    assert found.force_download
    found.write(OPTION1, 0, 1)
    assert not found.force_download


def test_fuses_and_rom_are_not_written() -> None:
    """The MAC stays what it is."""
    found = registers()
    before = found.read(0x6000_7044)
    found.write(0x6000_7044, 0)
    found.write(CHIP_MAGIC, 0)
    assert (found.read(0x6000_7044), found.read(CHIP_MAGIC)) == (before, 9)


def arm(found: Registers, key: int, config: int = 1 << 31 | 5 << 28 | 1 << 8 | 2) -> None:
    """As esptool's watchdog_reset does."""
    found.write(WDT_PROTECT, key)
    found.write(WDT_CONFIG1, 2000)
    found.write(WDT_CONFIG0, config)
    found.write(WDT_PROTECT, 0)


def test_the_watchdog_is_armed_behind_its_key() -> None:
    """2000 cycles of the slow clock, which count double, are some 29 ms."""
    found = registers()
    arm(found, 0x1234)
    assert found.watchdog_s is None
    arm(found, WDT_KEY)
    assert found.watchdog_s is not None
    assert 0.029 < found.watchdog_s < 0.030
    arm(found, WDT_KEY, 0)
    assert found.watchdog_s is None


def test_a_watchdog_that_only_interrupts_resets_nothing() -> None:
    """Stage 0 of 1."""
    found = registers()
    arm(found, WDT_KEY, 1 << 31 | 1 << 28)
    assert found.watchdog_s is None


def test_a_sticky_bit_is_not_cleared() -> None:
    """Whatever a host writes there."""
    registers = Registers(FlashChip(), ChipIdentity(), strapped=False, forced=True, sticky=True)
    registers.write(OPTION1, 0, 1)
    assert registers.force_download
