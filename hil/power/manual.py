"""A person pulls the cable."""

from collections.abc import Callable

from hil.board.interfaces import Instant
from hil.board.sight import VBUS_OFF
from hil.errors import SetupError


class Manual:
    """Driver ``manual``: asks, and waits for the person to say that it is done.

    Args:
        board: the name to print.
        ask: shows a line and returns when it was confirmed.
        now: the instant that the answer counts for.
    """

    sees = VBUS_OFF

    def __init__(self, board: str, ask: Callable[[str], bool], now: Callable[[], Instant]) -> None:
        self._board = board
        self._ask = ask
        self._now = now

    def off(self) -> Instant:
        return self._asked(f"pull the cable of {self._board}, then press Enter")

    def on(self) -> Instant:
        return self._asked(f"put the cable of {self._board} back, then press Enter")

    def _asked(self, line: str) -> Instant:
        if not self._ask(line):
            place = f"board {self._board}: power.driver is 'manual'"
            raise SetupError(f"{place} and nobody can answer: this run has no terminal")
        return self._now()
