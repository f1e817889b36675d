"""Agents for the tests of this room: each in a network namespace and over a sysfs tree of its own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hil.testing.private_agent import PrivateAgent


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers that this room's tests carry."""
    config.addinivalue_line("markers", "root: needs root and network namespaces")
    config.addinivalue_line("markers", "slow: takes longer than 0.25 s")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs root where the tests do not run as root."""
    if item.get_closest_marker("root") and os.geteuid() != 0:
        pytest.skip("needs root: it makes network namespaces")


@pytest.fixture
def private_agent(tmp_path: Path) -> Iterator[Callable[..., PrivateAgent]]:
    """Makes agents in namespaces of their own; they end with the test."""
    made: list[PrivateAgent] = []

    def make(**wanted: Any) -> PrivateAgent:
        directory = tmp_path / f"agent{len(made)}"
        directory.mkdir()
        made.append(PrivateAgent(directory, **wanted))
        return made[-1]

    yield make
    for agent in made:
        agent.close()
