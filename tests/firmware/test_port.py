"""The port to ESP-IDF, compiled by the target's compiler against declarations of what it uses of ESP-IDF."""

from pathlib import Path

import pytest

from tests.firmware.toolchain import CHECKS, CORE, FIRMWARE, WARNINGS, core_configuration, sdkconfig, target

COMPONENTS = sorted(path for path in (FIRMWARE / "components").iterdir() if path.name != "fw_core")
PORT = sorted(path for folder in (*COMPONENTS, FIRMWARE / "main") for path in folder.glob("*.c"))
ROLES = ("HIL_ROLE_DHCP_SERVER",)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("role", ROLES)
def test_port_compiles_for_the_target(role: str, tmp_path: Path) -> None:
    """Every file of the port is right in its types against core and ESP-IDF; so is a command left out."""
    core_configuration()
    (tmp_path / "sdkconfig.h").write_text(sdkconfig(role))
    places = [
        word
        for path in (tmp_path, CHECKS / "stubs", CORE / "src", FIRMWARE / "main", *COMPONENTS)
        for word in ("-I", path)
    ]
    target(*WARNINGS, "-Wno-pedantic", "-Wswitch", *places, "-c", *PORT, directory=tmp_path)
    assert len(list(tmp_path.glob("*.o"))) == len(PORT)
