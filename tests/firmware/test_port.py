"""The port to ESP-IDF, compiled by the target's compiler against declarations of what it uses of ESP-IDF."""

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.firmware.toolchain import (
    CHECKS,
    CORE,
    FIRMWARE,
    SANITIZERS,
    SOURCES,
    WARNINGS,
    need,
    run,
    sdkconfig,
    target,
    target_compiler,
)

COMPONENTS = sorted(path for path in (FIRMWARE / "components").iterdir() if path.name != "fw_core")
PORT = sorted(path for folder in (*COMPONENTS, FIRMWARE / "main") for path in folder.glob("*.c"))
MISTAKES = FIRMWARE / "components" / "port_mistakes" / "port_mistakes.c"
ROLES = ("HIL_ROLE_DHCP_SERVER", "HIL_ROLE_DHCP_CLIENT", "HIL_ROLE_STATIC")

pytestmark = pytest.mark.slow


def includes(config: Path) -> list[object]:
    """Where headers are looked for: sdkconfig.h in `config`, the declarations of ESP-IDF, the core, the port."""
    folders = (config, CHECKS / "stubs", CORE / "src", FIRMWARE / "main", *COMPONENTS)
    return [word for folder in folders for word in ("-I", folder)]


@pytest.mark.parametrize("role", ROLES)
def test_port_compiles_for_the_target(role: str, tmp_path: Path) -> None:
    """Every file of the port fits the types of core and ESP-IDF, and translates every command of the core."""
    target_compiler()
    (tmp_path / "sdkconfig.h").write_text(sdkconfig(role))
    target(*WARNINGS, "-Wno-pedantic", "-Wswitch", *includes(tmp_path), "-c", *PORT, directory=tmp_path)
    assert len(list(tmp_path.glob("*.o"))) == len(PORT)


@pytest.mark.timeout(1300)
def test_esp_idf_builds_the_port(tmp_path: Path) -> None:
    """Where ESP-IDF is, it builds the whole firmware; elsewhere that is left to the workflow, and said."""
    if "IDF_PATH" not in os.environ or shutil.which("idf.py") is None:
        pytest.skip("skipped: no ESP-IDF")
    run(
        "idf.py",
        "-C",
        FIRMWARE,
        "-B",
        tmp_path,
        "-DIDF_TARGET=esp32s3",
        f"-DSDKCONFIG={tmp_path}/sdkconfig",
        "build",
        directory=tmp_path,
        within_s=1200,
    )
    assert (tmp_path / "flasher_args.json").is_file()


@pytest.mark.parametrize("program", sorted(path.stem for path in (CHECKS / "port").glob("test_*.c")))
def test_part_of_the_port_does_what_it_promises(program: str, tmp_path: Path) -> None:
    """Parts of the port, run on the host under the sanitizers with the calls that they make played by the test."""
    need("gcc")
    (tmp_path / "sdkconfig.h").write_text(sdkconfig())
    source = CHECKS / "port" / f"{program}.c"
    core = SOURCES if re.search(r"\bfw_(init|default_config)\(", source.read_text()) else []
    flags = ("-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", *SANITIZERS)
    run("gcc", *flags, *includes(tmp_path), "-o", program, source, MISTAKES, *core, directory=tmp_path)
    assert run(tmp_path / program, directory=tmp_path).count("ok ") == source.read_text().count("RUN(")


def test_component_versions_are_pinned_alike() -> None:
    """Main and the component that uses them pin the same one version of esp_tinyusb and TinyUSB, with its revision."""
    manifests = [FIRMWARE / "main" / "idf_component.yml", FIRMWARE / "components" / "usb_link" / "idf_component.yml"]
    pins = [set(re.findall(r"^  (espressif/\w+): (.+)$", path.read_text(), re.MULTILINE)) for path in manifests]
    assert pins[0] == pins[1]
    assert {name for name, _ in pins[0]} == {"espressif/esp_tinyusb", "espressif/tinyusb"}
    assert all(re.fullmatch(r'"==\d+\.\d+\.\d+(~\d+)?"', version) for _, version in pins[0])


def test_each_declaration_names_its_source() -> None:
    """The table has every header of checks/stubs, once, and none that is not there."""
    stubs = CHECKS / "stubs"
    rows = re.findall(
        r"^\| `([\w./]+\.h)` \| [^|]+ \| [^|]+ \| [^|]+ \|$", (stubs / "README.md").read_text(), re.MULTILINE
    )
    assert sorted(rows) == sorted(str(path.relative_to(stubs)) for path in stubs.rglob("*.h"))
