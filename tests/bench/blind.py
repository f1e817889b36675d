"""How long a port that has come back is not read: from the kernel's word of it to the first line of it that is seen.

A pty stands for the port and a tree of files for sysfs; the agent's watch, its opening of the port, the handing over of
the descriptor and the capture process are the real ones. The port comes back under its old name and under a new one.
"""

import os
import pty
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from log import HERE, WITHIN_S
from measure import Row

from hil.bench import Board
from hil.capture.client import Capture, board_message
from hil.clock import now_ns
from hil.device.witness import Witness
from hil.profiles import load
from hil.testing.usb_tree import UsbTree
from hil.timeline.events import SerialLine

PORT = "1-1"
RETURNS = 20


class Rig:
    """A board whose port comes and goes."""

    def __init__(self, directory: Path) -> None:
        self._tree = UsbTree(directory / "sys")
        self._tree.attach(PORT)
        self._dev = directory / "dev"
        self._dev.mkdir()
        self.capture = Capture.start(directory / "run")
        self.capture.add(board_message(Board("s3", PORT), load("generic")))
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            self.capture.add({"add": "agent"}, theirs.fileno())
            fds = (str(self._tree.root), str(self._dev), str(ours.fileno()))
            command = (sys.executable, str(HERE / "returning.py"), *fds)
            self._agent = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(ours.fileno(),))
        self.witness = Witness(self.capture)
        self._ends: tuple[int, int] | None = None

    def come_back(self, name: str, number: int) -> int:
        """The port is there and has said a line; returns when the agent was told, nanoseconds."""
        board, host = self._ends = pty.openpty()
        status = os.fstat(host)
        self._tree.add_tty(PORT, name, (os.major(status.st_rdev), os.minor(status.st_rdev)))
        (self._dev / name).unlink(missing_ok=True)
        (self._dev / name).symlink_to(os.ttyname(host))
        os.write(board, f"I (1) main: back {number}\n".encode())
        return self._tell("add", name)

    def go(self, name: str) -> None:
        """The port is gone."""
        assert self._ends is not None
        place = self._tree.directory(PORT) / f"{PORT}:1.2/tty/{name}"
        (place / "dev").unlink()
        place.rmdir()
        self._tell("remove", name)
        for end in self._ends:
            os.close(end)

    def blind_ns(self, name: str, number: int) -> int:
        """From the word of the port to its first line in the timeline."""
        began_ns = self.come_back(name, number)
        text = f"I (1) main: back {number}"
        found = self.witness.find(SerialLine(text), began_ns, WITHIN_S)
        seen_ns = now_ns()
        assert found is not None, f"{name} was not read"
        self.go(name)
        return seen_ns - began_ns

    def _tell(self, action: str, name: str) -> int:
        assert self._agent.stdin is not None
        told_ns = now_ns()
        self._agent.stdin.write(f"{action} {name}\n".encode())
        self._agent.stdin.flush()
        return told_ns

    def close(self) -> None:
        """End both processes."""
        assert self._agent.stdin is not None
        self._agent.stdin.close()
        self._agent.wait()
        self.witness.close()
        self.capture.stop()


def rows() -> list[Row]:
    """Under one name, and under another each time."""
    with tempfile.TemporaryDirectory(prefix="hil-bench-") as directory:
        rig = Rig(Path(directory))
        rig.blind_ns("ttyACM0", -1)  # both processes have started
        same = [rig.blind_ns("ttyACM0", number) for number in range(RETURNS)]
        other = [rig.blind_ns(f"ttyACM{number}", RETURNS + number) for number in range(RETURNS)]
        rig.close()
    return [row("blind after a port returns, worst of 20", same), row("… under another name", other)]


def row(name: str, blind_ns: list[int]) -> Row:
    """The worst of them."""
    return Row(name, max(blind_ns) / 1e6, "ms", 20, note=f"median {median(blind_ns) / 1e6:.2f}")


if __name__ == "__main__":
    for row in rows():
        print(row.text)
