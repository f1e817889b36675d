"""The virtual board on a real kernel's USB stack: the tests that need vhci_hcd, in one boot of the virtual machine."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from hil.errors import SetupError
from tests.proofs.boot import boot
from tests.proofs.pytest_runs import PYTEST, REPOSITORY

pytestmark = [pytest.mark.vm, pytest.mark.slow, pytest.mark.soak, pytest.mark.timeout(900)]


def test_the_tests_of_the_kernel_pass_on_a_kernel(tmp_path: Path) -> None:
    """Every test marked ``vhci`` ran there, none was skipped, and all passed."""
    report = tmp_path / "junit.xml"
    marked = ("-m", "vhci", str(REPOSITORY / "tests" / "virtual"), f"--junitxml={report}")
    try:
        status = boot(tmp_path, *PYTEST, *marked)
    except SetupError as error:
        pytest.skip(str(error))
    assert status == 0
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None
    counted = {name: int(suite.attrib[name]) for name in ("failures", "errors", "skipped")}
    assert counted == {"failures": 0, "errors": 0, "skipped": 0}
    assert int(suite.attrib["tests"]) > 0
