"""The esptool command line against the virtual board: nothing of hil is needed to flash it, and it runs what it got."""

import json
import sys
from typing import Any

import pytest

from tests.proofs.ahead import Machines

pytestmark = [pytest.mark.vm, pytest.mark.slow, pytest.mark.timeout(900)]


OWN_LOADER, BOOT_LOOP, PULLED, RENAMED = (
    "over_serial_jtag",
    "from_a_boot_loop",
    "with_a_pulled_cable",
    "with_a_new_name",
)


def in_machine(items: list[pytest.Function]) -> list[str]:
    """Every line that this run is about."""
    return ["esptool_in_machine", sys.executable, *{item.callspec.params["line"] for item in items}]


@pytest.fixture(scope="module")
def proof(machines: Machines) -> dict[str, Any]:
    """What one boot of the machine has found out about each."""
    found: dict[str, Any] = json.loads((machines.folder(__name__) / "esptool.json").read_text())
    return found


@pytest.mark.parametrize(
    ("line", "version", "words"),
    [
        (OWN_LOADER, "1.0.1", "USB mode:           USB-Serial/JTAG"),
        ("over_usb_otg", "1.0.2", "USB mode:           USB-OTG"),
        ("over_the_bridge", "1.0.3", "Changing baud rate to 921600"),
        pytest.param(BOOT_LOOP, "1.0.4", "USB mode:           USB-Serial/JTAG", marks=pytest.mark.soak),
        pytest.param(PULLED, "1.0.5", "USB mode:           USB-Serial/JTAG", marks=pytest.mark.soak),
        pytest.param(RENAMED, "1.0.6", "USB mode:           USB-Serial/JTAG", marks=pytest.mark.soak),
    ],
)
def test_a_board_runs_what_esptool_wrote(proof: dict[str, Any], line: str, version: str, words: str) -> None:
    """Three files written and verified, and after esptool's own reset the application of that version is on the bus."""
    found = proof[line]
    assert found["status"] == 0, found["said"]
    assert found["said"].count("Hash of data verified.") == 3
    assert words in found["said"]
    assert found["runs"] == ["application", f"hil-reference {version}"]


@pytest.mark.parametrize("line", [OWN_LOADER])
def test_the_firmware_enters_the_loader_itself(proof: dict[str, Any], line: str) -> None:
    """No line of a host had a part in it."""
    assert proof[line]["mode"] == ["loader", ""]


@pytest.mark.soak
@pytest.mark.parametrize("line", [BOOT_LOOP])
def test_an_erased_board_loops_and_can_be_got_back(proof: dict[str, Any], line: str) -> None:
    """With the ROM's words, and USB-Serial/JTAG on the bus."""
    assert proof[line]["erased"]["status"] == 0
    assert proof[line]["looping"] == ["boot-loop", "invalid header: 0xffffffff"]


@pytest.mark.soak
@pytest.mark.parametrize("line", [PULLED])
def test_a_pulled_cable_leaves_a_board_that_does_not_boot(proof: dict[str, Any], line: str) -> None:
    """esptool says that it failed; the ROM names the half-written boot loader."""
    found = proof[line]
    assert found["cut"]["status"] != 0
    mode, why = found["looping"]
    assert mode == "boot-loop"
    assert why.startswith("Checksum failure.")


@pytest.mark.soak
@pytest.mark.parametrize("line", [RENAMED])
def test_a_port_that_was_renamed_is_lost_to_esptool_and_still_the_loader(proof: dict[str, Any], line: str) -> None:
    """The chip kept its power, and waits where it was."""
    assert proof[line]["cut"]["status"] != 0
    before, after = proof[line]["names"]
    assert before != after
    assert proof[line]["mode"] == ["loader", ""]
