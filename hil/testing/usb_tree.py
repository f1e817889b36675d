"""A sysfs tree with USB devices in it, made of plain files, for code that takes the root of sysfs as an argument."""

from collections.abc import Mapping
from pathlib import Path

_ATTRIBUTES = {
    "authorized": "1",
    "power/control": "on",
    "power/autosuspend_delay_ms": "2000",
    "power/runtime_status": "active",
}


class UsbTree:
    """``root`` looks like /sys with the buses and devices that were asked for."""

    def __init__(self, root: Path, controller: str = "platform/vhci_hcd.0") -> None:
        self.root = root
        self._controller = root / "devices" / controller
        (root / "bus/usb/devices").mkdir(parents=True)

    def directory(self, path: str) -> Path:
        """Where the device of a topology path is."""
        bus, _, ports = path.partition("-")
        place = self._controller / f"usb{bus}"
        walked = f"{bus}-"
        for number, port in enumerate(ports.split(".")):
            walked += f".{port}" if number else port
            place = place / walked
        return place

    def attach(self, path: str, number: int = 2) -> Path:
        """Make a device and the hubs above it. Returns its directory."""
        if "." in path and not self.directory(path.rpartition(".")[0]).exists():
            self.attach(path.rpartition(".")[0])
        bus, _, port = path.partition("-")
        place = self.directory(path)
        identity = {"busnum": bus, "devpath": port, "devnum": str(number)}
        _write(place, {**identity, **_ATTRIBUTES})
        self._link(f"usb{bus}", self._controller / f"usb{bus}")
        self._link(path, place)
        _write(self._port(path), {"disable": "0"})
        return place

    def add_interface(self, path: str, name: str, index: int) -> None:
        """Give the device a network interface."""
        _write(self.directory(path) / f"{path}:1.0/net/{name}", {"ifindex": str(index)})

    def add_tty(self, path: str, name: str, number: tuple[int, int]) -> None:
        """Give the device a serial port as cdc_acm shows it."""
        _write(self.directory(path) / f"{path}:1.2/tty/{name}", {"dev": f"{number[0]}:{number[1]}"})

    def attribute(self, path: str, name: str) -> str:
        """What a file of the device holds now."""
        return (self.directory(path) / name).read_text().strip()

    def _port(self, path: str) -> Path:
        hub, dot, port = path.rpartition(".")
        if dot:
            return self.directory(hub) / f"{hub}:1.0" / f"{hub}-port{port}"
        bus, _, port = path.partition("-")
        return self._controller / f"usb{bus}" / f"{bus}-0:1.0" / f"usb{bus}-port{port}"

    def _link(self, name: str, target: Path) -> None:
        link = self.root / "bus/usb/devices" / name
        if not link.is_symlink():
            link.symlink_to(target)


def _write(place: Path, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(value + "\n")
