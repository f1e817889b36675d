"""Run a command in the virtual machine as if it ran here."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from hil.agent.places import COMING, SOCKET
from hil.launcher import firmware_core
from hil.launcher.assemble import assemble, cache_directory
from hil.launcher.guest import AGENT_ALLOW, Job, User, initial_ramdisk
from hil.launcher.machine import Hardware, Machine, Share
from hil.launcher.planning import Plan, accelerator
from hil.launcher.protocol import CONSOLE_LOG
from hil.launcher.returns import Receiver, named_paths, returned_paths
from hil.launcher.session import PORTS, Session
from hil.launcher.signals import Stopped
from hil.whereabouts import MARK


def this_user() -> User:
    """Who runs this process."""
    return User(os.getuid(), os.getgid(), tuple(os.getgroups()))


def guest_environment(env: Mapping[str, str], accel: str, columns: int | None) -> dict[str, str]:
    """``env``, with what tells the command where it is; a pipe cannot say that a terminal is at its other end.

    Args:
        columns: the width of the terminal that the output goes to, or None where it is none.
    """
    terminal: dict[str, str] = {}
    if columns is not None:
        terminal["COLUMNS"] = str(columns)
        if "NO_COLOR" not in env:
            terminal |= {"PY_COLORS": "1", "FORCE_COLOR": "1"}
    return {**terminal, **env, MARK: accel, COMING: str(SOCKET)}


def agent_command(user: User, python: str) -> tuple[str, ...]:
    """How the machine starts the privileged agent, at its boot: it is there when the command asks for it.

    Nothing in the machine outlives the run, so a user's file of faults may do there what it likes.
    """
    source = f"PYTHONPATH={Path(__file__).parents[2]}"
    place = ("--listen", str(SOCKET), "--uid", str(user.uid), "--allow", str(AGENT_ALLOW))
    return ("/usr/bin/env", source, python, "-m", "hil.agent", *place, "--allow-fault-files", "--virtual-ahead")


def run(
    argv: Sequence[str],
    *,
    rootdir: Path,
    artifacts: Path,
    env: Mapping[str, str] | None = None,
    plan: Plan | None = None,
    timeout_s: float | None = None,
    out_fds: tuple[int, int] = (1, 2),
) -> int:
    """Run ``argv`` in the machine: in this directory, as this user, with ``env``; its exit status.

    Output and errors go to ``out_fds`` as they come. SIGINT, SIGTERM and SIGHUP are handed on; a second one, or 30 s,
    end all. What comes back when, and from where: :mod:`hil.launcher.returns`.

    Args:
        rootdir: what is written below it comes back at the end.
        artifacts: made where it is missing; shared while the command runs; also gets the machine's console log.
        plan: what :func:`hil.launcher.planning.plan` said, where it has been asked; a machine is used whatever it said.
        timeout_s: the command is interrupted after that long.

    Raises:
        SetupError: a package is missing; the message names it.
        HarnessError: the machine did not start or ended by itself, or the command took longer than ``timeout_s``.
    """
    env = os.environ if env is None else env
    pieces = assemble(cache_directory(env), _say)
    chosen = plan if plan and not plan.native else accelerator(pieces, cache_directory(env))
    artifacts.mkdir(parents=True, exist_ok=True)
    artifacts = Path(os.path.realpath(artifacts))
    cwd = Path.cwd()
    columns = os.get_terminal_size(out_fds[0]).columns if os.isatty(out_fds[0]) else None
    job = Job(
        argv=tuple(argv),
        cwd=cwd,
        env=guest_environment(env, chosen.name, columns),
        user=this_user(),
        artifacts=artifacts,
        returned=returned_paths(rootdir, cwd, named_paths(argv, cwd, env)),
        one_output=os.path.sameopenfile(*out_fds),
        agent=agent_command(this_user(), sys.executable),
        core=firmware_core.built(),
    )
    shares = (Share("host", Path("/")), Share("layer", pieces.layer), Share("artifacts", artifacts, writable=True))
    hardware = Hardware(pieces, chosen.name, shares, artifacts / CONSOLE_LOG)
    return _run_job(hardware, job, artifacts, timeout_s, out_fds)


def _run_job(hardware: Hardware, job: Job, artifacts: Path, timeout_s: float | None, out_fds: tuple[int, int]) -> int:
    machine = Machine(hardware, initial_ramdisk(hardware.pieces, job), PORTS)
    try:
        session = Session(machine, Receiver(job.returned, artifacts), out_fds, timeout_s=timeout_s)
        try:
            return session.run()
        except Stopped as stopped:
            return stopped.status
        finally:
            if job.env.get("HIL_TIMING"):
                _say(f"hil-timing {json.dumps({'accel': hardware.accel, **session.outcome.timing()})}")
    finally:
        machine.close()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
