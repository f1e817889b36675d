"""The boards that are captured: which part of the device tree, which bus address and which claims are theirs."""

from dataclasses import dataclass, field
from pathlib import Path

from hil.capture.claims import Claims
from hil.capture.source import SYS

USB_DEVICES = Path("bus/usb/devices")


@dataclass
class CapturedBoard:
    """One board; ``address`` follows it through every re-enumeration."""

    name: str
    paths: dict[str, str]
    """Topology path by port: usb, console."""
    claims: Claims = field(default_factory=Claims)
    address: tuple[int, int] | None = None
    """Bus and device number of its USB port's device, while there is one."""
    namespaced: bool = False
    """A uevent socket is open in the board's own network namespace."""


class Boards:
    """All boards by name."""

    def __init__(self, sysfs: Path = SYS) -> None:
        self.sysfs = sysfs
        self._boards: dict[str, CapturedBoard] = {}

    def add(self, name: str, paths: dict[str, str], claims: Claims) -> CapturedBoard:
        """A new board, or new facts about one that is known."""
        known = self._boards.get(name)
        board = CapturedBoard(name, paths, claims, namespaced=known.namespaced if known else False)
        board.address = self._read_address(paths.get("usb", ""))
        self._boards[name] = board
        return board

    def get(self, name: str) -> CapturedBoard:
        """The board called ``name``; one that nobody announced has no paths and no claims."""
        return self._boards.setdefault(name, CapturedBoard(name, {}))

    def owner(self, devpath: str) -> tuple[CapturedBoard, str] | None:
        """The board, and which of its topology paths, that a device path of sysfs lies on or under."""
        parts = {part.partition(":")[0] for part in devpath.split("/")}
        for board in self._boards.values():
            for path in board.paths.values():
                if path in parts:
                    return board, path
        return None

    def attribute(self, path: str, name: str) -> str:
        """An attribute of the USB device at a topology path; '' where there is none."""
        return read_attribute(self.sysfs / USB_DEVICES / path / name) if path else ""

    def _read_address(self, path: str) -> tuple[int, int] | None:
        bus, device = self.attribute(path, "busnum"), self.attribute(path, "devnum")
        return (int(bus), int(device)) if bus.isdecimal() and device.isdecimal() else None


def read_attribute(path: Path) -> str:
    """The text of a sysfs file; '' where it cannot be read, as while the device goes away."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
