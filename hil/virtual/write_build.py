"""Writes a build for the virtual board into a folder, as ``idf.py build`` leaves one for flashing.

usage: python -m hil.virtual.write_build FOLDER [options]

    python -m hil.virtual.write_build build/new --version 0.2.0
    python -m hil.virtual.write_build build/quiet --set dhcp_ms=400 --set lease_s=30
    python -m hil.virtual.write_build build/big --code-bytes 1000000 --code-seed 2
    python -m hil.virtual.write_build build/alien --no-build          an application that no virtual board can run
    python -m hil.virtual.write_build build/real --target-core        the core as machine code of the ESP32-S3

The folder then holds ``flasher_args.json``, ``bootloader/``, ``partition_table/`` and the application; the digest of
its "ELF file" comes on standard output.

With ``--target-core`` there is an ELF file, ``<project>.elf``, and the application is what esptool makes of it; that
needs Debian's Xtensa compiler. It is asked for, and not done wherever the compiler happens to be: a command line gives
the same digest on every machine, and no board is flashed anew because a compiler was installed.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hil.errors import HilError, VirtualBoardError
from hil.virtual.app_build import VERSIONS_OF_TINYUSB, AppBuild
from hil.virtual.build import find_sources, source_digest
from hil.virtual.core_abi import FirmwareConfig, to_c
from hil.virtual.rom.images import flash_files, flasher_args
from hil.virtual.target_core import link
from hil.wire.esp_image import FLASH_MB

NOBODYS_CORE = "0" * 32


def write_build(folder: Path, build: AppBuild, flash_mb: int = 8, *, target_core: bool = False) -> str:
    """Makes the folder where it is missing; files of the same names are replaced.

    Args:
        target_core: the application is the core's machine code, linked; else it is of bytes that only look like code.

    Returns:
        the digest of the ELF file, 64 hexadecimal digits.

    Raises:
        SetupError: the target's compiler is not there, or failed.
    """
    linked = link(build, flash_mb) if target_core else None
    image = linked.image if linked else build.image(flash_mb)
    files = flash_files(image)
    for each in files:
        path = folder / each.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(each.data)
    (folder / "flasher_args.json").write_text(flasher_args(files, flash_mb))
    if linked is not None:
        (folder / f"{build.config.project}.elf").write_bytes(linked.elf)
    return image.description.elf_sha256 if image.description else ""


def reference_build() -> AppBuild:
    """Of the core's sources as they are, with the defaults: what a new virtual board holds.

    Raises:
        SetupError: the sources are not there.
    """
    return AppBuild(source_digest(find_sources()))


def config_of(settings: Sequence[str]) -> FirmwareConfig:
    """The config with ``name=value`` changed in it.

    Raises:
        VirtualBoardError: an unknown name, or a value that does not fit.
    """
    config = FirmwareConfig()
    for setting in settings:
        name, equals, text = setting.partition("=")
        default = getattr(config, name, None)
        if not equals or default is None:
            known = ", ".join(FirmwareConfig.__dataclass_fields__)
            raise VirtualBoardError(f"--set {setting}: wanted NAME=VALUE; names: {known}")
        try:
            config = replace(config, **{name: type(default)(text)})
        except ValueError as error:
            raise VirtualBoardError(f"--set {setting}: {error}") from error
    to_c(config)
    return config


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m hil.virtual.write_build", description=(__doc__ or "")[:80])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--version", help="of the application")
    parser.add_argument("--project", help="of the application")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a field of the config")
    parser.add_argument("--tinyusb", choices=VERSIONS_OF_TINYUSB, default="0.21")
    parser.add_argument("--code-bytes", type=int, default=0, help="make the application so much bigger")
    parser.add_argument("--code-seed", type=int, default=0, help="other code of the same size")
    parser.add_argument("--flash-mb", type=int, choices=FLASH_MB, default=8)
    parser.add_argument("--target-core", action="store_true", help="link the core for the ESP32-S3; needs its compiler")
    parser.add_argument("--no-build", action="store_true", help="name a core that no machine has")
    options = parser.parse_args(arguments)
    named = [f"{name}={value}" for name in ("version", "project") if (value := getattr(options, name))]
    try:
        core = NOBODYS_CORE if options.no_build else source_digest(find_sources())
        config = config_of([*options.set, *named])
        build = AppBuild(core, config, options.tinyusb, options.code_bytes, options.code_seed)
        digest = write_build(options.folder, build, options.flash_mb, target_core=options.target_core)
    except (HilError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(digest)
    return 0


if __name__ == "__main__":
    sys.exit(main())
