"""A loader behind a pseudo-terminal, for unmodified esptool."""

import os
import pty
import select
import subprocess
import sys
import threading
import tty
from collections.abc import Callable, Iterator

import pytest

from hil import clock
from hil.virtual.flash import FlashChip
from hil.virtual.rom.chip import Exit
from hil.virtual.rom.loader import Loader

ESPTOOL_S = 60


class PtyBoard:
    """Serves a chip whose GPIO0 is held low until it is closed: what resets it leads to the loader again."""

    def __init__(self, flash: FlashChip) -> None:
        self._flash = flash
        self.loader = Loader(flash)
        self.exits: list[Exit] = []
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._ended, self._end = os.pipe()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            deadline_ns = self.loader.deadline_ns
            left_s = None if deadline_ns is None else max(clock.to_s(deadline_ns - clock.now_ns()), 0.0)
            ready, _, _ = select.select([self._master, self._ended], [], [], left_s)
            if self._ended in ready:
                return
            answer = self.loader.feed(os.read(self._master, 65536) if ready else b"", clock.now_ns())
            while answer:
                answer = answer[os.write(self._master, answer) :]
            if self.loader.exit is not None:
                self.exits.append(self.loader.exit)
                self.loader = Loader(self._flash)

    def close(self) -> None:
        os.write(self._end, b"\0")
        self._thread.join()
        for fd in (self._master, self._slave, self._ended, self._end):
            os.close(fd)

    def esptool(self, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a command, without a reset before it: a pseudo-terminal has no control lines."""
        command = [sys.executable, "-m", "esptool", "--port", self.port]
        command += ["--before", "no-reset", "--connect-attempts", "2"]
        command += [*(() if "--after" in arguments else ("--after", "no-reset")), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=ESPTOOL_S, check=False)
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        return done


@pytest.fixture
def serve() -> Iterator[Callable[[FlashChip], PtyBoard]]:
    """Puts a loader in front of a flash chip."""
    boards: list[PtyBoard] = []

    def start(flash: FlashChip) -> PtyBoard:
        boards.append(PtyBoard(flash))
        return boards[-1]

    yield start
    for board in boards:
        board.close()
