"""The C tests of firmware/core, compiled with every warning an error and run under the sanitizers."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "firmware" / "core"
PROGRAMS = sorted(path.stem for path in (CORE / "tests").glob("test_*.c"))
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wpedantic", "-Wshadow", "-Wcast-align")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
FLAGS = ("-std=c11", "-g", "-O1", *WARNINGS, *SANITIZERS)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc"),
]


def run(*command: object, directory: Path) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd=directory, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The core, compiled once, as a static library."""
    directory = tmp_path_factory.mktemp("core")
    run("gcc", *FLAGS, "-c", *sorted((CORE / "src").glob("*.c")), directory=directory)
    run("ar", "rcs", "libcore.a", *sorted(directory.glob("*.o")), directory=directory)
    return directory / "libcore.a"


@pytest.mark.parametrize("program", PROGRAMS)
def test_c_program_passes_under_the_sanitizers(program: str, archive: Path, tmp_path: Path) -> None:
    """Each C test program ends with status 0, with neither a warning nor a sanitizer's finding."""
    source = CORE / "tests" / f"{program}.c"
    run("gcc", *FLAGS, "-I", CORE / "src", "-o", program, source, archive, directory=tmp_path)
    told = run(tmp_path / program, directory=tmp_path)
    assert told.count("ok ") == source.read_text().count("RUN(")


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


def test_core_has_no_writable_globals(archive: Path) -> None:
    """No object of the core has a symbol in a writable section: two boards in one process share nothing."""
    plain = archive.parent / "plain"
    plain.mkdir()
    run("gcc", "-std=c11", "-O1", "-fno-pie", "-c", *sorted((CORE / "src").glob("*.c")), directory=plain)
    symbols = run("nm", *sorted(plain.glob("*.o")), directory=plain)
    writable = [line for line in symbols.splitlines() if line.split()[-2:-1] in (["b"], ["B"], ["d"], ["D"], ["C"])]
    assert writable == []
