"""Run a command in the virtual machine as if it ran here."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hil.launcher.assemble import Pieces, assemble, cache_directory
from hil.launcher.guest import AGENT_ALLOW, AGENT_SOCKET, Job, User, initial_ramdisk
from hil.launcher.machine import Machine, Share
from hil.launcher.returns import Receiver, named_paths, returned_paths
from hil.launcher.session import PORTS, Session, Stopped

CONSOLE_LOG = "machine-console.log"


def this_user() -> User:
    """Who runs this process."""
    return User(os.getuid(), os.getgid(), tuple(os.getgroups()))


def guest_environment(env: Mapping[str, str], accel: str, terminal: bool, columns: int) -> dict[str, str]:
    """``env`` and what tells the command where it is; a pipe cannot say that a terminal is at its other end."""
    forwarded = {"HIL_BENCH_HOST": accel}
    if terminal:
        forwarded |= {"COLUMNS": str(columns)}
        if "NO_COLOR" not in env:
            forwarded |= {"PY_COLORS": "1", "FORCE_COLOR": "1"}
    return {**forwarded, **env, "HIL_BENCH_HOST": accel}


def agent_command(user: User, python: str) -> tuple[str, ...]:
    """How the machine starts the privileged agent; root needs none."""
    if user.uid == 0:
        return ()
    return (python, "-m", "hil.agent", "--listen", str(AGENT_SOCKET), "--allow", str(AGENT_ALLOW))


def run(
    argv: Sequence[str],
    *,
    rootdir: Path,
    artifacts: Path,
    env: Mapping[str, str],
    timeout_s: float | None = None,
    accel: str = "tcg",
    out_fds: tuple[int, int] = (1, 2),
) -> int:
    pieces = assemble(cache_directory(env), lambda text: print(text, file=sys.stderr, flush=True))
    cwd = Path.cwd()
    artifacts = Path(os.path.realpath(artifacts))
    artifacts.mkdir(parents=True, exist_ok=True)
    user = this_user()
    returned = returned_paths(rootdir, cwd, named_paths(argv, cwd, env))
    terminal = os.isatty(out_fds[0])
    columns = os.get_terminal_size(out_fds[0]).columns if terminal else 80
    job = Job(
        tuple(argv), cwd, guest_environment(env, accel, terminal, columns), user, artifacts, returned, agent_command(user, sys.executable)
    )
    shares = [Share("host", Path("/")), Share("layer", pieces.layer), Share("artifacts", artifacts, writable=True)]
    console = artifacts / CONSOLE_LOG
    t0 = time.monotonic()
    machine = Machine(pieces, accel, initial_ramdisk(pieces, job), shares, console, PORTS)
    try:
        session = Session(machine, Receiver(returned, artifacts), out_fds, console)
        try:
            status = session.run(timeout_s)
        except Stopped as stopped:
            status = stopped.status
        finally:
            session.close()
    finally:
        machine.close()
    if env.get("HIL_TIMING"):
        print(session.outcome.phases, time.monotonic() - t0, file=sys.stderr)
    return status
