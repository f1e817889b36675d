"""Flashes a virtual board by the esptool command line, over each of its lines; nothing of hil but the board takes part.

Runs inside the virtual machine: python -m tests.proofs.esptool_in_machine FOLDER [PYTHON [NAME…]]

PYTHON is an interpreter that may have another esptool, NAME one of :data:`PROOFS`.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.virtual.board_process import DEVICES, WITHIN_S, BoardProcess, entries, wait

ESPTOOL_S = 240.0
FILES = ("write-flash", "--flash-size", "8MB")


class Board(BoardProcess):
    """With what its host sees of it."""

    def state(self) -> tuple[str, str]:
        found = self.ask("state")
        return found["mode"], found["runs"]

    def identity(self, place: str = "usb") -> str:
        """Vendor and product at its port, '' while nothing is there."""
        device = DEVICES / getattr(self.places, place)
        try:
            return ":".join((device / name).read_text().strip() for name in ("idVendor", "idProduct"))
        except OSError:
            return ""

    def tty(self, place: str = "usb") -> str:
        """Its node, once there is one."""
        node = f"/dev/{wait(lambda: entries(DEVICES / f'{getattr(self.places, place)}:1.0' / 'tty'))[0]}"
        wait(lambda: os.path.exists(node))
        return node

    def shows(self, identity: str) -> str:
        wait(lambda: self.identity() == identity)
        return self.tty()


def esptool(port: str, *arguments: str) -> dict[str, Any]:
    python = sys.argv[2] if len(sys.argv) > 2 else sys.executable
    command = [python, "-m", "esptool", "--chip", "esp32s3", "--port", port, *arguments]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=ESPTOOL_S, check=False)
    return {"status": done.returncode, "said": done.stdout + done.stderr, "took_s": time.monotonic() - began}


def built(folder: Path, *options: str) -> tuple[str, ...]:
    """Arguments of ``write-flash`` for a new build."""
    command = [sys.executable, "-m", "hil.virtual.write_build", str(folder), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    files = json.loads((folder / "flasher_args.json").read_text())["flash_files"]
    return tuple(part for offset, name in files.items() for part in (offset, str(folder / name)))


def enter_by_http(board: Board) -> None:
    """The firmware's own way, from the side that stands for Wi-Fi."""
    url = f"http://{board.places.address}/bootloader"
    script = f"import urllib.request as u; u.urlopen(u.Request('{url}', method='POST'), timeout=20).read()"
    where = f"/run/netns/{board.places.lan}"
    subprocess.run(["nsenter", f"--net={where}", sys.executable, "-c", script], check=True, timeout=WITHIN_S)


def over_serial_jtag(board: Board, folder: Path) -> dict[str, Any]:
    """From the running application by its own request, then esptool's reset; the application comes back by itself.

    What is flashed is a firmware that leaves the pins with USB-OTG when it is asked for the loader.
    """
    files = built(folder / "jtag", "--version", "1.0.1", "--set", "loader_phy_on_otg=1")
    enter_by_http(board)
    port = board.shows("303a:1001")
    mode = board.state()
    done = esptool(port, *FILES, *files)
    board.shows("303a:4001")
    return {**done, "mode": mode, "runs": board.state()}


def over_usb_otg(board: Board, folder: Path) -> dict[str, Any]:
    """The pins stay with USB-OTG, and only the forcing bit is set."""
    files = built(folder / "otg", "--version", "1.0.2")
    enter_by_http(board)
    port = board.shows("303a:0009")
    done = esptool(port, *FILES, *files)
    board.shows("303a:4001")
    return {**done, "runs": board.state()}


def over_the_bridge(board: Board, folder: Path) -> dict[str, Any]:
    """DTR and RTS of the console's bridge reset the application into the loader, and back."""
    files = built(folder / "bridge", "--version", "1.0.3")
    done = esptool(board.tty("console"), "--baud", "921600", *FILES, *files)
    board.shows("303a:4001")
    return {**done, "runs": board.state()}


def from_a_boot_loop(board: Board, folder: Path) -> dict[str, Any]:
    """An erased board shows USB-Serial/JTAG, and its DTR and RTS lead into the loader."""
    files = built(folder / "loop", "--version", "1.0.4")
    port = board.tty("console")
    erased = esptool(port, "erase-flash")
    wait(lambda: board.state()[0] == "boot-loop")
    looping = board.state()
    done = esptool(board.shows("303a:1001"), "--no-stub", *FILES, *files)
    board.shows("303a:4001")
    return {**done, "erased": erased, "looping": looping, "runs": board.state()}


def with_a_pulled_cable(board: Board, folder: Path) -> dict[str, Any]:
    """Half of the boot loader is written when the power goes; the board comes back as one that does not boot.

    esptool finds it again and tries once more by itself (``WRITE_FLASH_ATTEMPTS``): the cable is pulled twice.
    """
    files = built(folder / "pulled", "--version", "1.0.5")
    board.ask("set_fault", faults=["cable-pulled-mid-write:times=2"])
    enter_by_http(board)
    cut = esptool(board.shows("303a:1001"), "--no-stub", *FILES, *files)
    wait(lambda: board.state()[0] == "boot-loop", told=lambda: (board.state(), cut))
    looping = board.state()
    done = esptool(board.shows("303a:1001"), *FILES, *files)
    board.shows("303a:4001")
    return {**done, "cut": cut, "looping": looping, "runs": board.state()}


def with_a_new_name(board: Board, folder: Path) -> dict[str, Any]:
    """The port leaves in the middle of a write and comes back under another name; the loader is still there.

    The kernel gives a name away as soon as nobody holds it: somebody does here.
    """
    files = built(folder / "renamed", "--version", "1.0.6")
    board.ask("set_fault", faults=["port-renamed-mid-flash:back_ms=300"])
    enter_by_http(board)
    before = board.shows("303a:1001")
    holder = os.open(before, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    cut = esptool(before, *FILES, *files)
    mode, after = board.state(), board.shows("303a:1001")
    os.close(holder)
    done = esptool(after, *FILES, *files)
    board.shows("303a:4001")
    return {**done, "cut": cut, "mode": mode, "names": (before, after), "runs": board.state()}


PROOFS = (
    over_serial_jtag,
    over_usb_otg,
    over_the_bridge,
    from_a_boot_loop,
    with_a_pulled_cable,
    with_a_new_name,
)


def main() -> None:
    folder = Path(sys.argv[1])
    board = Board("esptool", supply="bus")
    found: dict[str, Any] = {}
    try:
        board.ask("plug")
        board.shows("303a:4001")
        for prove in [each for each in PROOFS if each.__name__ in sys.argv[3:]] or PROOFS:
            wait(lambda: board.state()[0] == "application")
            found[prove.__name__] = prove(board, folder)
            (folder / "esptool.json").write_text(json.dumps(found, indent=1))
    finally:
        board.close()


if __name__ == "__main__":
    main()
