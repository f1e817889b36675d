"""What the plugin keeps between its hooks."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hil import bench
from hil.errors import HarnessError
from hil.plugin.options import Options
from hil.plugin.run import Run


def run(tmp_path: Path) -> Run:
    return Run(Options("", "", tmp_path, "0.21", ()), bench.virtual(), "this machine")


def item(file: str, name: str) -> Any:
    return SimpleNamespace(name=name, nodeid=f"{file}::{name}", path=Path(file))


def test_two_tests_of_one_name_have_folders_of_their_own(tmp_path: Path) -> None:
    """The second file's test is kept apart by its file's name, each time it is asked for."""
    plan = run(tmp_path)
    first, second = item("test_a.py", "test_x[1/2]"), item("test_b.py", "test_x[1/2]")
    assert plan.folder(first) == tmp_path / "test_x-1-2-"
    assert plan.folder(second) == tmp_path / "test_b-test_x-1-2-"
    assert plan.folder(first) == tmp_path / "test_x-1-2-"


def test_evidence_that_cannot_be_written_is_an_error_of_the_bench(tmp_path: Path) -> None:
    """A file where the session's folder should be ends the opening with one error that names it."""
    (tmp_path / "session").write_text("in the way", encoding="utf-8")
    plan = run(tmp_path)
    plan.begin()
    with pytest.raises(HarnessError, match=r"the bench cannot be opened: .*session"):
        plan.open()
    plan.close()
