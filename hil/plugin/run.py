"""One pytest run on a bench: opened at the first test that needs it, closed at the end."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hil.bench import Bench
from hil.errors import HarnessError
from hil.plugin.flashing import SessionFlash
from hil.plugin.options import Options
from hil.plugin.recovery import Recoveries

if TYPE_CHECKING:
    from hil.device.open_bench import OpenBench
    from hil.device.usb_board import UsbBoard
    from hil.diagnosis import Finding


@dataclass
class Run:
    """What the plugin keeps between its hooks."""

    options: Options
    bench: Bench
    where: str
    """Where the bench is: 'this machine', 'a QEMU machine (KVM)' …"""
    opened: OpenBench | None = None
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    """By test node id."""
    say: Callable[[str], None] = print
    """Puts a line on the terminal as it happens, whatever is being captured."""
    flash: SessionFlash = field(init=False)
    recoveries: Recoveries = field(default_factory=Recoveries)
    skipped_checks: list[tuple[str, str]] = field(default_factory=list)
    """Test node id, and what was not checked and why."""
    _folders: dict[str, str] = field(default_factory=dict)
    _opening: Future[OpenBench] | None = None

    def __post_init__(self) -> None:
        self.flash = SessionFlash(self.options.flash, self._say)

    def _say(self, line: str) -> None:
        self.say(line)

    def begin(self) -> None:
        """Start to open the bench while tests are collected; :meth:`open` has the outcome."""
        self._opening = ThreadPoolExecutor(1, "hil-open-bench").submit(self._open)

    def open(self) -> OpenBench:
        """The opened bench.

        Raises:
            HarnessError: something that it needs is missing.
        """
        if self._opening is None:
            self.begin()
        assert self._opening is not None
        self.opened = self._opening.result()
        return self.opened

    def prepare(self, bench: OpenBench, board: UsbBoard, nodeid: str) -> str:
        """Have ``board`` attached, idle and with the session's firmware for a test.

        Returns:
            Why no firmware can be judged on it, or ''.

        Raises:
            HilError: it is not there, stays dead, or was not flashed.
        """
        if bench.without_build(board):
            self.flash.see_to(board)  # what it holds does not run; what the session flashes may
        if lacking := bench.without_build(board):
            return lacking
        self.recoveries.make_ready(board, nodeid)
        self.flash.see_to(board)
        return bench.without_build(board)

    def leave(self) -> None:
        """After the last test: bring back what it has left elsewhere; a virtual board ends with its session."""
        if not self.bench.virtual:
            self.recoveries.end(self._say)

    def close(self) -> None:
        """Close the bench, if it was opened."""
        opening, self._opening = self._opening, None
        if opening is not None and opening.exception() is None:
            opening.result().close()
        self.opened = None

    def _open(self) -> OpenBench:
        from hil.device.open_bench import OpenBench

        options = self.options
        try:
            return OpenBench(self.bench, options.artifacts, faults=options.faults, tinyusb=options.tinyusb)
        except OSError as error:
            raise HarnessError(f"the bench cannot be opened: {error}") from error

    def folder(self, item: pytest.Item) -> Path:
        """The artifact folder of one test: its name, with its file's where two tests share one."""
        name = _file_name(item.name)
        if self._folders.setdefault(name, item.nodeid) != item.nodeid:
            name = _file_name(f"{item.path.stem}-{item.name}")
        return self.options.artifacts / name


def _file_name(text: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in text)


RUN = pytest.StashKey[Run]()
STARTED = pytest.StashKey[int]()
"""CLOCK_MONOTONIC nanoseconds at which a test's board was ready to be used."""
OUTCOME = pytest.StashKey[str]()
"""What the test has come to so far, by hil.plugin.verdict; not there before its body has ended."""
