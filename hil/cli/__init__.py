"""The ``hil`` command: one module per subcommand."""

import argparse
import os
import sys
from collections.abc import Sequence

from hil.cli import boards, diagnose, faults, flash, init, recover
from hil.errors import HilError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; 0 when it did what was asked, 2 with one line of error when it could not.

    A subcommand's ``run`` returns what is printed, and the status beside it where that is not 0.
    """
    parser = argparse.ArgumentParser(prog="hil", description="Hardware in the loop for ESP32-S3 USB firmware.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (boards, diagnose, faults, flash, init, recover):
        module.add(commands)
    options = parser.parse_args(argv)
    try:
        answer: str | tuple[str, int] = options.run(options)
    except HilError as error:
        print(f"hil {options.command}: {error}", file=sys.stderr)
        return 2
    text, status = answer if isinstance(answer, tuple) else (answer, 0)
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(text.encode(encoding, "replace").decode(encoding), flush=True)
    except BrokenPipeError:  # as of `hil faults | head`; nothing is left to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status
