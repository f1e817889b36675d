"""What a test does to a board, written into the timeline: a start, then when it took effect or why it failed."""

from collections.abc import Callable
from typing import Any

from hil.board.interfaces import Instant
from hil.timeline.events import Acted, ActionFailed, Event, Started

Record = Callable[[Event], Event]
"""Writes an event; what its stamp leaves open is filled in: now, without error."""


class Actions:
    """Performs actions on one board and records them.

    Args:
        board: the board's name.
        record: takes the events.
    """

    def __init__(self, board: str, record: Record) -> None:
        self.board = board
        self.record = record

    def perform(self, name: str, sees: str, do: Callable[[], Instant], detail: str = "") -> Acted:
        """Do it; returns the event that says when it took effect.

        Whatever ``do`` raises, Ctrl-C and a test's timeout too, is recorded as :class:`ActionFailed` and goes on.
        """
        stamp: dict[str, Any] = {"board": self.board, "source": "action"}
        self.record(Started(name, detail, **stamp))
        try:
            instant = do()
        except BaseException as error:
            self.record(ActionFailed(name, str(error) or type(error).__name__, **stamp))
            raise
        acted = Acted(name, sees, detail, t_ns=instant.t_ns, t_err_ns=instant.t_err_ns, **stamp)
        self.record(acted)
        return acted
