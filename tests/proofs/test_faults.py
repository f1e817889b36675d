"""The proof that the harness sees what it claims to see: one boot of the machine, every faulty board in turn."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.proofs.ahead import Machines
from tests.proofs.cases import CASES, Case
from tests.proofs.in_machine import KILLED, RUN_S
from tests.proofs.matrix import MATRIX, Row

pytestmark = [pytest.mark.vm, pytest.mark.slow, pytest.mark.timeout(RUN_S * len(CASES))]


def in_machine(items: list[pytest.Function]) -> list[str]:
    """Every case that this run is about."""
    return [
        "in_machine",
        *(item.callspec.params["case"].name if hasattr(item, "callspec") else KILLED for item in items),
    ]


@pytest.fixture(scope="module")
def proof(machines: Machines) -> Path:
    """A folder with the outcome of each."""
    return machines.folder(__name__)


def outcome(folder: Path, case: Case) -> tuple[int, list[str], int, set[str]]:
    """Tests that passed; why each other one was skipped; tests that failed as the board's fault; and the findings."""
    told, report = folder / f"{case.name}.txt", folder / case.name / "junit.xml"
    assert report.exists(), told.read_text()
    suite = ET.parse(report).getroot().find("testsuite")
    assert suite is not None
    failed = len(suite.findall("testcase/failure"))
    assert suite.get("errors") == "0", told.read_text()
    skipped = [str(found.get("message")) for found in suite.findall("testcase/skipped")]
    properties = suite.findall("testcase/properties/property")
    findings = {str(found.get("value")) for found in properties if found.get("name") == "hil_finding"}
    return int(suite.get("tests", "0")) - failed - len(skipped), skipped, failed, findings


PARAMETERS = [pytest.param(case, id=case.name, marks=[pytest.mark.soak] if case.soak else []) for case in CASES]


@pytest.mark.parametrize("case", PARAMETERS)
def test_each_board_is_judged_by_its_own_name(proof: Path, case: Case, pytestconfig: pytest.Config) -> None:
    """A clean board passes without a finding; a faulty one fails with its finding and no other."""
    matrix = pytestconfig.stash.setdefault(MATRIX, [])
    matrix.append(Row(case, None))
    passed, skipped, failed, findings = outcome(proof, case)
    matrix[-1] = Row(case, frozenset(findings))
    told = (proof / f"{case.name}.txt").read_text()
    assert passed == case.passes_before + len(case.afterwards), told
    assert skipped == ([case.skips] * len(case.scenarios) if case.skips else []), told
    assert failed == (1 if case.finding else 0), told
    assert findings == ({case.finding} if case.finding else set()), told


def test_a_killed_run_leaves_no_board_and_no_namespace_behind(proof: Path) -> None:
    """The agent undoes what its client did when the client is killed, and the timeline stays readable."""
    left = json.loads((proof / "killed.json").read_text())
    assert left["before"]["devices"]
    assert left["before"]["namespaces"]
    assert left["after"] == {"namespaces": [], "devices": []}
    assert left["lines"] > 50
