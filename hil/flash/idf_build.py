"""``flasher_args.json``, and whatever else a path to a build may be."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hil.errors import BuildError, WireError
from hil.flash.build import CHIP, MB, Build, Region, checked, is_nvs, read_bytes
from hil.flash.merged import read_merged
from hil.wire.esp_partitions import TABLE_LENGTH, PartitionTable

FLASHER_ARGS = "flasher_args.json"
WANTED = f"the build folder of an ESP-IDF project (it holds {FLASHER_ARGS}) or a merged image"


def read_build(path: Path) -> Build:
    """What ``path`` holds: the build folder of an ESP-IDF project, or a merged image.

    Raises:
        BuildError: it holds neither, or a build that an ESP32-S3 cannot take; the message says which and where.
    """
    try:
        if path.is_dir():
            return _read_folder(path)
        if path.name == FLASHER_ARGS:
            return _read_folder(path.parent)
        if not path.exists():
            raise BuildError(f"{path}: no such file or folder; wanted {WANTED}")
        return read_merged(path)
    except OSError as error:
        raise BuildError(f"{path}: cannot be read: {error.strerror}") from error


def _read_folder(folder: Path) -> Build:
    arguments = folder / FLASHER_ARGS
    if not arguments.exists():
        beneath = folder / "build"
        hint = f"; {beneath} has one" if (beneath / FLASHER_ARGS).exists() else "; has the project been built?"
        raise BuildError(f"{folder}: no {FLASHER_ARGS} in it: not {WANTED}{hint}")
    content = _Content(arguments)
    content.require_chip()
    content.require_plain()
    regions = [Region(offset, read_bytes(folder / name, name), name) for offset, name in content.files()]
    kept, left_out = _without_nvs(regions, content.offset_of("partition-table"))
    return checked(str(folder), kept, content.flash_bytes(), left_out, content.offset_of("app"))


def _without_nvs(regions: list[Region], table_offset: int | None) -> tuple[list[Region], tuple[str, ...]]:
    """The regions, less what would replace what the board has stored."""
    table = next((each for each in regions if each.offset == table_offset), None)
    if table is None:
        return regions, ()
    try:
        partitions = PartitionTable.parse(table.data[:TABLE_LENGTH]).partitions
    except WireError as error:
        raise BuildError(f"{table} is not a partition table: {error}") from error
    stored = {each.offset: each for each in partitions if is_nvs(each)}
    kept = [each for each in regions if each.offset not in stored]
    told = tuple(f"{each} ({stored[each.offset].label}): NVS stays" for each in regions if each.offset in stored)
    return kept, told


class _Content:
    """The file, read key by key."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            content = json.loads(read_bytes(path, path.name))
        except (ValueError, RecursionError) as error:
            raise BuildError(f"{path}: not JSON: {error}") from error
        self._content: Mapping[str, Any] = self._mapping(content, "the whole file")

    def require_chip(self) -> None:
        chip = self._mapping(self._content.get("extra_esptool_args", {}), "extra_esptool_args").get("chip", CHIP)
        if chip != CHIP:
            raise BuildError(
                f"{self._path}: extra_esptool_args.chip is {chip!r}: a build for another chip than {CHIP!r}"
            )

    def require_plain(self) -> None:
        """See that no part is to be encrypted by the loader while it is written."""
        for part, entry in self._content.items():
            if isinstance(entry, dict) and str(entry.get("encrypted", "false")).lower() != "false":
                raise BuildError(
                    f"{self._path}: {part} is to be encrypted while it is flashed; hil flashes plain images"
                )

    def files(self) -> list[tuple[int, str]]:
        """``flash_files``: offset and name."""
        files = self._mapping(self._content.get("flash_files"), "flash_files")
        found = []
        for text, name in files.items():
            key = f"flash_files[{text!r}]"
            if not isinstance(name, str) or not name:
                raise self._wrong(key, name, "a file's name")
            found.append((self._offset(text, key), name))
        return found

    def offset_of(self, part: str) -> int | None:
        """Of 'app' or 'partition-table'; None where the build has none."""
        if part not in self._content:
            return None
        entry = self._mapping(self._content[part], part)
        return self._offset(entry.get("offset"), f"{part}.offset")

    def flash_bytes(self) -> int | None:
        """``flash_settings.flash_size``; None for 'detect' and 'keep'."""
        size = self._mapping(self._content.get("flash_settings", {}), "flash_settings").get("flash_size", "keep")
        if size in ("detect", "keep"):
            return None
        megabytes = size.removesuffix("MB") if isinstance(size, str) else ""
        if not (megabytes.isascii() and megabytes.isdecimal() and 0 < int(megabytes[:4]) <= 128 and len(megabytes) < 4):
            raise self._wrong("flash_settings.flash_size", size, "such as '8MB'")
        return int(megabytes) * MB

    def _offset(self, text: object, key: str) -> int:
        try:
            if not isinstance(text, str):
                raise TypeError
            return int(text, 0)
        except (TypeError, ValueError) as error:
            raise self._wrong(key, text, "an offset such as '0x10000'") from error

    def _mapping(self, value: object, key: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._wrong(key, value, "an object")
        return value

    def _wrong(self, key: str, value: object, wanted: str) -> BuildError:
        shown = repr(value)
        return BuildError(f"{self._path}: {key} is {shown if len(shown) < 60 else shown[:56] + ' …'}; wanted {wanted}")
