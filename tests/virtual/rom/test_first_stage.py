"""The ROM and the image at the beginning of flash."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.virtual.flash import MB, FlashChip
from hil.virtual.rom.first_stage import first_stage
from hil.virtual.rom.images import bootloader
from hil.wire.esp_image import BootloaderDescription, Image, ImageHeader

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)
LOADER = bootloader(BootloaderDescription("v5.4.2"))


def flash_with(data: bytes) -> FlashChip:
    flash = FlashChip(MB)
    flash.program(0, data)
    return flash


def test_a_good_image_is_entered() -> None:
    """Word for word what a board prints, down to the entry."""
    found = first_stage(flash_with(LOADER.pack()))
    assert found.lines == (
        "SPIWP:0xee",
        "mode:DIO, clock div:1",
        "load:0x3fce2820,len:0x1574",
        "load:0x403c8700,len:0xd24",
        "load:0x403cb700,len:0x2f00",
        "entry 0x403c8928",
    )
    assert (found.header, found.description, found.failure) == (LOADER.header, BootloaderDescription("v5.4.2"), "")


@pytest.mark.parametrize(("data", "word"), [(b"", "0xffffffff"), (b"\x00\x01\x02\x03", "0x03020100")])
def test_no_magic_is_an_invalid_header(data: bytes, word: str) -> None:
    """Its first word, over and over."""
    found = first_stage(flash_with(data))
    assert set(found.lines) == {f"invalid header: {word}"}
    assert len(found.lines) > 2
    assert (found.header, found.failure) == (None, f"invalid header: {word}")


def test_a_half_written_image_fails_its_checksum() -> None:
    """The erased rest does not add up."""
    packed = LOADER.pack()
    found = first_stage(flash_with(packed[: len(packed) // 2]))
    assert found.lines[-1] == "ets_main.c 329 "
    assert found.lines[-2].startswith("Checksum failure. Calculated 0x")
    assert found.lines[-2].endswith("stored 0xff")
    assert found.header is None


def test_a_wrong_digest_is_no_obstacle() -> None:
    """The ROM says so and boots all the same, as boards do whose header a flasher has changed."""
    packed = bytearray(LOADER.pack())
    packed[-1] ^= 1
    found = first_stage(flash_with(bytes(packed)))
    assert found.lines[5:] == (
        "SHA-256 comparison failed:",
        f"Calculated: {LOADER.pack()[-32:].hex()}",
        f"Expected: {bytes(packed[-32:]).hex()}",
        "Attempting to boot anyway...",
        "entry 0x403c8928",
    )
    assert found.header is not None


def test_a_header_that_leads_out_of_flash_ends_there() -> None:
    """Segments of erased flash have length 0xffffffff."""
    found = first_stage(flash_with(ImageHeader(2, 0).pack()))
    assert found.lines[-1] == "load:0xffffffff,len:0xffffffff"
    assert "segment 0" in found.failure


def test_an_image_without_description_is_entered() -> None:
    """Older boot loaders have none."""
    plain = Image(LOADER.header, (LOADER.segments[1],) * 3)
    found = first_stage(flash_with(plain.pack()))
    assert (found.description, found.failure) == (None, "")


@PURE
@given(st.binary(max_size=200))
def test_any_contents_lead_to_an_entry_or_a_failure(data: bytes) -> None:
    """Also behind a good magic."""
    for start in (b"", b"\xe9\x02"):
        found = first_stage(flash_with(start + data))
        assert (found.header is None) is bool(found.failure)
