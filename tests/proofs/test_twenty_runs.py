"""The proof that the harness is silent where there is nothing to say: every scenario twenty times on a clean board."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
RUNS = 20
WITHIN_S = 7200.0

pytestmark = [pytest.mark.vm, pytest.mark.slow, pytest.mark.soak, pytest.mark.timeout(WITHIN_S + 60)]


def test_twenty_clean_runs_find_nothing(tmp_path: Path) -> None:
    """No failure, no error, no finding; a scenario that this bench cannot run is skipped each time."""
    report, evidence = tmp_path / "junit.xml", tmp_path / "evidence"
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-m", "hil"]
    where = ["tests/hil", "--hil-artifacts", str(evidence), "--junitxml", str(report)]
    done = subprocess.run(
        [*argv, *where, "--hil-repeat", str(RUNS)],
        check=False,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=WITHIN_S,
    )
    assert done.returncode == 0, done.stdout[-20_000:]
    suite = ET.parse(report).getroot().find("testsuite")
    assert suite is not None
    cases = suite.findall("testcase")
    judged = [case for case in cases if case.find("skipped") is None]
    assert len(judged) >= RUNS * 10
    assert len(judged) % RUNS == 0
    assert [
        case.get("name") for case in cases for found in case.iter("property") if found.get("name") == "hil_finding"
    ] == []
