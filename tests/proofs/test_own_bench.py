"""A bench that bench.toml describes: the commands of ``hil`` and the scenarios on it, as a user calls them."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.proofs.ahead import Machines

LACKING = (
    "for boards in the role ",
    "needs ",
    "board s3-a has no way ",
    "HIL_FIRMWARE_ON_OTG names no build ",
    "a second build is made for the virtual board alone",
)
"""How a reason begins for which a scenario may be skipped."""
LEAST = 30
"""Scenarios that a board with a console on a port without a power switch can run."""

pytestmark = [pytest.mark.vm, pytest.mark.slow, pytest.mark.soak, pytest.mark.timeout(2400)]


def in_machine(_items: list[pytest.Function]) -> list[str]:
    """All of them, whatever this run is about: each begins where the one before has ended."""
    return ["own_bench_in_machine"]


@pytest.fixture(scope="module")
def folder(machines: Machines) -> Path:
    """What one boot of the machine has found out about them."""
    return machines.folder(__name__)


@pytest.fixture(scope="module")
def proof(folder: Path) -> dict[str, Any]:
    """What each command came to."""
    found: dict[str, Any] = json.loads((folder / "found.json").read_text())
    return found


def test_the_bench_is_allowed_and_shown(proof: dict[str, Any]) -> None:
    """The allow list names the board, and `hil boards` finds it."""
    assert proof["init"]["status"] == 0, proof["init"]["said"]
    assert "s3-a" in proof["init"]["said"]
    assert proof["boards"]["status"] == 0, proof["boards"]["said"]
    assert "303a:4001" in proof["boards"]["said"]


def test_a_board_is_flashed_and_says_that_it_runs_it(proof: dict[str, Any]) -> None:
    """A second time nothing is written."""
    assert proof["flash"]["status"] == 0, proof["flash"]["said"]
    assert proof["flash"]["runs"] == ["application", "hil-reference 1.1.0"]
    assert "hil-reference 1.1.0" in proof["flash"]["said"]
    assert proof["flash_again"]["status"] == 0, proof["flash_again"]["said"]
    assert "unchanged" in proof["flash_again"]["said"]


def test_a_board_in_its_loader_is_brought_back(proof: dict[str, Any]) -> None:
    """By a rung that is told."""
    assert proof["recover"]["status"] == 0, proof["recover"]["said"]
    assert "trying: " in proof["recover"]["said"]
    assert proof["recover"]["runs"] == ["application", "hil-reference 1.1.0"]


def test_the_scenarios_pass(proof: dict[str, Any], folder: Path) -> None:
    """Those that need more than this bench has are skipped by name; nothing is found."""
    assert proof["scenarios"] == 0
    suite = ElementTree.parse(folder / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    why = [str(skipped.get("message")) for skipped in suite.iter("skipped")]
    assert [text for text in why if not text.startswith(LACKING)] == []
    assert int(suite.attrib["tests"]) - len(why) >= LEAST
    assert [found for found in suite.iter("property") if found.get("name") == "hil_finding"] == []


def test_a_build_that_is_not_there_is_one_line(proof: dict[str, Any]) -> None:
    """And the board runs what it ran."""
    assert proof["no_build"]["status"] == 2
    assert proof["no_build"]["said"].count("\n") == 1
    assert proof["no_build"]["runs"] == ["application", "hil-reference 1.1.0"]
