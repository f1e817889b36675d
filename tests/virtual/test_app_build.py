"""Builds for the virtual board, and the images that name them."""

from dataclasses import replace

import pytest

from hil.errors import VirtualBoardError
from hil.virtual.app_build import AppBuild, idle_code
from hil.virtual.core_abi import FirmwareConfig
from hil.wire.esp_image import Image, Segment

BUILD = AppBuild("ab" * 16, FirmwareConfig(version="1.2.3", dhcp_ms=7), "0.19", code_bytes=5000, code_seed=3)


def test_an_image_names_the_build_it_was_made_of() -> None:
    """Config, TinyUSB and core come back from the bytes of the file; the description is the build's."""
    image = Image.parse(BUILD.image().pack())
    assert AppBuild.of_image(image) == BUILD
    assert image.description == BUILD.description
    assert (BUILD.description.project, BUILD.description.version) == ("hil-reference", "1.2.3")


@pytest.mark.parametrize(
    "other",
    [
        replace(BUILD, core="cd" * 16),
        replace(BUILD, config=FirmwareConfig(version="1.2.4", dhcp_ms=7)),
        replace(BUILD, tinyusb="0.21"),
        replace(BUILD, code_seed=4),
    ],
)
def test_another_build_has_another_digest(other: AppBuild) -> None:
    """Whatever differs; the same build has the same one."""
    assert other.elf_sha256 != BUILD.elf_sha256
    assert replace(BUILD).elf_sha256 == BUILD.elf_sha256


def test_a_note_that_was_changed_belongs_to_no_build() -> None:
    """Its digest is not that of the description."""
    image = BUILD.image()
    changed = tuple(Segment(each.address, each.data.replace(b'"dhcp_ms":7', b'"dhcp_ms":8')) for each in image.segments)
    assert changed != image.segments
    assert AppBuild.of_image(Image(image.header, changed)) is None


def test_a_config_of_the_wrong_type_belongs_to_no_build() -> None:
    """An image may come from anywhere."""
    wrong = replace(BUILD, config=FirmwareConfig(dhcp_ms="x"))  # type: ignore[arg-type]
    assert AppBuild.of_image(wrong.image()) is None


def test_code_differs_by_its_seed_and_has_the_length_asked_for() -> None:
    """Up to what a segment holds."""
    assert len(idle_code(5001, 1)) == 5001
    assert idle_code(5001, 1) == idle_code(5001, 1) != idle_code(5001, 2)
    with pytest.raises(VirtualBoardError, match="code_bytes is 99999999; wanted 0 to "):
        AppBuild("", code_bytes=99_999_999).image()
