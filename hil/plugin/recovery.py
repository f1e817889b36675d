"""Boards that were brought back between tests, and those that stay dead: what a session says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hil.errors import BoardDead

if TYPE_CHECKING:
    from hil.device.recovery import Recovered
    from hil.device.usb_board import UsbBoard


@dataclass
class Recoveries:
    """Of one session."""

    recovered: list[tuple[str, str, Recovered]] = field(default_factory=list)
    """Test node id, board, and how it came back before or after that test."""
    dead: dict[str, str] = field(default_factory=dict)
    """Why each board that stays dead is dead, by its name."""

    def make_ready(self, board: UsbBoard, nodeid: str) -> None:
        """Have ``board`` attached, awake and idle for a test, however the last one left it.

        Raises:
            BoardVanished: it has not come up.
            BoardDead: it stays dead; each later test is told so at once.
        """

        def note(recovered: Recovered) -> None:
            self.recovered.append((nodeid, board.name, recovered))

        board.readiness.on_recovered = note
        try:
            board.make_ready()
        except BoardDead as error:
            self.dead.setdefault(board.name, str(error))
            raise

    def lines(self) -> list[str]:
        """For the end of the session."""
        told = [f"hil: {nodeid}: board {name} {recovered}" for nodeid, name, recovered in self.recovered]
        return [*told, *(f"hil: {why.splitlines()[0]}" for why in self.dead.values())]
