"""The port to ESP-IDF, compiled by the target's compiler against declarations of what it uses of ESP-IDF."""

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.firmware.toolchain import CHECKS, CORE, FIRMWARE, WARNINGS, core_configuration, run, sdkconfig, target

COMPONENTS = sorted(path for path in (FIRMWARE / "components").iterdir() if path.name != "fw_core")
PORT = sorted(path for folder in (*COMPONENTS, FIRMWARE / "main") for path in folder.glob("*.c"))
ROLES = ("HIL_ROLE_DHCP_SERVER", "HIL_ROLE_DHCP_CLIENT", "HIL_ROLE_STATIC")

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("role", ROLES)
def test_port_compiles_for_the_target(role: str, tmp_path: Path) -> None:
    """Every file of the port fits the types of core and ESP-IDF, and translates every command of the core."""
    core_configuration()
    (tmp_path / "sdkconfig.h").write_text(sdkconfig(role))
    places = [
        word
        for path in (tmp_path, CHECKS / "stubs", CORE / "src", FIRMWARE / "main", *COMPONENTS)
        for word in ("-I", path)
    ]
    target(*WARNINGS, "-Wno-pedantic", "-Wswitch", *places, "-c", *PORT, directory=tmp_path)
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
        f"-DSDKCONFIG={tmp_path}/sdkconfig",
        "build",
        directory=tmp_path,
        within_s=1200,
    )
    assert (tmp_path / "flasher_args.json").is_file()


def test_component_versions_are_pinned_alike() -> None:
    """Main and the component that uses them name the same versions of esp_tinyusb and TinyUSB."""
    manifests = [FIRMWARE / "main" / "idf_component.yml", FIRMWARE / "components" / "usb_link" / "idf_component.yml"]
    pins = [set(re.findall(r"^  (espressif/\w+): (.+)$", path.read_text(), re.MULTILINE)) for path in manifests]
    assert pins[0] == pins[1]
    assert {name for name, _ in pins[0]} == {"espressif/esp_tinyusb", "espressif/tinyusb"}
