"""The emulated machines of the proofs, which work while other tests run.

A machine is a process of its own (:mod:`tests.proofs.boot`). They run one after the other, in the order of the tests
that judge what they found.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

import pytest

from tests.proofs.boot import LACKS
from tests.proofs.pytest_runs import REPOSITORY

WITH_US = ("setpriv", "--pdeathsig", "TERM")
"""The kernel ends a machine whose tests were killed."""


class Machines:
    """Runs them all from now on.

    Args:
        jobs: of each module of proofs, by its name, what :mod:`tests.proofs.boot` is asked for, and its folder.
    """

    def __init__(self, jobs: Mapping[str, tuple[Path, Sequence[str]]]) -> None:
        self._folders = {name: folder for name, (folder, _) in jobs.items()}
        self._running: subprocess.Popen[bytes] | None = None
        self._closing = False
        self._one = ThreadPoolExecutor(1, "machines")
        self._ended: dict[str, Future[int]] = {
            name: self._one.submit(self._run, folder, argv) for name, (folder, argv) in jobs.items()
        }

    def folder(self, module: str) -> Path:
        """What the machine has left for this module of proofs, once it has ended; the test's own timeout is the limit.

        Skips where the machine lacks something; fails where it did not end well.
        """
        folder = self._folders[module]
        status = self._ended[module].result()
        told = _log(folder).read_text(errors="replace")
        if status == LACKS:
            pytest.skip(told.strip())
        assert status == 0, told[-20_000:]
        return folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the one that works; those that wait never begin."""
        self._closing = True
        if self._running is not None and self._running.poll() is None:
            self._running.terminate()
        self._one.shutdown(cancel_futures=True)

    def _run(self, folder: Path, argv: Sequence[str]) -> int:
        if self._closing:
            return LACKS
        with _log(folder).open("wb") as log:
            command = [*WITH_US, sys.executable, "-m", "tests.proofs.boot", str(folder), *argv]
            self._running = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=subprocess.STDOUT)
            return self._running.wait()


def _log(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.txt")
