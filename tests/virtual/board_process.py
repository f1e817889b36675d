"""A virtual board's process on this machine's vhci_hcd, driven through its control socket alone."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from hil.clock import Deadline, MonotonicClock

DEVICES = Path("/sys/bus/usb/devices")
WITHIN_S = 60.0
POLL_S = 0.005
T = TypeVar("T")


def wait(condition: Callable[[], T], within_s: float = WITHIN_S, told: Callable[[], object] = lambda: "") -> T:
    """The first true value of something in sysfs, of which no event tells without udev; ``told`` is what was there."""
    deadline, clock = Deadline(within_s), MonotonicClock()
    while not (found := condition()):
        assert not deadline.passed, f"nothing within {within_s} s {told()}"
        clock.sleep(POLL_S)
    return found


def entries(directory: Path) -> list[str]:
    """Names in a directory of sysfs, which may go away meanwhile."""
    try:
        return os.listdir(directory)
    except OSError:
        return []


class BoardProcess:
    """The process and its control socket; ``places`` is the answer to its first message."""

    def __init__(self, name: str, **fields: Any) -> None:
        self._socket, theirs = socket.socketpair()
        command = [sys.executable, "-m", "hil.virtual", "--control-fd", str(theirs.fileno())]
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()
        self._socket.settimeout(WITHIN_S)
        self._lines = self._socket.makefile("rb")
        self.places = SimpleNamespace(**self.ask("configure", board=name, **fields))

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        self._socket.sendall(json.dumps({"id": 1, "do": do, **fields}).encode() + b"\n")
        answer = self.read()
        assert answer.get("ok"), f"{do}: {answer}"
        return answer

    def read(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._lines.readline())
        return answer

    def close(self) -> int:
        """Its exit status."""
        self._lines.close()
        self._socket.close()
        return self.process.wait(WITHIN_S)
