"""Before a board's tests: the firmware that bench.toml names, if it is not what runs already.

It is seen to before the first test of a session, and again after a test that has flashed something else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from hil.agent.replies import PortHeld
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
    unfinished: bool

    @property
    def holds(self) -> Build | None: ...
    def build(self, what: str | None) -> Build: ...
    def runs(self, build: Build) -> bool | None: ...
    def flash(self, what: Build | None = None) -> FlashResult: ...


class Flashable(Protocol):
    """What is needed of :class:`hil.device.usb_board.UsbBoard`."""

    spec: Board

    @property
    def flashing(self) -> Flashing: ...


class SessionFlash:
    """Keeps the session's firmware on each board.

    Args:
        when: auto, always or never.
        write: puts a line on the terminal as it happens.
    """

    def __init__(self, when: str, write: Callable[[str], None]) -> None:
        self._when = when
        self._write = write
        self._failed: dict[str, str] = {}
        """Why a board could not be flashed at first, by its name."""
        self._builds: dict[str, Build | None] = {}
        """What each board is to hold, as it was read at first; None: whatever it holds."""

    def see_to(self, board: Flashable) -> None:
        """Have ``board`` run its firmware; after the first call only where something else was flashed since.

        Raises:
            BenchError: it is to be flashed, and nothing says with what.
            HarnessError: it could not be flashed, when it was first seen to or now.
            BoardFailure: the board failed at it.
        """
        name = board.spec.name
        if name in self._failed:
            raise HarnessError(f"board {name} was not flashed at the start of the session: {self._failed[name]}")
        if name in self._builds:
            self._restore(board, self._builds[name])
            return
        try:
            self._builds[name] = self._begin(board)
        except PortHeld:
            raise  # whoever has the port may let go of it before the next test
        except HilError as error:
            self._failed[name] = str(error)
            raise

    def _begin(self, board: Flashable) -> Build | None:
        firmware = board.spec.firmware
        if self._when == NEVER or (self._when == AUTO and not firmware):
            return None
        if not firmware:
            raise BenchError(f"--hil-flash={ALWAYS}: board {board.spec.name} has no firmware in bench.toml")
        build = board.flashing.build(firmware)
        prefix = f"hil: board {board.spec.name}: "
        if self._when == AUTO and board.flashing.runs(build):
            self._write(f"{prefix}runs {build} already")
            return build
        board.flashing.on_progress = Lines(self._write, prefix)
        board.flashing.flash(build)
        return build

    def _restore(self, board: Flashable, build: Build | None) -> None:
        """Flash ``build`` again where a test has left something else."""
        flashing = board.flashing
        if build is None or not _replaced(flashing, build):
            return
        prefix = f"hil: board {board.spec.name}: "
        self._write(f"{prefix}a test has left {flashing.holds or 'a flash that did not end'}; back to {build}")
        flashing.on_progress = Lines(self._write, prefix)
        flashing.flash(build)


def _replaced(flashing: Flashing, build: Build) -> bool:
    """Whether something else than ``build`` was flashed since, or begun to be."""
    held = flashing.holds
    return flashing.unfinished or (held is not None and _content(held) != _content(build))


def _content(build: Build) -> list[tuple[int, bytes]]:
    return [(region.offset, region.data) for region in build.regions]
