"""``python -m hil.launcher -- CMD ARGS…`` runs a command in the virtual machine; options ask about it or prepare it."""

import argparse
import os
import sys
from pathlib import Path

from hil.errors import HarnessError
from hil.launcher.assemble import assemble, cache_directory
from hil.launcher.launch import run
from hil.launcher.planning import native_problem, plan

MACHINE_FAILED = 125
"""Exit status where the machine itself failed, as ``timeout`` and ``docker run`` have it."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m hil.launcher", description="Run a command in the virtual machine.")
    add = parser.add_argument
    add("-v", "--verbose", action="store_true", help="print the seconds of each phase; so does HIL_TIMING=1")
    add("--artifacts", type=Path, default=Path("build/machine"), help="directory shared with the machine (%(default)s)")
    add("--timeout", type=float, metavar="S", help="interrupt the command after that many seconds")
    add("--plan", action="store_true", help="only say where the virtual bench runs, and why there")
    add("--native", action="store_true", help="only answer: exit status 0 where it runs on this kernel, 1 elsewhere")
    add("--assemble", action="store_true", help="only download and unpack what the machine needs")
    add("--refresh", action="store_true", help="with --assemble: again, with the newest kernel")
    add("command", nargs="*", help="after --")
    options = parser.parse_args(arguments)
    if not (options.command or options.plan or options.native or options.assemble):
        parser.error("no command: python -m hil.launcher -- CMD ARGS…")
    return options


def main(arguments: list[str]) -> int:
    """What was asked for; the exit status."""
    options = parse(arguments)
    env = {**os.environ, **({"HIL_TIMING": "1"} if options.verbose else {})}
    try:
        if options.native:
            return 0 if native_problem() is None else 1
        if options.plan:
            chosen = plan(env)
            print(f"{chosen.name}: {chosen.reason}")
        if options.assemble:
            assemble(cache_directory(env), lambda text: print(text, flush=True), options.refresh)
        if not options.command:
            return 0
        return run(options.command, rootdir=Path.cwd(), artifacts=options.artifacts, env=env, timeout_s=options.timeout)
    except HarnessError as error:
        print(f"hil: {error}", file=sys.stderr)
        return MACHINE_FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
