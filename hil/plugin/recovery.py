"""Boards that were brought back between tests, and those that stay dead: what a session says of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hil.errors import BoardDead, HilError

if TYPE_CHECKING:
    from hil.device.ladder import State
    from hil.device.recovery import Recovered
    from hil.device.usb_board import UsbBoard


@dataclass
class Recoveries:
    """Of one session."""

    recovered: list[tuple[str, str, Recovered]] = field(default_factory=list)
    """Test node id, board, and how it came back before or after that test."""
    dead: dict[str, str] = field(default_factory=dict)
    """Why each board that stays dead is dead, by its name."""
    used: dict[str, UsbBoard] = field(default_factory=dict)
    """Boards that were made ready for a test, by their names."""
    untold: list[str] = field(default_factory=list)
    """What kept a board from being brought back after the last test."""

    def make_ready(self, board: UsbBoard, nodeid: str) -> None:
        """Have ``board`` attached, awake and idle for a test, however the last one left it.

        Raises:
            BoardVanished: it has not come up.
            BoardDead: it stays dead; each later test is told so at once.
        """

        def note(recovered: Recovered) -> None:
            self.recovered.append((nodeid, board.name, recovered))

        board.readiness.on_recovered = note
        self.used[board.name] = board
        try:
            board.make_ready()
        except BoardDead as error:
            self.dead.setdefault(board.name, str(error))
            raise

    def end(self, say: Callable[[str], None]) -> None:
        """After the last test: boards that it has left elsewhere are brought back, as before another one.

        Args:
            say: puts a line on the terminal as it happens.
        """
        for name, board in self.used.items():

            def tell(rung: str, state: State, name: str = name) -> None:
                say(f"hil: board {name} {state.value}; trying: {rung}")

            board.readiness.on_rung = tell
            try:
                board.readiness.end()
            except BoardDead as error:
                self.dead.setdefault(name, str(error))
            except HilError as error:
                self.untold.append(f"board {name} was not brought back after the last test: {error}")

    def lines(self) -> list[str]:
        """For the end of the session."""
        told = [f"hil: {nodeid}: board {name} {recovered}" for nodeid, name, recovered in self.recovered]
        return [*told, *(f"hil: {why.splitlines()[0]}" for why in (*self.dead.values(), *self.untold))]
