"""Images of the ESP32-S3."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.esp_image import (
    AppDescription,
    BootloaderDescription,
    Image,
    ImageHeader,
    Segment,
    SegmentHeader,
    is_mapped,
)

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)
WORDS = st.integers(0, 0xFFFF_FFFF)
DATA = st.binary(max_size=60).map(lambda data: data[: len(data) // 4 * 4])
DESCRIPTION = AppDescription("bridge", "1.2.3", "ab" * 32)


@st.composite
def images(draw: st.DrawFn) -> Image:
    segments = tuple(draw(st.lists(st.builds(Segment, WORDS, DATA), max_size=16)))
    header = ImageHeader(len(segments), draw(WORDS), hash_appended=draw(st.booleans()))
    return Image(header, segments)


def small_image(*, hash_appended: bool = True) -> Image:
    segments = (Segment(0x3C00_0020, DESCRIPTION.pack()), Segment(0x4037_4000, b"\x01\x02\x03\x04"))
    return Image(ImageHeader(2, 0x4037_4000, hash_appended=hash_appended), segments)


@PURE
@given(images(), st.binary(max_size=40))
def test_an_image_survives_the_round_trip(image: Image, after: bytes) -> None:
    """Whatever follows it in flash, with a digest and without."""
    packed = image.pack()
    assert len(packed) == image.length
    assert Image.parse(packed + after) == image


@PURE
@given(st.binary(max_size=300))
def test_any_bytes_are_a_value_or_a_wire_error(data: bytes) -> None:
    """Also behind a good magic."""
    for parse in (
        Image.parse,
        ImageHeader.parse,
        SegmentHeader.parse,
        AppDescription.parse,
        BootloaderDescription.parse,
    ):
        for start in (b"", b"\xe9\x01", b"\x32\x54\xcd\xab", b"\x50"):
            try:
                parse(start + data)
            except WireError:
                continue


@PURE
@given(st.data())
def test_no_changed_byte_goes_unnoticed(data: st.DataObject) -> None:
    """The digest covers the header, the checksum, and the padding between."""
    packed = bytearray(small_image().pack())
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    try:
        changed = Image.parse(bytes(packed))
    except WireError:
        return
    assert at == 23, "the flag that announces a digest is all that can hide one"
    assert not changed.header.hash_appended


def test_the_header_has_its_fields_where_the_rom_looks() -> None:
    """Byte by byte: esp_image_header_t with DIO, 80 MHz, 8 MB, chip 9 and a digest."""
    header = ImageHeader(3, 0x4037_5B3C, min_revision=0, max_revision=99)
    assert header.pack().hex(" ") == "e9 03 02 3f 3c 5b 37 40 ee 00 00 00 09 00 00 00 00 63 00 00 00 00 00 01"


def test_checksum_and_digest_stand_at_the_end() -> None:
    """The checksum is the last byte of a 16-byte block, the digest covers all before it."""
    image = Image(ImageHeader(1, 0), (Segment(0x3FC9_0000, b"\x01\x02\x04\x08"),))
    packed = image.pack()
    assert len(packed) == 48 + 32
    assert packed[47] == 0xEF ^ 0x0F
    assert packed[48:] == hashlib.sha256(packed[:48]).digest()


def test_the_description_is_found_in_the_first_segment() -> None:
    """Project, version and the digest of the ELF file."""
    assert Image.parse(small_image().pack()).description == DESCRIPTION
    assert DESCRIPTION.pack()[144:176] == b"\xab" * 32
    assert len(DESCRIPTION.pack()) == 256
    assert Image(ImageHeader(0, 0), ()).description is None
    assert Image(ImageHeader(1, 0), (Segment(0, bytes(256)),)).description is None


def test_descriptions_survive_the_round_trip() -> None:
    """Of application and boot loader."""
    assert AppDescription.parse(DESCRIPTION.pack()) == DESCRIPTION
    loader = BootloaderDescription("v5.4", "Jan 1 2026 00:00:00", 3)
    assert BootloaderDescription.parse(loader.pack()) == loader
    assert len(loader.pack()) == 80


def test_mapped_memory_is_told_from_ram() -> None:
    """DROM and IROM are read where they stand in flash."""
    assert [is_mapped(each) for each in (0x3C00_0020, 0x4200_0020, 0x3FC9_0000, 0x4037_4000, 0)] == [1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("offset", "value", "words"),
    [
        (0, 0xFF, "magic 0xff at offset 0, expected 0xe9"),
        (1, 17, "17 segments, at most 16"),
        (28, 0x01, "segment 0 at offset 0x20: length 0x101"),
        (31, 0xFF, "segment 0 at offset 0x20: length 0xff000100"),
        (30, 0x01, r"segment 0 at offset 0x20: 65792 bytes, \d+ are there"),
        (40, 0xEE, "checksum 0x"),
        (23, 1, None),
        (-1, 0x00, "SHA-256"),
    ],
)
def test_what_is_wrong_with_an_image_is_named(offset: int, value: int, words: str | None) -> None:
    """Each way to fail, by one byte."""
    packed = bytearray(small_image().pack())
    packed[offset] = value
    if words is None:
        Image.parse(bytes(packed))
        return
    with pytest.raises(WireError, match=words):
        Image.parse(bytes(packed))


@pytest.mark.parametrize("length", [0, 23, 24, 40, 300, -33, -1])
def test_a_cut_image_is_refused(length: int) -> None:
    """Wherever it ends."""
    with pytest.raises(WireError):
        Image.parse(small_image().pack()[:length])


def test_what_does_not_fit_is_refused() -> None:
    """In the words of the field."""
    with pytest.raises(WireError, match="version is"):
        AppDescription("p", "v" * 32, "00" * 32).pack()
    with pytest.raises(WireError, match="elf_sha256 is 'xy'"):
        AppDescription("p", "v", "xy").pack()
    with pytest.raises(WireError, match="elf_sha256: 1 bytes, expected 32"):
        AppDescription("p", "v", "00").pack()
    with pytest.raises(WireError, match="5 bytes, expected a multiple of 4"):
        Image(ImageHeader(1, 0), (Segment(0x3FC9_0000, b"12345"),)).pack()
    with pytest.raises(WireError, match="2 segments, the image has 0"):
        Image(ImageHeader(2, 0), ()).pack()
    with pytest.raises(WireError, match="each has 4 bits"):
        ImageHeader(0, 0, spi_size=16).pack()
