"""firmware/FAULTS.md is what the catalogue, the faults and the core say, and leaves no pitfall without an answer."""

import ast
from pathlib import Path

import pytest

from hil.catalogue import FAULTS
from hil.catalogue.pitfalls import EVIDENCE, FIRMWARES, Pitfall
from tests.faults_page import PAGE, core_mistakes, mistakes, page, shown

REPOSITORY = Path(__file__).parents[1]
PITFALLS = [
    pytest.param(pitfall, id=f"{firmware.title}-{number}")
    for firmware in FIRMWARES
    for number, pitfall in enumerate(firmware.pitfalls, 1)
]


def test_the_page_is_as_it_is_made() -> None:
    """Written by: python -m tests.faults_page."""
    assert PAGE.read_text() == page(), "python -m tests.faults_page writes it"


def test_there_are_thirty_faults_with_thirty_findings() -> None:
    """No finding twice."""
    assert len(FAULTS) == len({entry.finding for entry in FAULTS}) >= 30


def test_every_mistake_of_the_core_is_a_fault_of_the_catalogue() -> None:
    """What a firmware can be built with, a bench must find."""
    made = {name for entry in FAULTS for name in mistakes(entry.fault)}
    assert [name for name in core_mistakes() if name not in made] == []


def test_all_sixteen_ways_in_which_the_bridges_evidence_misleads_are_there() -> None:
    """As many as its source was found to have."""
    assert len(EVIDENCE.pitfalls) == 16


@pytest.mark.parametrize("pitfall", PITFALLS)
def test_a_pitfall_has_a_fault_or_a_rule_with_its_test_or_the_mark_of_the_device(pitfall: Pitfall) -> None:
    """And says where it was found."""
    assert pitfall.source
    assert pitfall.faults or pitfall.tests or pitfall.device_only
    assert bool(pitfall.tests) == bool(pitfall.rule)
    assert shown(pitfall)


@pytest.mark.parametrize("pitfall", PITFALLS)
def test_what_shows_a_pitfall_exists(pitfall: Pitfall) -> None:
    """Each fault has its row, each test its function."""
    assert set(pitfall.faults) <= {entry.fault for entry in FAULTS}
    for test in pitfall.tests:
        file, _, name = test.partition("::")
        tree = ast.parse((REPOSITORY / file).read_text())
        functions = {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert not name or name in functions, test
