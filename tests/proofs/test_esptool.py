"""The esptool command line against the virtual board: nothing of hil is needed to flash it, and it runs what it got."""

import json
from typing import Any

import pytest

from tests.proofs.boot import boot

pytestmark = [pytest.mark.vm, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one boot of the machine has found out about every line."""
    folder = tmp_path_factory.mktemp("esptool")
    boot("esptool_in_machine", folder)
    found: dict[str, Any] = json.loads((folder / "esptool.json").read_text())
    return found


@pytest.mark.parametrize(
    ("line", "version", "words"),
    [
        ("over_serial_jtag", "1.0.1", "USB mode:           USB-Serial/JTAG"),
        ("over_usb_otg", "1.0.2", "USB mode:           USB-OTG"),
        ("over_the_bridge", "1.0.3", "Changing baud rate to 921600"),
        ("from_a_boot_loop", "1.0.4", "USB mode:           USB-Serial/JTAG"),
        ("with_a_pulled_cable", "1.0.5", "USB mode:           USB-Serial/JTAG"),
        ("with_a_new_name", "1.0.6", "USB mode:           USB-Serial/JTAG"),
    ],
)
def test_a_board_runs_what_esptool_wrote(proof: dict[str, Any], line: str, version: str, words: str) -> None:
    """Three files written and verified, and after esptool's own reset the application of that version is on the bus."""
    found = proof[line]
    assert found["status"] == 0, found["said"]
    assert found["said"].count("Hash of data verified.") == 3
    assert words in found["said"]
    assert found["runs"] == ["application", f"hil-reference {version}"]


def test_the_firmware_enters_the_loader_itself(proof: dict[str, Any]) -> None:
    """No line of a host had a part in it."""
    assert proof["over_serial_jtag"]["mode"] == ["loader", ""]


def test_an_erased_board_loops_and_can_be_got_back(proof: dict[str, Any]) -> None:
    """With the ROM's words, and USB-Serial/JTAG on the bus."""
    assert proof["from_a_boot_loop"]["erased"]["status"] == 0
    assert proof["from_a_boot_loop"]["looping"] == ["boot-loop", "invalid header: 0xffffffff"]


def test_a_pulled_cable_leaves_a_board_that_does_not_boot(proof: dict[str, Any]) -> None:
    """esptool says that it failed; the ROM names the half-written boot loader."""
    found = proof["with_a_pulled_cable"]
    assert found["cut"]["status"] != 0
    mode, why = found["looping"]
    assert mode == "boot-loop"
    assert why.startswith("Checksum failure.")


def test_a_port_that_was_renamed_is_lost_to_esptool_and_still_the_loader(proof: dict[str, Any]) -> None:
    """The chip kept its power, and waits where it was."""
    assert proof["with_a_new_name"]["cut"]["status"] != 0
    before, after = proof["with_a_new_name"]["names"]
    assert before != after
    assert proof["with_a_new_name"]["mode"] == ["loader", ""]
