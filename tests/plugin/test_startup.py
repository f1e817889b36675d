"""What a session costs that has no bench: counted in modules, which no machine's load can change."""

import subprocess
import sys
from pathlib import Path

import pytest

PLAIN = "hil hil.board hil.board.sight hil.errors hil.plugin hil.plugin.fixtures hil.plugin.options hil.plugin.verdict"
REPORT = """
import sys

def pytest_unconfigure(config):
    with open("modules", "w") as file:
        file.write("\\n".join(sys.modules))
"""


def modules_of_a_session(directory: Path, *arguments: str) -> set[str]:
    """Names of all modules that a session of one test in ``directory`` has imported by its end."""
    (directory / "conftest.py").write_text(REPORT)
    (directory / "test_one.py").write_text("def test_one():\n    pass\n")
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, str(directory))
    done = subprocess.run(command, cwd=directory, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return set((directory / "modules").read_text().split())


@pytest.mark.slow
def test_a_session_without_a_bench_imports_next_to_nothing(tmp_path: Path) -> None:
    """Eight small modules of hil, and of everything else nothing that pytest has not imported itself."""
    with_hil = modules_of_a_session(tmp_path)
    without = modules_of_a_session(tmp_path, "-p", "no:hil")
    assert sorted(with_hil - without) == PLAIN.split()


def test_a_session_on_a_bench_loads_hil_as_it_was_compiled(pytester: pytest.Pytester) -> None:
    """Pytest would parse a plugin's modules anew to rewrite their asserts, in an emulated machine at every run."""
    pytester.makeconftest(
        """
        import hil.bench

        def pytest_unconfigure(config):
            print("loader", type(hil.bench.__loader__).__name__)
        """
    )
    result = pytester.runpytest_subprocess("-m", "hil", "--collect-only")
    result.stdout.fnmatch_lines(["loader SourceFileLoader"])
