"""The core stays within its budgets of memory and time."""

import platform
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.firmware import costs
from tests.firmware.toolchain import need, target_compiler

pytestmark = pytest.mark.slow


def check(measured: Mapping[str, int], *, tolerance: float) -> None:
    """`tolerance`: how far a figure may be from the table's, as a share of it; compilers and C libraries differ."""
    rows = costs.table()
    over = {name: f"{value} of {rows[name].budget}" for name, value in measured.items() if value > rows[name].budget}
    assert over == {}, "over the budget of firmware/core/COSTS.md"
    stale = {
        name: f"{rows[name].measured} in the table, {value} now"
        for name, value in measured.items()
        if abs(value - rows[name].measured) > max(rows[name].measured * tolerance, 40)
    }
    assert stale == {}, "run `python -m tests.firmware.costs`"


def test_size_for_the_target_is_within_its_budget(tmp_path: Path) -> None:
    """Code, constants and memory of the core, compiled for the target, are as the table says and within its budgets."""
    target_compiler()
    need("qemu-xtensa-static")
    check(costs.sizes(tmp_path), tolerance=0.25)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the table counts instructions of x86-64")
def test_instructions_are_within_their_budget(tmp_path: Path) -> None:
    """An event record, a log line and a frame take the instructions that the table says, and less than its budgets."""
    need("gcc", "valgrind")
    check(costs.instructions(tmp_path), tolerance=0.5)
