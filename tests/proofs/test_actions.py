"""Each action on the kernel's own nodes of the virtual board, judged by what the board itself counted of its host."""

import json
import shutil
from dataclasses import dataclass
from typing import Any

import pytest

from tests.proofs.ahead import Machines

DETACH_S = 10.0

pytestmark = [pytest.mark.vm, pytest.mark.slow, pytest.mark.timeout(900)]


def in_machine(_items: list[pytest.Function]) -> list[str]:
    """All actions, whatever this run is about."""
    return ["actions_in_machine"]


@pytest.fixture(scope="module")
def proof(machines: Machines) -> dict[str, Any]:
    """What one boot of the machine has found out about them."""
    found: dict[str, Any] = json.loads((machines.folder(__name__) / "actions.json").read_text())
    return found


def test_the_virtual_bench_offers_everything(proof: dict[str, Any]) -> None:
    """No scenario is skipped there for what it needs."""
    assert proof["board"]["offers"] == ["bus_reset", "disconnect", "reconfigure", "reset", "suspend", "vbus_off"]


@dataclass(frozen=True)
class Expected:
    """What one action must have come to."""

    action: str
    sees: str
    seen: dict[str, int]
    boots: int = 0
    detached: bool = False
    """The kernel has lost the device and found it again."""


ANEW = {"bus_resets": 1, "mounts": 1}
EXPECTED = (
    Expected("replug", "vbus_off", ANEW, boots=1, detached=True),
    Expected("authorize_cycle", "reconfigure", {"unmounts": 1, "mounts": 1}),
    Expected("rebind", "reconfigure", {"unmounts": 1, "mounts": 1}),
    Expected("rebind_ncm", "traffic", {}),
    Expected("usb_reset", "bus_reset", ANEW),
    Expected("port_disable", "disconnect", {**ANEW, "suspends": 1}, detached=True),
    Expected("reset_dtr_rts", "reset", {**ANEW, "holds": 1}, boots=1, detached=True),
    Expected("reset_http", "reset", ANEW, boots=1, detached=True),
    Expected("doze", "suspend", {"suspends": 1, "resumes": 1}),
)


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.action)
def test_a_board_sees_of_an_action_what_was_declared(proof: dict[str, Any], expected: Expected) -> None:
    """By its own count: boots, bus resets, configurations entered and left, sleep; and whether the kernel lost it."""
    found = proof["board"][expected.action]
    assert found["sees"] == expected.sees
    assert found["boots"] == expected.boots
    assert {name: count for name, count in found["seen"].items() if count} == expected.seen
    detached = ("UsbDetached" in found["events"], "UsbAttached" in found["events"])
    assert detached == (expected.detached, expected.detached)


@pytest.mark.parametrize("moment", ["pulls", "recoveries"])
def test_a_pull_is_over_whenever_it_comes(proof: dict[str, Any], moment: str) -> None:
    """Also while the board boots and is enumerated, or comes back from its own recovery: no uevent need tell of it."""
    assert max(proof["board"][moment]) < DETACH_S


@pytest.mark.skipif(shutil.which("uhubctl", path="/usr/sbin") is None, reason="needs the package uhubctl")
def test_uhubctl_itself_takes_the_power_of_a_port_and_gives_it_back(proof: dict[str, Any]) -> None:
    """The real program on a real hub of the kernel: off, on, and on again because the client that switched off died."""
    found = dict(proof["uhubctl"])
    assert found.pop("off_took_s") < 10
    assert found == dict.fromkeys(("attached", "gone", "back", "gone_again", "given_back"), True)
