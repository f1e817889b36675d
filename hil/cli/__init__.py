"""The ``hil`` command: one module per subcommand."""

import argparse
import signal
import sys
from collections.abc import Sequence

from hil.cli import boards, diagnose, faults, flash, init, recover
from hil.cli.output import say, take_any_text
from hil.errors import HilError

INTERRUPTED = 128 + signal.SIGINT
"""Exit status after Ctrl-C, as a shell has it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; 0 when it did what was asked, 2 with one line of error when it could not, 130 after Ctrl-C.

    A subcommand's ``run`` returns what is printed, and the status beside it where that is not 0.
    """
    take_any_text()
    parser = argparse.ArgumentParser(prog="hil", description="Hardware in the loop for ESP32-S3 USB firmware.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (boards, diagnose, faults, flash, init, recover):
        module.add(commands)
    options = parser.parse_args(argv)
    try:
        answer: str | tuple[str, int] = options.run(options)
    except HilError as error:
        return _failed(options.command, str(error), 2)
    except KeyboardInterrupt:
        return _failed(options.command, "interrupted", INTERRUPTED)
    text, status = answer if isinstance(answer, tuple) else (answer, 0)
    lost = say(text)
    return _failed(options.command, lost, 2) if lost else status


def _failed(command: str, why: str, status: int) -> int:
    print(f"hil {command}: {why}", file=sys.stderr)
    return status
