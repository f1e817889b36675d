"""A person pulls the cable."""

import select
from collections.abc import Callable
from pathlib import Path

from hil.agent.replies import Done
from hil.board.interfaces import Instant
from hil.board.sight import VBUS_OFF
from hil.clock import Clock
from hil.errors import SetupError

ANSWER_S = 300.0
"""Long enough to walk to the bench."""


def ask_terminal(line: str, terminal: Path = Path("/dev/tty"), within_s: float = ANSWER_S) -> bool:
    """Show ``line`` and wait for Enter; False where the run has no terminal, or nobody answers ``within_s``."""
    try:
        with terminal.open("w", encoding="utf-8") as shown, terminal.open(encoding="utf-8") as typed:
            print(f"hil: {line}: ", end="", file=shown, flush=True)
            ready, _, _ = select.select([typed], [], [], within_s)
            return bool(ready) and typed.readline() != ""
    except OSError:
        return False


class Manual:
    """Driver ``manual``: asks, and waits for the person to say that it is done.

    Args:
        board: the name to print.
        ask: shows a line and returns when it was confirmed.
        clock: dates the question and the answer.
    """

    sees = VBUS_OFF

    def __init__(self, board: str, ask: Callable[[str], bool], clock: Clock) -> None:
        self._board = board
        self._ask = ask
        self._clock = clock

    def off(self) -> Instant:
        return self._asked(f"pull the cable of {self._board}, then press Enter")

    def on(self) -> Instant:
        return self._asked(f"put the cable of {self._board} back, then press Enter")

    def _asked(self, line: str) -> Instant:
        """It happened some time between the question and the answer."""
        asked_ns = self._clock.now_ns()
        if not self._ask(line):
            place = f"board {self._board}: power.driver is 'manual'"
            raise SetupError(f"{place} and nobody answered: this run has no terminal, or {ANSWER_S:g} s went by")
        answered_ns = self._clock.now_ns()
        return Done((asked_ns + answered_ns) // 2, (answered_ns - asked_ns) // 2 + 1)
