"""Before a board's first test of a session: the firmware that bench.toml names, if it is not what runs already."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from hil.errors import BenchError, HarnessError, HilError
from hil.flash.progress import Lines, OnProgress
from hil.plugin.options import ALWAYS, AUTO, NEVER

if TYPE_CHECKING:
    from hil.bench import Board
    from hil.device.flashing import FlashResult
    from hil.flash.build import Build


class Flashing(Protocol):
    """What is needed of :class:`hil.device.flashing.Flashing`."""

    on_progress: OnProgress

    def build(self, what: str | None) -> Build: ...
    def runs(self, build: Build) -> bool | None: ...
    def flash(self, what: Build | None = None) -> FlashResult: ...


class Flashable(Protocol):
    """What is needed of :class:`hil.device.usb_board.UsbBoard`."""

    spec: Board

    @property
    def flashing(self) -> Flashing: ...


class SessionFlash:
    """Flashes each board once.

    Args:
        when: auto, always or never.
        write: puts a line on the terminal as it happens.
    """

    def __init__(self, when: str, write: Callable[[str], None]) -> None:
        self._when = when
        self._write = write
        self._done: dict[str, str] = {}
        """Why a board could not be flashed, or '', by its name."""

    def see_to(self, board: Flashable) -> None:
        """Have ``board`` run its firmware; a second call does nothing.

        Raises:
            BenchError: it is to be flashed, and nothing says with what.
            HarnessError: it could not be flashed, when it was first seen to or now.
            BoardFailure: the board failed at it.
        """
        name = board.spec.name
        if name in self._done:
            if self._done[name]:
                raise HarnessError(f"board {name} was not flashed at the start of the session: {self._done[name]}")
            return
        try:
            self._flash(board)
        except HilError as error:
            self._done[name] = str(error)
            raise
        self._done[name] = ""

    def _flash(self, board: Flashable) -> None:
        firmware = board.spec.firmware
        if self._when == NEVER or (self._when == AUTO and not firmware):
            return
        if not firmware:
            raise BenchError(f"--hil-flash={ALWAYS}: board {board.spec.name} has no firmware in bench.toml")
        build = board.flashing.build(firmware)
        prefix = f"hil: board {board.spec.name}: "
        if self._when == AUTO and board.flashing.runs(build):
            self._write(f"{prefix}runs {build} already")
            return
        for left in build.left_out:
            self._write(f"{prefix}left alone: {left}")
        board.flashing.on_progress = Lines(self._write, prefix)
        board.flashing.flash(build)
