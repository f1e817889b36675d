"""``hil init``, ``boards``, ``flash`` and ``recover`` on a bench that bench.toml describes, as a user calls them."""

import json
from typing import Any

import pytest

from tests.proofs.ahead import Machines

pytestmark = [pytest.mark.vm, pytest.mark.slow, pytest.mark.soak, pytest.mark.timeout(900)]


def in_machine(_items: list[pytest.Function]) -> list[str]:
    """All of them, whatever this run is about: each begins where the one before has ended."""
    return ["commands_in_machine"]


@pytest.fixture(scope="module")
def proof(machines: Machines) -> dict[str, Any]:
    """What one boot of the machine has found out about them."""
    found: dict[str, Any] = json.loads((machines.folder(__name__) / "commands.json").read_text())
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


def test_a_build_that_is_not_there_is_one_line(proof: dict[str, Any]) -> None:
    """And the board runs what it ran."""
    assert proof["no_build"]["status"] == 2
    assert proof["no_build"]["said"].count("\n") == 1
    assert proof["no_build"]["runs"] == ["application", "hil-reference 1.1.0"]
