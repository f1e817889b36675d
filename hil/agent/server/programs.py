"""Programs that root runs: only root's own, by a whole path, without a shell, and never for long."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hil.agent.allow import require_owned
from hil.errors import AgentError, SetupError

SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SHOWN = 400
_LET_GO_S = 1.0
"""A program that was killed has let go of its output by then; one that hangs in the kernel has not."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a program left behind."""

    command: str
    status: int
    text: str
    """Its output and its errors, in order."""

    def require_success(self) -> str:
        """Its text.

        Raises:
            AgentError: its exit status is not 0.
        """
        if self.status != 0:
            raise AgentError(f"{self.command} ended with status {self.status}: {self.last_words}")
        return self.text

    @property
    def last_words(self) -> str:
        """Its text as one line, cut."""
        return " / ".join(self.text.split("\n")).strip(" /")[-_SHOWN:] or "it said nothing"


def find(name: str, package: str, search: str = SEARCH) -> str:
    """The whole path of a program.

    Raises:
        SetupError: it is not installed; the message names its package.
    """
    found = shutil.which(name, path=search)
    if found is None:
        raise SetupError(f"{name} is not in {search}; install the package {package}")
    return found


def run(argv: Sequence[str], within_s: float) -> Ended:
    """Run a program to its end, in an empty environment.

    Raises:
        SetupError: it cannot be run, or others than root may write it.
        AgentError: it has not ended ``within_s``; it and the children in its process group are killed.
    """
    command = " ".join(argv)
    require_owned(Path(argv[0]), os.geteuid())
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": SEARCH, "LC_ALL": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise SetupError(f"{command}: cannot be run: {error.strerror}") from error
    try:
        output, _ = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)
        words = Ended(command, -signal.SIGKILL, _last_output(process).decode("utf-8", "replace")).last_words
        raise AgentError(f"{command} did not end within {within_s:g} s and was killed: {words}") from error
    return Ended(command, process.returncode, output.decode("utf-8", "replace"))


def _last_output(process: "subprocess.Popen[bytes]") -> bytes:
    """What a killed program had printed; a child in a session of its own may keep its pipe open for ever."""
    try:
        return process.communicate(timeout=_LET_GO_S)[0]
    except subprocess.TimeoutExpired as error:
        assert process.stdout is not None
        process.stdout.close()
        process.poll()
        return error.stdout or b""
