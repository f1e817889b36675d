"""How an application is checked before it runs."""

import hashlib
from dataclasses import replace

import pytest

from hil.virtual.flash import MB, FlashChip
from hil.virtual.rom.app_image import load_app
from hil.virtual.rom.images import application
from hil.wire.esp_image import AppDescription, Image, ImageHeader, Segment
from hil.wire.esp_partitions import APP, FACTORY, Partition

FACTORY_APP = Partition("factory", APP, FACTORY, 0x10000, 0x40000)
DESCRIPTION = AppDescription("bridge", "1.0", "ab" * 32)
IMAGE = application(DESCRIPTION, b"code")


def flash_with(data: bytes) -> FlashChip:
    flash = FlashChip(MB)
    flash.program(FACTORY_APP.offset, data)
    return flash


def changed(at: int, value: int) -> bytes:
    packed = bytearray(IMAGE.pack())
    packed[at] = value
    return bytes(packed)


def test_a_good_application_is_loaded_segment_by_segment() -> None:
    """Mapped or loaded, in the boot loader's words."""
    found = load_app(flash_with(IMAGE.pack()), FACTORY_APP)
    assert [text for _, _, text in found.log] == [
        "segment 0: paddr=00010020 vaddr=3c000020 size=00200h (   512) map",
        "segment 1: paddr=00010228 vaddr=3fc94000 size=00200h (   512) load",
        "segment 2: paddr=00010430 vaddr=40374000 size=00400h (  1024) load",
        "segment 3: paddr=00010838 vaddr=42000838 size=00004h (     4) map",
    ]
    assert (found.failure, found.description, found.length) == ("", DESCRIPTION, len(IMAGE.pack()))


def test_a_half_written_application_fails_where_it_ends() -> None:
    """In the header of the first segment that is not there."""
    found = load_app(flash_with(IMAGE.pack()[:0x300]), FACTORY_APP)
    assert found.failure == "invalid segment length 0xffffffff"
    assert found.log[-1] == ("E", "esp_image", "invalid segment length 0xffffffff")
    assert [level for level, _, _ in found.log] == ["I", "I", "E"]


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        (b"", "image at 0x10000 has invalid magic byte (nothing flashed here?)"),
        (changed(12, 5), "mismatch chip ID, expected 9, found 5"),
        (changed(1, 17), "image at 0x10000 segment count 17 exceeds max 16"),
        (changed(28, 1), "invalid segment length 0x201"),
        (changed(24, 0x24), "Segment 0 load address 0x3c000024, doesn't match data 0x00010020"),
        (changed(0x223, 0x50), "Segment 1 0x50c94000-0x50c94200 invalid: bad load address range"),
        (changed(31, 0x00)[:30] + b"\xf0" + changed(31, 0)[31:], "bootloader_mmap(0x10020, 0xf00200) failed"),
        (changed(0x30, 0xAA), "Checksum failed. Calculated 0x"),
        (changed(-1, IMAGE.pack()[-1] ^ 1), "Image hash failed - image is corrupt"),
    ],
)
def test_what_is_wrong_is_said_as_on_the_board(data: bytes, failure: str) -> None:
    """One byte for each."""
    found = load_app(flash_with(data), FACTORY_APP)
    assert found.failure.startswith(failure)
    assert found.log[-1][0] == "E"
    assert found.description is None


def test_an_application_must_fit_its_partition() -> None:
    """With its digest."""
    length = len(IMAGE.pack())
    flash = flash_with(IMAGE.pack())
    assert load_app(flash, replace(FACTORY_APP, size=length)).failure == ""
    found = load_app(flash, replace(FACTORY_APP, size=length - 1))
    assert found.failure == f"Image length {length} doesn't fit in partition length {length - 1}"


def test_without_a_digest_the_checksum_decides() -> None:
    """What the checksum does not see, nothing sees."""
    plain = Image(replace(IMAGE.header, hash_appended=False), IMAGE.segments)
    packed = bytearray(plain.pack())
    packed[4] ^= 1
    assert load_app(flash_with(bytes(packed)), FACTORY_APP).failure == ""


def test_an_application_without_description_runs() -> None:
    """And says nothing of itself."""
    image = Image(ImageHeader(1, 0), (Segment(0x4037_4000, bytes(64)),))
    found = load_app(flash_with(image.pack()), FACTORY_APP)
    assert (found.failure, found.description) == ("", None)
    assert image.pack()[-32:] == hashlib.sha256(image.pack()[:-32]).digest()


@pytest.mark.parametrize("before_end", [0, 4, 40, 100])
def test_the_end_of_flash_is_no_trap(before_end: int) -> None:
    """Whatever of an image fits before it."""
    flash = FlashChip(MB)
    start = MB - before_end
    flash.program(start, IMAGE.pack()[:before_end])
    assert load_app(flash, Partition("last", APP, FACTORY, start, before_end)).failure
