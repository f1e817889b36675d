"""The table of faults agrees with the faults, the findings, the scenarios and the documentation."""

from pathlib import Path

import pytest

from hil.catalogue import FAULTS, Entry
from hil.cli.faults import markdown
from hil.diagnosis import SIGNATURES
from hil.virtual.builtin import BUILTIN

REPOSITORY = Path(__file__).parents[1]
EACH = pytest.mark.parametrize("entry", FAULTS, ids=[entry.fault for entry in FAULTS])


def test_every_built_in_fault_is_in_the_table_and_the_other_way_round() -> None:
    """A fault that nothing must find is no fault of the table; a row without a fault cannot be run."""
    assert sorted(entry.fault for entry in FAULTS) == sorted(BUILTIN)


@EACH
def test_a_fault_has_a_finding_that_exists(entry: Entry) -> None:
    """The finding is the name of a signature."""
    assert entry.finding in {signature.name for signature in SIGNATURES}


@EACH
def test_a_fault_is_proven_at_two_timings_by_scenarios_that_exist(entry: Entry) -> None:
    """Two proofs that differ in when the fault begins; every scenario is a test of tests/hil."""
    assert len({(proof.begins, proof.scenarios) for proof in entry.proofs}) >= 2
    for scenario in (each for proof in entry.proofs for each in proof.scenarios):
        file, _, test = scenario.partition("::")
        text = (REPOSITORY / "tests" / "hil" / file).read_text()
        assert not test or f"def {test.partition('[')[0]}(" in text


def test_no_two_faults_share_a_finding() -> None:
    """Each fault has a finding of its own."""
    findings = [entry.finding for entry in FAULTS]
    assert sorted(set(findings)) == sorted(findings)


@EACH
def test_a_failure_of_each_kind_is_shown(entry: Entry) -> None:
    """docs/failures.md has what a user will read, under the name of the finding."""
    text = (REPOSITORY / "docs" / "failures.md").read_text()
    assert f"\n## {entry.finding}\n\nFault `{entry.fault}`: {entry.wrong}." in text
    assert f"\nfinding   {entry.finding}: " in text


def test_the_documentation_has_the_table_as_it_is() -> None:
    """docs/faults.md holds what `hil faults --markdown` prints."""
    assert markdown(FAULTS) in (REPOSITORY / "docs" / "faults.md").read_text()
