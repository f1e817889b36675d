"""The core alone, as it starts on an ESP32-S3 without ESP-IDF, run on the target's instructions."""

from pathlib import Path

import pytest

from hil.virtual.core_abi import to_c
from hil.virtual.firmware import ConsoleWrite, Firmware, FirmwareConfig, StartDhcpServer, StartNetif
from tests.firmware.toolchain import CHECKS, CORE, CPU, FIRMWARE, SOURCES, WARNINGS, need, run, target, target_compiler

LASTS_MS = 10_000
"""As in firmware/checks/bare_linux.c."""
PARTS = """
.section .rodata
.balign 4
.global bare_config
bare_config:
.incbin "config.bin"
"""

pytestmark = pytest.mark.slow


def on_host(config: FirmwareConfig) -> str:
    """What the host's build of the core logs, told of a network as firmware/bare/run.c tells it."""
    firmware, text, now = Firmware(config=config), b"", 0
    commands = firmware.boot("POWERON", now)
    while now < LASTS_MS:
        commands += firmware.wake(now)
        while commands:
            command = commands.pop(0)
            if isinstance(command, ConsoleWrite):
                text += command.data
            started = StartDhcpServer if config.role == "dhcp-server" else StartNetif
            if isinstance(command, started):
                commands += firmware.netif_started(now)
        now = deadline if (deadline := firmware.deadline_ms) is not None else now + 1000
    return text.decode()


@pytest.mark.parametrize("role", ["dhcp-server", "dhcp-client", "static"])
def test_core_logs_on_the_target_what_it_logs_on_the_host(role: str, tmp_path: Path) -> None:
    """The same lines at the same instants, with a config that the host has laid out: the types are the same."""
    target_compiler()
    need("qemu-xtensa-static")
    config = FirmwareConfig(role=role, seed=7)
    (tmp_path / "config.bin").write_bytes(bytes(to_c(config)))
    (tmp_path / "parts.S").write_text(PARTS)
    own = (FIRMWARE / "bare" / "run.c", CHECKS / "bare_linux.c")
    places = ("-I", CORE / "src", "-I", FIRMWARE / "bare")
    target(*WARNINGS, *places, "-c", *own, *SOURCES, directory=tmp_path)
    target("-c", CHECKS / "libc" / "libc.c", "parts.S", directory=tmp_path)
    target("-nostdlib", "-o", "bare", *sorted(tmp_path.glob("*.o")), directory=tmp_path)
    told = run("qemu-xtensa-static", "-cpu", CPU, tmp_path / "bare", directory=tmp_path)
    assert told == on_host(config)
    assert told.count("\n") > 5


def test_start_code_compiles_without_a_warning(tmp_path: Path) -> None:
    """What touches the chip's registers fits the types it declares."""
    target_compiler()
    places = ("-I", CORE / "src", "-I", FIRMWARE / "bare")
    target(*WARNINGS, *places, "-c", FIRMWARE / "bare" / "esp32s3.c", directory=tmp_path)
