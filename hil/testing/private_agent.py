"""``python -m hil.testing.private_agent``: the agent in a network namespace of its own, over a made-up sysfs tree.

What the agent takes for the machine's own namespace is this private one, so that a test can make and move interfaces in
it without touching the machine's. Needs root.
"""

import argparse
import asyncio
import ctypes
import fcntl
import json
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from hil.agent import __main__ as process
from hil.agent.allow import AllowList
from hil.agent.client import Agent
from hil.agent.server import programs, virtual
from hil.agent.server.machine import Machine, Places
from hil.bench import Boot, Power
from hil.testing.usb_tree import UsbTree

_CLONE_NEWNET = 0x40000000
_SIOCSIFNAME = 0x8923


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

    def power(self, **allowed: Any) -> None:
        """Let the agents switch: ``power``, ``boot``, ``relays`` as in an allow list; programs are here."""
        self._setting["allow"].update(allowed)
        self._setting["programs"] = str(self.directory / "bin")

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
        """End every client and every process, and wait for it."""
        for agent in self.agents:
            agent.close()
        for started in self.processes:
            started.terminate()
            started.wait(15.0)


def rename(old: str, new: str) -> None:
    """Rename a network interface of the calling thread's namespace as udev does it (SIOCSIFNAME).

    Raises:
        OSError: the kernel refused.
    """
    request = old.encode().ljust(16, b"\0") + new.encode().ljust(24, b"\0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFNAME, request)


def main() -> int:
    """Take the agent's own options after a JSON object: {sysfs, dev, run, allow: {…}, virtual_command, programs}."""
    parser = argparse.ArgumentParser()
    parser.add_argument("setting", type=json.loads)
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    setting = chosen.setting
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
    allowed = setting["allow"]
    boards = {name: tuple(paths) for name, paths in allowed.get("boards", {}).items()}
    allow = AllowList(
        allowed.get("virtual", False),
        tuple(allowed.get("modules", ())),
        boards,
        {name: Power(**values) for name, values in allowed.get("power", {}).items()},
        {name: Boot(**values) for name, values in allowed.get("boot", {}).items()},
        {name: tuple(command) for name, command in allowed.get("relays", {}).items()},
        "the test's allow list",
    )
    command = tuple(setting.get("virtual_command", virtual.COMMAND))
    directories = (Path(setting["sysfs"]), Path(setting["dev"]), Path(setting["run"]))
    places = Places(
        *directories, command, setting.get("programs", programs.SEARCH), flashes=Path(setting["run"]) / "flash"
    )
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="hil-agent: %(message)s")
    asyncio.run(process.serve(Machine(allow, places), process.arguments(chosen.rest)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
