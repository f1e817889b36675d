"""Builds of the firmware for the virtual board: what makes one, and how an image in flash names the one it was made of.

An image for an ESP32-S3 cannot run on a host. One that was made here carries a note in its code: the digest of the
core's sources, the config and the version of TinyUSB. The SHA-256 of that note is the image's "ELF SHA-256", so that
two images with one digest are one build, and a note that was changed belongs to no build. An image that was linked from
the core's own machine code (:mod:`hil.virtual.target_core`) has its note behind its description, and its digest is that
of a real ELF file, which the note is a part of. The note holds data only; the library it leads to is this machine's own
(:mod:`hil.virtual.registry`).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from random import Random
from typing import Any, Self

from hil.errors import VirtualBoardError
from hil.virtual.core_abi import FirmwareConfig
from hil.virtual.rom.images import application
from hil.virtual.usb.descriptors import TinyUsb
from hil.wire.esp_image import APP_DESCRIPTION_LENGTH, AppDescription, Image

MARK = b"hil-virtual-build\0"
LINKED_MARK = b"hil-linked-build\0"
"""Of a note within an ELF file."""
LENGTH_BYTES = 4
MAX_NOTE = 4096
MAX_CODE = 16 << 20
VERSIONS_OF_TINYUSB = ("0.19", "0.21")


@dataclass(frozen=True, slots=True)
class AppBuild:
    """One build."""

    core: str
    """Digest of the sources of the core (:func:`hil.virtual.build.source_digest`)."""
    config: FirmwareConfig = FirmwareConfig()  # noqa: RUF009 - it is frozen
    tinyusb: TinyUsb = "0.21"
    code_bytes: int = 0
    """Of code that does nothing, for an application of a certain size."""
    code_seed: int = 0
    """Other code, as another change of the sources would make it."""

    @property
    def note(self) -> bytes:
        """What the image carries; the config as far as it differs from the default."""
        default = asdict(FirmwareConfig())
        changed = {key: value for key, value in asdict(self.config).items() if value != default[key]}
        content = {**asdict(self), "config": changed}
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

    @property
    def elf_sha256(self) -> str:
        """64 hexadecimal digits."""
        return hashlib.sha256(self.note).hexdigest()

    @property
    def description(self) -> AppDescription:
        return AppDescription(self.config.project, self.config.version, self.elf_sha256)

    def image(self, flash_mb: int = 8) -> Image:
        """The application.

        Raises:
            VirtualBoardError: its code is longer than a segment may be.
        """
        if not 0 <= self.code_bytes < MAX_CODE - MAX_NOTE:
            raise VirtualBoardError(f"build: code_bytes is {self.code_bytes}; wanted 0 to {MAX_CODE - MAX_NOTE - 1}")
        head = _marked(MARK, self.note)
        return application(self.description, head + idle_code(self.code_bytes, self.code_seed), flash_mb)

    @property
    def linked_note(self) -> bytes:
        """What an ELF file carries, right behind its description."""
        return _marked(LINKED_MARK, self.note)

    @classmethod
    def of_image(cls, image: Image) -> "AppBuild | None":
        """The build that an application was made of; None where it carries no note, or not its own."""
        description = image.description
        if description is None:
            return None
        note = _note(image.segments[0].data[APP_DESCRIPTION_LENGTH:], LINKED_MARK) or _own_note(image, description)
        try:
            return cls._parse(json.loads(note)) if note is not None else None
        except (ValueError, TypeError, KeyError):
            return None

    @classmethod
    def _parse(cls, content: Mapping[str, Any]) -> Self:
        types = {each.name: type(each.default) for each in fields(FirmwareConfig)}
        config = content["config"]
        if any(type(value) is not types[key] for key, value in config.items()):
            raise ValueError("a value of the config has the wrong type")
        if content["tinyusb"] not in VERSIONS_OF_TINYUSB:
            raise ValueError("an unknown TinyUSB")
        return cls(**{**content, "config": FirmwareConfig(**config)})


def idle_code(length: int, seed: int) -> bytes:
    """Bytes that compress about as code does; a quarter repeats."""
    random = Random(seed)
    block = 0x400
    made = b"".join(random.randbytes(block * 3 // 4) + bytes(block // 4) for _ in range(-(-length // block)))
    return made[:length]


def _marked(mark: bytes, note: bytes) -> bytes:
    return mark + len(note).to_bytes(LENGTH_BYTES, "little") + note


def _own_note(image: Image, description: AppDescription) -> bytes | None:
    """The note whose digest the description has."""
    notes = (_note(segment.data, MARK) for segment in image.segments)
    note = next((found for found in notes if found is not None), None)
    return note if note is not None and hashlib.sha256(note).hexdigest() == description.elf_sha256 else None


def _note(data: bytes, mark: bytes) -> bytes | None:
    if not data.startswith(mark):
        return None
    start = len(mark) + LENGTH_BYTES
    length = int.from_bytes(data[len(mark) : start], "little")
    return data[start : start + length] if length <= MAX_NOTE else None
