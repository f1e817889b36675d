"""Flashing against esptool's command line, on the same virtual chip behind a pseudo-terminal.

Behind the kernel's USB the same is measured by ``on_kernel.py``. Both are unpaced: a real board's USB takes at most
1.2 MB/s, so on one the time that compares and hashes weighs less.
The command line's time holds its start, because each flash by hand has it; hil's process runs already.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from measure import RUNS, Row, interleaved

from hil.flash.build import Build
from hil.flash.esptool_loader import warm_up
from hil.flash.flasher import Flasher, Way
from hil.flash.idf_build import read_build
from hil.flash.plan import CHANGED, UNCHANGED
from hil.flash.tty_port import TtyPort
from hil.testing.pty_loader import PtyLoader
from hil.virtual.app_build import idle_code
from hil.virtual.flash import MB, FlashChip
from hil.virtual.rom.images import application, flash_files, flasher_args
from hil.wire.esp_image import AppDescription

APP_BYTES = 1_000_000


LIMITS = {
    "a changed application of 1 MB": 1.10,
    "nothing has changed": 0.15,
    "one sector has changed, of a known build": 0.30,
}
"""Of a flash by hand of the same application."""


class Place(Protocol):
    """Where a chip is in its loader."""

    port: str

    def open(self) -> int: ...


def rows() -> Iterator[Row]:
    """Four lines."""
    warm_up().join()
    with TemporaryDirectory() as place, PtyLoader(FlashChip(8 * MB)) as board:
        desk = Desk(board, Path(place))
        for (name, limit), (ours, bare) in zip(LIMITS.items(), desk.measured(RUNS), strict=True):
            yield Row(f"flash: {name}", ours, "s", limit, bare)
        yield Row("flash: reading and checking the build", desk.reading(), "s", None)


class Desk:
    """One board and some builds; every way returns the seconds that it took."""

    def __init__(self, board: Place, place: Path) -> None:
        self._board = board
        self._place = place
        self._made = 0
        self._held = self._other()
        self._seed = self._made
        self._flash(self._held, None)

    def measured(self, runs: int) -> Iterator[tuple[float, float]]:
        """Medians of ours and by hand, in the order of :data:`LIMITS`."""
        return (interleaved(ours, self.by_hand, runs) for ours in (self.change, self.nothing, self.sector))

    def change(self) -> float:
        """All of an application's code is new."""
        self._held = self._other()
        self._seed = self._made
        return self._flash(self._held, None, CHANGED)

    def nothing(self) -> float:
        self._flash(self._held, None)
        return self._flash(self._held, None, UNCHANGED)

    def sector(self) -> float:
        """A byte in the middle of the code; the image's checksum and digest change with it."""
        self._flash(self._held, None)
        changed = self._build(self._seed, flip=True)
        return self._flash(changed, self._held, CHANGED)

    def by_hand(self) -> float:
        """As `idf.py flash` calls it, of an application that the board does not have."""
        build = self._other()
        files = [part for each in build.regions for part in (hex(each.offset), each.name)]
        command = [sys.executable, "-m", "esptool", "--port", self._board.port, "--before", "no-reset"]
        command += ["--after", "no-reset", "write-flash", *files]
        began = time.monotonic()
        subprocess.run(command, cwd=build.source, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.monotonic() - began

    def reading(self) -> float:
        began = time.monotonic()
        read_build(Path(self._held.source))
        return time.monotonic() - began

    def _flash(self, build: Build, known: Build | None, what: str = "") -> float:
        """From the path of the build to the reset."""
        began = time.monotonic()
        port = TtyPort(self._board.open(), self._board.port, "bench")
        done = Flasher(port, Way(after="no-reset")).flash(read_build(Path(build.source)), known)
        took_s = time.monotonic() - began
        assert what in ("", done.what), done
        return took_s

    def _other(self) -> Build:
        self._made += 1
        return self._build(self._made)

    def _build(self, seed: int, flip: bool = False) -> Build:
        code = bytearray(idle_code(APP_BYTES, seed))
        code[APP_BYTES // 2] ^= flip
        folder = self._place / f"{seed}-{flip}"
        files = flash_files(application(AppDescription("bench", "1.0", f"{seed:064x}"), bytes(code)))
        for each in files:
            path = folder / each.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(each.data)
        (folder / "flasher_args.json").write_text(flasher_args(files))
        return read_build(folder)
