"""``hil recover``: a board is brought back to its application, from wherever it is."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hil.cli.flash import add_board, opened
from hil.cli.output import say
from hil.device.ladder import State
from hil.errors import BoardDead

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

DEAD = 1
"""Exit status of a board that stays dead."""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "recover",
        help="bring a board back: out of its loader, out of a boot loop, onto the bus; status 1 if it is dead",
    )
    add_board(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Climb the ladder, telling each rung as it is tried.

    Returns:
        How the board came back and 0, or why it did not and 1.

    Raises:
        BenchError: the options or the bench are wrong.
    """
    with opened(Path(options.bench), options.board, absent=True) as board:

        def tell(rung: str, state: State) -> None:
            say(f"{board.name}: {state.value}; trying: {rung}")

        board.readiness.on_rung = tell
        try:
            return f"{board.name}: {board.recover()}", 0
        except BoardDead as error:
            return str(error), DEAD
