"""The core: without warnings by two compilers, its C tests under the sanitizers and on the target's instructions."""

import re
import shutil
from pathlib import Path

import pytest

from tests.firmware.toolchain import (
    CHECKS,
    CORE,
    CPU,
    PROGRAMS,
    SANITIZERS,
    SOURCES,
    WARNINGS,
    need,
    run,
    target,
    target_compiler,
)

FLAGS = ("-std=c11", "-g", "-O1", *WARNINGS, *SANITIZERS)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The core, compiled once under the sanitizers, as a static library."""
    need("gcc")
    directory = tmp_path_factory.mktemp("core")
    run("gcc", *FLAGS, "-c", *SOURCES, directory=directory)
    run("ar", "rcs", "libcore.a", *sorted(directory.glob("*.o")), directory=directory)
    return directory / "libcore.a"


@pytest.fixture(scope="module")
def target_objects(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The core and the C library of the checks, compiled once for the target."""
    target_compiler()
    need("qemu-xtensa-static")
    directory = tmp_path_factory.mktemp("target")
    target(*WARNINGS, "-c", *SOURCES, directory=directory)
    target("-Wall", "-Wextra", "-Werror", "-c", CHECKS / "libc" / "libc.c", directory=directory)
    return sorted(directory.glob("*.o"))


def claims_of(source: Path) -> int:
    return source.read_text().count("RUN(")


@pytest.mark.parametrize("program", PROGRAMS)
def test_c_program_passes_under_the_sanitizers(program: str, archive: Path, tmp_path: Path) -> None:
    """Each C test program ends with status 0, with neither a warning nor a sanitizer's finding."""
    source = CORE / "tests" / f"{program}.c"
    run("gcc", *FLAGS, "-I", CORE / "src", "-o", program, source, archive, directory=tmp_path)
    told = run(tmp_path / program, directory=tmp_path)
    assert told.count("ok ") == claims_of(source)


@pytest.mark.parametrize("program", PROGRAMS)
def test_c_program_passes_on_the_targets_instructions(program: str, target_objects: list[Path], tmp_path: Path) -> None:
    """The same programs pass when compiled for the Xtensa windowed ABI: its char is unsigned, its int32_t a long."""
    source = CORE / "tests" / f"{program}.c"
    target("-Wall", "-nostdlib", "-I", CORE / "src", "-o", program, source, *target_objects, directory=tmp_path)
    told = run("qemu-xtensa-static", "-cpu", CPU, tmp_path / program, directory=tmp_path, within_s=120)
    assert told.count("ok ") == claims_of(source)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_compiler_has_nothing_to_say(compiler: str, tmp_path: Path) -> None:
    """The core compiles as C11 at full optimisation, where compilers see most, without a warning."""
    need(compiler)
    run(compiler, "-std=c11", "-O2", *WARNINGS, "-c", *SOURCES, directory=tmp_path)


def test_sources_carry_the_licence_and_no_esp_idf() -> None:
    """Every source file is marked Apache-2.0 and includes nothing but the C library and its own headers."""
    allowed = {
        f"<{name}.h>" for name in ("inttypes", "stdarg", "stdbool", "stddef", "stdint", "stdio", "stdlib", "string")
    }
    for path in sorted(CORE.rglob("*.[ch]")):
        lines = path.read_text().splitlines()
        assert lines[0] == "// SPDX-License-Identifier: Apache-2.0", path
        included = {line.split()[1] for line in lines if line.startswith("#include <")}
        assert included <= allowed, path


def test_core_uses_neither_floats_nor_64_bit_types_nor_the_heap() -> None:
    """Nothing in the core's sources names floating point, a 64-bit type or an allocation."""
    text = "\n".join(path.read_text() for path in sorted((CORE / "src").glob("*.[ch]")))
    found = re.findall(r"\b(float|double|u?int64_t|long long|(?:m|c|re)alloc|free)\b(?! heap)", text)
    assert found == []


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_core_has_no_writable_globals(tmp_path: Path) -> None:
    """No object of the core has a symbol in a writable section: two boards in one process share nothing."""
    run("gcc", "-std=c11", "-O1", "-fno-pie", "-c", *SOURCES, directory=tmp_path)
    symbols = run("nm", *sorted(tmp_path.glob("*.o")), directory=tmp_path)
    writable = [line for line in symbols.splitlines() if line.split()[-2:-1] in (["b"], ["B"], ["d"], ["D"], ["C"])]
    assert writable == []
