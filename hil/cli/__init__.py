"""The ``hil`` command: one module per subcommand."""

import argparse
import sys
from collections.abc import Sequence

from hil.cli import boards, faults, init
from hil.errors import HilError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; 0 when it did what was asked, 2 with one line of error when it could not."""
    parser = argparse.ArgumentParser(prog="hil", description="Hardware in the loop for ESP32-S3 USB firmware.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (boards, faults, init):
        module.add(commands)
    options = parser.parse_args(argv)
    try:
        text: str = options.run(options)
    except HilError as error:
        print(f"hil {options.command}: {error}", file=sys.stderr)
        return 2
    print(text)
    return 0
