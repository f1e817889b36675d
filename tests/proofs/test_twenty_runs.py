"""The proof that the harness is silent where there is nothing to say: every scenario twenty times on a clean board."""

import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import pytest

from hil.catalogue.scenarios import CLIENT, STATIC, TWO, TWO_BOARDS
from hil.plugin.repeat import base
from tests.proofs.pytest_runs import REPOSITORY, require_green

SCENARIOS = REPOSITORY / "tests" / "hil"
RUNS = 20
WITHIN_S = 3 * 3600.0
OTHERS = {
    "test_static_address.py": STATIC,
    "test_dhcp_client.py": CLIENT,
    TWO_BOARDS.partition("::")[0]: TWO,
}
"""Scenarios that need another bench than the one without options."""
SERVER = sorted(path.name for path in SCENARIOS.glob("test_*.py") if path.name not in OTHERS)
BENCHES = [
    pytest.param(SERVER, (), id="server"),
    *(pytest.param([name], options, id=name.removesuffix(".py")) for name, options in OTHERS.items()),
]
NO_SUCH_WAY = {f"test_the_loader_is_entered_and_left[{way}]" for way in ("micropython", "touch1200")}
"""The reference firmware has no REPL and takes no touch."""

pytestmark = [pytest.mark.vm, pytest.mark.slow, pytest.mark.soak, pytest.mark.timeout(WITHIN_S + 60)]


@pytest.mark.parametrize(("scenarios", "options"), BENCHES)
def test_twenty_clean_runs_find_nothing(tmp_path: Path, scenarios: list[str], options: tuple[str, ...]) -> None:
    """Each scenario passes each time, without a finding; none is skipped that its bench can run."""
    report = tmp_path / "junit.xml"
    places = ("--hil-artifacts", str(tmp_path / "evidence"), "--junitxml", str(report))
    which = ("-m", "hil", *(f"tests/hil/{each}" for each in scenarios), "--hil-repeat", str(RUNS))
    require_green(*which, *options, *places, within_s=WITHIN_S)
    cases = ET.parse(report).getroot().findall("testsuite/testcase")
    skipped = {base(str(case.get("name"))) for case in cases if case.find("skipped") is not None}
    assert skipped == (NO_SUCH_WAY if scenarios is SERVER else set())
    judged = Counter(base(str(case.get("name"))) for case in cases if case.find("skipped") is None)
    assert judged
    assert set(judged.values()) == {RUNS}
    assert [
        case.get("name") for case in cases for found in case.iter("property") if found.get("name") == "hil_finding"
    ] == []
