"""firmware/FAULTS.md is what the catalogue, the faults and the core say, and leaves no pitfall without an answer."""

import ast
import re
from pathlib import Path

import pytest

from hil.catalogue import FAULTS, Entry
from hil.catalogue.pitfalls import EVIDENCE, FIRMWARES, Pitfall
from tests.faults_page import PAGE, core_mistakes, mistakes, page, port_mistakes, shown

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


def test_every_mistake_of_the_port_is_a_fault_of_the_catalogue() -> None:
    """Each once, and none that the port does not know."""
    assert sorted(filter(None, (entry.port_mistake for entry in FAULTS))) == sorted(port_mistakes())


def test_core_and_port_share_no_name() -> None:
    """HIL_MISTAKES names both."""
    assert set(core_mistakes()) & set(port_mistakes()) == set()


@pytest.mark.parametrize("entry", FAULTS, ids=[entry.fault for entry in FAULTS])
def test_a_fault_has_a_compile_time_switch_or_the_reason_why_there_is_none(entry: Entry) -> None:
    """One of: mistakes of the core, a mistake of the port, settings of Kconfig, or who makes it instead."""
    ways = (mistakes(entry.fault), entry.port_mistake, entry.kconfig, entry.beyond_build)
    assert len([way for way in ways if way]) == 1, ways


@pytest.mark.parametrize("entry", [entry for entry in FAULTS if entry.kconfig], ids=lambda entry: entry.fault)
def test_settings_of_the_firmwares_own_exist(entry: Entry) -> None:
    """Each has the form of sdkconfig, and one of the firmware's is in its Kconfig."""
    kconfig = (REPOSITORY / "firmware" / "main" / "Kconfig.projbuild").read_text()
    for setting in entry.kconfig:
        found = re.fullmatch(r'CONFIG_(\w+)=(y|n|\d+|"[^"]*")', setting)
        assert found, setting
        assert not found[1].startswith("HIL_") or f"config {found[1]}\n" in kconfig, setting


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
