"""What is measured on the kernel's own USB, in the virtual machine.

usage: on_kernel.py FOLDER      writes FOLDER/on_kernel.json: seconds of ours and bare, by name
"""

import json
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import flash
import round_trip
from measure import RUNS

from hil.bench import virtual
from hil.device.open_bench import OpenBench
from hil.device.usb_board import UsbBoard
from hil.flash.esptool_loader import warm_up

FLASH_RUNS = 1
"""A flash by hand takes half a minute here; what varies from run to run is far from the limits."""


class Tty:
    """A board's port while it is in its loader; for root, which no exclusive use of it keeps out."""

    def __init__(self, board: UsbBoard) -> None:
        self.port = board.chip.modes.tty()
        self._board = board

    def open(self) -> int:
        with self._board.chip.lend("usb") as port:
            return port.hand_over()


def main(folder: Path) -> None:
    bench = OpenBench(virtual(), folder)
    try:
        board = bench.board()
        ours, bare = round_trip.measured(board, RUNS)
        found = {"ours": ours, "bare": bare, "loader": [median(ours), median(bare)]}
        board.enter_bootloader()
        warm_up().join()
        with TemporaryDirectory() as place:
            desk = flash.Desk(Tty(board), Path(place))
            found |= {name: list(pair) for name, pair in zip(flash.LIMITS, desk.measured(FLASH_RUNS), strict=True)}
    finally:
        bench.close()
    (folder / "on_kernel.json").write_text(json.dumps(found), encoding="utf-8")


main(Path(sys.argv[1]))
