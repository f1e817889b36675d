"""What the firmware's checks run: compilers by name, the target's among them, and the port's config without ESP-IDF."""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.virtual.target_core import TargetCompiler, find_target_compiler

FIRMWARE = Path(__file__).parents[2] / "firmware"
CORE = FIRMWARE / "core"
CHECKS = FIRMWARE / "checks"
SOURCES = sorted((CORE / "src").glob("*.c"))
PROGRAMS = sorted(path.stem for path in (CORE / "tests").glob("test_*.c"))
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wpedantic", "-Wshadow", "-Wcast-align")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
CPU = "de233_fpu"
"""QEMU's core of the family of the ESP32-S3's: LX7, little-endian, windowed registers."""


def run(*command: object, directory: Path, within_s: float = 60, environment: Mapping[str, str] | None = None) -> str:
    """Standard output of a command that has to succeed; what it said is the assertion's text otherwise."""
    words = [str(word) for word in command]
    env = {**os.environ, **(environment or {})}
    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd=directory, timeout=within_s, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def need(*tools: str) -> None:
    """Skip the test by the name of the first tool that is not on the path."""
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}; `tools/setup firmware` installs it")


@functools.cache
def target_compiler() -> TargetCompiler:
    """Debian's Xtensa compiler with the windowed core's tables; a skip by name where one of them is missing."""
    try:
        return find_target_compiler()
    except SetupError as error:
        pytest.skip(str(error))


def target(*arguments: object, directory: Path) -> str:
    """Run the target's compiler, with the declarations of the C library that the checks bring."""
    return target_compiler().run(*arguments, directory=directory)


def sdkconfig(*chosen: str) -> str:
    """sdkconfig.h as the defaults give it, with these `HIL_…` options set; the first role where none of them is one."""
    values = dict(_defaults())
    role = next((option for option in chosen if option.startswith("HIL_ROLE_")), "HIL_ROLE_DHCP_SERVER")
    for option in _kconfig():
        name, depends, default = option
        if _holds(depends, role) and default is not None:
            values[name] = default
    values.update(dict.fromkeys((*chosen, role), "1"))
    return "".join(f"#define CONFIG_{name} {value}\n" for name, value in sorted(values.items()))


def _holds(depends: str | None, role: str) -> bool:
    if depends is None:
        return True
    return depends[1:] != role if depends.startswith("!") else depends == role


def _defaults() -> Iterator[tuple[str, str]]:
    for path in sorted(FIRMWARE.glob("sdkconfig.defaults*")):
        for name, value in re.findall(r"^CONFIG_(\w+)=(.+)$", path.read_text(), re.MULTILINE):
            yield name, "1" if value == "y" else value


def _kconfig() -> Iterator[tuple[str, str | None, str | None]]:
    """Name, what it depends on, and default of each option; None for what is off."""
    text = (FIRMWARE / "main" / "Kconfig.projbuild").read_text()
    for name, body in re.findall(
        r"config (HIL_\w+)\n(.*?)(?=\n\s*(?:config|choice|endchoice|endmenu)\b)", text, re.DOTALL
    ):
        depends = re.search(r"depends on (\S+)", body)
        default = re.search(r"default (.+)", body)
        value = {"y": "1", "n": None}.get(default[1], default[1]) if default else None
        yield name, depends[1] if depends else None, value
