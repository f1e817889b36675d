"""From an application in flash to the firmware that runs: the registry of builds, and the build of a new board.

A library is machine code that runs with this process's rights, so none is taken from what a host has flashed: the note
of an image only names one, and it must be the reference core of this checkout, one that was compiled here before, or
the one that the board was configured with.
"""

import hashlib
import os
import random
from dataclasses import dataclass, replace
from pathlib import Path

from hil.errors import VirtualBoardError, WireError
from hil.virtual.app_build import AppBuild
from hil.virtual.build import compiled, ensure_library, find_cache, find_sources, source_digest
from hil.virtual.core_abi import FirmwareConfig
from hil.virtual.firmware import Firmware
from hil.virtual.flash import FlashChip
from hil.virtual.rom.images import APP_OFFSET, flash_files
from hil.virtual.usb.descriptors import FirmwareUsb, TinyUsb
from hil.wire.esp_image import (
    DIGEST_LENGTH,
    HEADER_LENGTH,
    SEGMENT_HEADER_LENGTH,
    AppDescription,
    Image,
    ImageHeader,
    SegmentHeader,
    padded_length,
)


@dataclass(frozen=True, slots=True)
class Application:
    """What runs on a board, and how it looks on the bus."""

    firmware: Firmware
    usb: FirmwareUsb
    config: FirmwareConfig
    """As it was built, with its own ELF digest and, where it was built without, a seed as of the chip's RNG."""


class Registry:
    """The builds that this process can run.

    Args:
        chip_mac: of the board; its USB identity is made from it.
        library: a core of the caller's in place of the reference one.
        config, tinyusb: of the build that a new board holds.

    Raises:
        SetupError: the reference core cannot be built here.
        VirtualBoardError: ``library`` cannot be read.
    """

    def __init__(
        self,
        chip_mac: str,
        library: Path | None = None,
        config: FirmwareConfig = FirmwareConfig(),  # noqa: B008 - it is frozen
        tinyusb: TinyUsb = "0.21",
    ) -> None:
        self._chip_mac = chip_mac
        core = _digest_of(library) if library else source_digest(find_sources())
        self._libraries = {core: library or ensure_library()}
        self._running: dict[str, Application | None] = {}
        self.factory = AppBuild(core, config, tinyusb)
        """What a board holds that nobody has flashed."""

    def find(self, description: AppDescription, flash: FlashChip, offset: int) -> Application | None:
        """What the application at ``offset`` runs as; None: there is no virtual build of it.

        The same build stays the same :class:`Application`: what its core keeps over a reset it keeps.
        """
        elf = description.elf_sha256
        if elf not in self._running:
            self._running[elf] = self._made(flash, offset, elf)
        return self._running[elf]

    def _made(self, flash: FlashChip, offset: int, elf_sha256: str) -> Application | None:
        try:
            build = AppBuild.of_image(image_at(flash, offset))
            library = self._library(build.core) if build else None
            if build is None or library is None:
                return None
            usb = FirmwareUsb.for_chip(self._chip_mac, build.tinyusb)
            seed = build.config.seed or random.SystemRandom().getrandbits(32)
            config = replace(build.config, elf_sha256=elf_sha256, seed=seed)
            return Application(Firmware(library, config), usb, config)
        except (WireError, VirtualBoardError):
            return None

    def _library(self, core: str) -> Path | None:
        if core in self._libraries:
            return self._libraries[core]
        plain = len(core) == 32 and all(digit in "0123456789abcdef" for digit in core)
        return compiled(core, find_cache(os.environ)) if plain else None


def image_at(flash: FlashChip, offset: int) -> Image:
    """The image that begins there.

    Raises:
        WireError: none does.
    """
    header = ImageHeader.parse(flash.read(offset, HEADER_LENGTH))
    at = offset + HEADER_LENGTH
    for _ in range(header.segment_count):
        if at + SEGMENT_HEADER_LENGTH > flash.size:
            raise WireError(f"image at 0x{offset:x}: reaches past the flash of 0x{flash.size:x} bytes")
        at += SEGMENT_HEADER_LENGTH + SegmentHeader.parse(flash.read(at, SEGMENT_HEADER_LENGTH)).length
    length = padded_length(at - offset) + (DIGEST_LENGTH if header.hash_appended else 0)
    if offset + length > flash.size:
        raise WireError(f"image at 0x{offset:x}: {length} bytes; the flash has 0x{flash.size:x}")
    return Image.parse(flash.read(offset, length))


def furnish(flash: FlashChip, build: AppBuild, note: Path | None = None) -> None:
    """Gives a new board its build, and a board that was never flashed since the build of now.

    Args:
        note: a file beside the flash's, which holds the digest of the build that was put in; without one the flash is
            taken for a new one.
    """
    held = note.read_text().strip() if note is not None and note.exists() else ""
    if held and (held == build.elf_sha256 or _held(flash) != held):
        return
    for each in flash_files(build.image()):
        flash.erase(each.offset, len(each.data))
        flash.program(each.offset, each.data)
    if note is not None:
        note.write_text(build.elf_sha256 + "\n")


def _held(flash: FlashChip) -> str:
    """Digest of the application where :func:`furnish` puts one, or ''."""
    try:
        description = image_at(flash, APP_OFFSET).description
    except WireError:
        return ""
    return description.elf_sha256 if description else ""


def _digest_of(library: Path) -> str:
    try:
        return f"file-{hashlib.sha256(library.read_bytes()).hexdigest()[:32]}"
    except OSError as error:
        raise VirtualBoardError(f"firmware core {library}: {error.strerror}") from error
