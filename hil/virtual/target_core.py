"""Builds the firmware core for the ESP32-S3 itself, without ESP-IDF: an ELF file, and esptool's image of it.

``firmware/bare`` starts the core behind a second-stage boot loader, with UART0 as its console. The compiler is Debian's
gcc-xtensa-lx106; ``firmware/checks/xtensa-config`` tells it of register windows. The ELF file carries the note of its
build (:mod:`hil.virtual.app_build`) and the config as the core reads it, and says nothing of where or when it was made:
the same sources and the same build give the same digest.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hil.errors import SetupError
from hil.virtual.app_build import AppBuild, idle_code
from hil.virtual.build import find_sources
from hil.virtual.core_abi import to_c
from hil.wire.esp_image import AppDescription, Image

FIRMWARE = Path(__file__).parents[2] / "firmware"
LIBRARY = "libc.c"
COMPILER = "xtensa-lx106-elf-gcc"
CONFIGURE_WITHIN_S = 300.0
"""The first time, the instruction tables are fetched and compiled."""
WITHIN_S = 60.0
FLAGS = (
    "-std=gnu11",
    "-Os",
    "-mabi=windowed",
    "-mtext-section-literals",
    "-ffreestanding",
    "-nostdinc",
    # ESP-IDF's compiler has a long where this one has an int: formats are checked as they are there.
    "-U__UINT32_TYPE__",
    "-D__UINT32_TYPE__=long unsigned int",
    "-U__INT32_TYPE__",
    "-D__INT32_TYPE__=long int",
)
_BY_FUNCTION = ("-ffunction-sections", "-fdata-sections")
"""The C library, of which the linker takes what is needed."""
_LINK = ("-nostdlib", "-Wl,--gc-sections", "-Wl,-u,bare_config")
_IMAGE = ("--flash-mode", "dio", "--flash-freq", "80m", "--elf-sha256-offset", "0xb0")
_NO_ELF = "0" * 64
_PARTS = """\
.section .build.description, "a"
.incbin "description.bin"
.section .build.note, "a"
.incbin "note.bin"
.section .build.idle_code, "a"
.incbin "idle_code.bin"
.section .rodata.bare_config, "a"
.balign 4
.global bare_config
bare_config:
.incbin "config.bin"
"""


@dataclass(frozen=True, slots=True)
class TargetCompiler:
    """For programs on the ESP32-S3's instructions."""

    path: Path
    core: Path
    """The plugin that tells it of a core with register windows."""
    headers: tuple[Path, ...]
    """Its own, and those of the C library of the checks."""

    def run(self, *arguments: object, directory: Path) -> str:
        """Standard output.

        Raises:
            SetupError: it failed; the message ends with what it said.
        """
        system = [word for place in self.headers for word in ("-isystem", place)]
        environment = {**os.environ, "XTENSA_GNU_CONFIG": str(self.core)}
        return _run([self.path, *FLAGS, *system, *arguments], directory, environment)


@dataclass(frozen=True, slots=True)
class Linked:
    """A build for the ESP32-S3."""

    elf: bytes
    image: Image
    """Its description has the ELF file's SHA-256."""


def find_target_compiler() -> TargetCompiler:
    """Debian's, with the core's tables, which are built the first time.

    Raises:
        SetupError: it is not installed, or the tables cannot be built here.
    """
    script = FIRMWARE / "checks" / "xtensa-config"
    if not script.is_file():
        raise SetupError(f"target core: no {script}; it is built from a checkout of pytest-hil")
    found = shutil.which(COMPILER)
    if found is None:
        raise SetupError(f"target core: no {COMPILER} on the path; `tools/setup firmware` installs it")
    core = Path(_run([script], FIRMWARE, os.environ, CONFIGURE_WITHIN_S).strip())
    own = _run([found, "-print-file-name=include"], FIRMWARE, os.environ).strip()
    return TargetCompiler(Path(found), core, (Path(own), FIRMWARE / "checks" / "libc" / "include"))


def link(build: AppBuild, flash_mb: int = 8, sources: Path | None = None) -> Linked:
    """The build as machine code of the ESP32-S3; it is :meth:`AppBuild.of_image` of its image again.

    Args:
        sources: of the core; those of this checkout where none are given.

    Raises:
        SetupError: the compiler is not there, or refused the sources.
        VirtualBoardError: the config does not fit the core.
    """
    compiler = find_target_compiler()
    with tempfile.TemporaryDirectory(prefix="hil-target-") as scratch:
        directory = Path(scratch)
        _gather(directory, build, sources or find_sources())
        files = sorted(path.name for path in directory.glob("*.[cS]") if path.name != LIBRARY)
        compiler.run("-Wall", "-Wextra", "-c", *files, directory=directory)
        compiler.run("-Wall", "-Wextra", *_BY_FUNCTION, "-c", LIBRARY, directory=directory)
        objects = sorted(path.name for path in directory.glob("*.o"))
        compiler.run(*_LINK, "-T", "esp32s3.ld", "-o", "app.elf", *objects, directory=directory)
        esptool = [sys.executable, "-m", "esptool", "--chip", "esp32s3", "elf2image"]
        _run([*esptool, *_IMAGE, "--flash-size", f"{flash_mb}MB", "-o", "app.bin", "app.elf"], directory, os.environ)
        return Linked((directory / "app.elf").read_bytes(), Image.parse((directory / "app.bin").read_bytes()))


def _gather(directory: Path, build: AppBuild, sources: Path) -> None:
    """All in one folder, by bare names: an ELF file remembers those of its sources."""
    for path in (*sources.glob("*.[ch]"), *(FIRMWARE / "bare").glob("*"), FIRMWARE / "checks" / "libc" / LIBRARY):
        shutil.copyfile(path, directory / path.name)
    description = AppDescription(build.config.project, build.config.version, _NO_ELF, idf_version="none")
    (directory / "description.bin").write_bytes(description.pack())
    (directory / "note.bin").write_bytes(build.linked_note)
    (directory / "idle_code.bin").write_bytes(idle_code(build.code_bytes, build.code_seed))
    (directory / "config.bin").write_bytes(bytes(to_c(replace(build.config, elf_sha256=""))))
    (directory / "parts.S").write_text(_PARTS)


def _run(command: list[object], directory: Path, environment: Mapping[str, str], within_s: float = WITHIN_S) -> str:
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, check=True, capture_output=True, text=True, cwd=directory, env=dict(environment), timeout=within_s
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr + error.stdout).strip()[-2000:]
        raise SetupError(f"target core: {Path(words[0]).name} failed ({error.returncode}): {said}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"target core: {Path(words[0]).name} failed: {error}") from error
    return done.stdout
