"""Agents for the tests of this room: each in a network namespace and over a sysfs tree of its own."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from hil.agent.client import Agent
from hil.testing.usb_tree import UsbTree


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers that this room's tests carry."""
    config.addinivalue_line("markers", "root: needs root and network namespaces")
    config.addinivalue_line("markers", "slow: takes longer than 0.25 s")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs root where the tests do not run as root."""
    if item.get_closest_marker("root") and os.geteuid() != 0:
        pytest.skip("needs root: it makes network namespaces")


class PrivateAgent:
    """A running agent of a test, with the sysfs tree it believes in."""

    def __init__(self, directory: Path, virtual: bool = False, virtual_command: list[str] | None = None) -> None:
        self.directory = directory
        self.board = f"t{os.getpid()}"
        self.tree = UsbTree(directory / "sys")
        self.dev = directory / "dev"
        self.dev.mkdir()
        self.log = directory / "agent.log"
        self._setting: dict[str, Any] = {
            "sysfs": str(self.tree.root),
            "dev": str(self.dev),
            "run": str(directory / "run"),
            "allow": {"virtual": virtual, "boards": {self.board: ["1-1.2"]}},
        }
        if virtual_command is not None:
            self._setting["virtual_command"] = virtual_command
        self.agents: list[Agent] = []
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *options: str, **popen: Any) -> "subprocess.Popen[bytes]":
        """Start the process with the agent's own options."""
        words: IO[bytes] = self.log.open("ab")
        command = [sys.executable, "-m", "hil.testing.private_agent", json.dumps(self._setting), *options]
        with words:
            process = subprocess.Popen(command, stderr=words, **popen)
        self.processes.append(process)
        return process

    def raw(self) -> socket.socket:
        """A socket to a fresh agent that has heard nothing yet."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.start("--fd", "0", stdin=theirs.fileno())
        ours.settimeout(10.0)
        return ours

    def client(self) -> Agent:
        """A client of a fresh agent."""
        agent = Agent(self.raw(), self.processes[-1])
        self.agents.append(agent)
        return agent

    def close(self) -> None:
        for agent in self.agents:
            agent.close()
        for process in self.processes:
            process.terminate()
            assert process.wait(15.0) in (0, -15), self.log.read_text()


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
