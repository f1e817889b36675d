"""Starting an agent of one's own: a child process where the user is root, else through ``sudo -n``."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import hil
from hil.agent import allow
from hil.clock import Deadline
from hil.errors import SetupError

_END_WITHIN_S = 15.0


def allowing(allow_file: Path | None) -> list[str]:
    if allow_file is None and not allow.DEFAULT.exists():
        return ["--allow-virtual"]
    return ["--allow", str(allow_file or allow.DEFAULT)]


def start(arguments: Sequence[str], theirs: socket.socket, words: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start the agent with its end of the connection as standard input, the one descriptor that sudo passes on."""
    command = [sys.executable, "-P", "-m", "hil.agent", *arguments]
    if os.geteuid() != 0:
        command = ["sudo", "-n", *command]
    environment = {**os.environ, "PYTHONPATH": str(Path(hil.__path__[0]).parent)}
    try:
        return subprocess.Popen(
            command,
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=words,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise SetupError(f"{command[0]} cannot be run: {error.strerror}; run as root, or start hil-agent") from error


def last_words(process: "subprocess.Popen[bytes]", words: IO[bytes]) -> str:
    deadline = Deadline(_END_WITHIN_S)
    try:
        process.wait(deadline.left_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    words.seek(0, os.SEEK_END)
    words.seek(max(0, words.tell() - 2000))
    return words.read().decode("utf-8", "replace").strip()
