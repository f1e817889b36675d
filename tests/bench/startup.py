"""What hil adds to pytest: to a session of one test, and to each test of many."""

import functools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import Row, interleaved

TESTS = 500
HIL = ("-p", "hil.plugin")
PLAIN = "import pytest\n\n@pytest.mark.parametrize('number', range({count}))\ndef test_one(number):\n    pass\n"
EXPECTING = """
import pytest
from hil import Acted

@pytest.mark.parametrize("number", range({count}))
def test_one(bench, expect, number):
    done = bench.record(Acted("press", "nothing", str(number), board="s3", source="action"))
    expect.sequence(Acted("press", detail=str(number)), since=done, within_s=2)
"""
BENCH = '''
"""A bench without a board: the capture process and the timeline are real."""

import pytest
from types import SimpleNamespace

@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    from hil.capture.client import Capture
    from hil.device.witness import Witness
    with Capture.start(tmp_path_factory.mktemp("run")) as capture:
        yield SimpleNamespace(witness=Witness(capture), record=capture.record)

@pytest.fixture
def board():
    return SimpleNamespace(name="s3")

@pytest.fixture(scope="session")
def artifacts(tmp_path_factory):
    return tmp_path_factory.mktemp("artifacts")
'''


class Session:
    """A folder with so many tests."""

    def __init__(self, directory: Path, name: str, text: str, count: int, bench: str = "") -> None:
        self._directory = directory / name
        self._directory.mkdir()
        (self._directory / "test_it.py").write_text(text.format(count=count))
        if bench:
            (self._directory / "conftest.py").write_text(bench)

    def took_s(self, *arguments: str) -> float:
        """One session, from the start of the process to its end."""
        command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)
        env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        began_s = time.perf_counter()
        done = subprocess.run(command, cwd=self._directory, env=env, check=False, capture_output=True, text=True)
        took_s = time.perf_counter() - began_s
        assert done.returncode == 0, done.stdout + done.stderr
        return took_s


def rows() -> list[Row]:
    """A session of one test, and what each further one takes."""
    with tempfile.TemporaryDirectory(prefix="hil-bench-") as scratch:
        directory = Path(scratch)
        one, many = Session(directory, "one", PLAIN, 1), Session(directory, "many", PLAIN, TESTS)
        expecting = [Session(directory, f"expecting{count}", EXPECTING, count, BENCH) for count in (1, TESTS)]
        start = interleaved(lambda: one.took_s(*HIL), one.took_s)
        plain = interleaved(lambda: many.took_s(*HIL), many.took_s)
        first, all_of_them = interleaved(*(functools.partial(session.took_s, *HIL) for session in expecting))
    ours_ms, bare_ms = (1e3 * (plain[way] - start[way]) / (TESTS - 1) for way in (0, 1))
    expecting_ms = 1e3 * (all_of_them - first) / (TESTS - 1)
    return [
        Row("start of pytest, one test without a bench", start[0] * 1e3, "ms", 1.5, start[1] * 1e3),
        Row(
            "each further test, beyond pytest's own", ours_ms - bare_ms, "ms", 3, note=f"{ours_ms:.3f} of {bare_ms:.3f}"
        ),
        Row("each further test that expects, beyond pytest's own", expecting_ms - bare_ms, "ms", 3),
    ]


if __name__ == "__main__":
    for row in rows():
        print(row.text)
