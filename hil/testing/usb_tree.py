"""A sysfs tree with USB devices in it, made of plain files, for code that takes the root of sysfs as an argument.

As in sysfs, a file of a device is a file, what the device is linked to a symbolic link; writing has no effect but that
the file holds the value.
"""

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
        self._controllers: dict[str, Path] = {}
        (root / "bus/usb/devices").mkdir(parents=True)

    def directory(self, path: str) -> Path:
        """Where the device of a topology path is."""
        bus, _, ports = path.partition("-")
        place = self._controllers.get(bus, self._controller) / f"usb{bus}"
        walked = f"{bus}-"
        for number, port in enumerate(ports.split(".")):
            walked += f".{port}" if number else port
            place = place / walked
        return place

    def set_model(self, model: str) -> None:
        """What the firmware says this machine is."""
        _write(self.root / "firmware/devicetree/base", {"model": model + "\0"})

    def add_root_hub(self, bus: int, ports: int, controller: str) -> None:
        """The root hub of a bus of a controller, such as 'platform/1f00200000.usb/xhci-hcd.0'."""
        self._controllers[str(bus)] = self.root / "devices" / controller
        place = self._controllers[str(bus)] / f"usb{bus}"
        _write(place, {"maxchild": str(ports), "bDeviceClass": "09", "busnum": str(bus)})
        self._link(f"usb{bus}", place)
        for number in range(1, ports + 1):
            _write(self._port(f"{bus}-{number}"), {"disable": "0"})

    def add_hub(
        self, path: str, ports: int, vid: str = "1a40", pid: str = "0101", product: str = "USB 2.0 Hub"
    ) -> None:
        """A hub that is no root hub."""
        place = self.attach(path, vid=vid, pid=pid, product=product)
        _write(place, {"maxchild": str(ports), "bDeviceClass": "09"})
        for number in range(1, ports + 1):
            _write(self._port(f"{path}.{number}"), {"disable": "0"})

    def pair(self, port: str, other: str) -> None:
        """The ports that two devices would hang on are the halves of one USB 3 port."""
        for one, two in ((port, other), (other, port)):
            (self._port(one) / "peer").symlink_to(self._port(two))

    def attach(
        self, path: str, number: int = 2, vid: str = "303a", pid: str = "4001", product: str = "Espressif Device"
    ) -> Path:
        """Make a device and the hubs above it. Returns its directory."""
        if "." in path and not self.directory(path.rpartition(".")[0]).exists():
            self.attach(path.rpartition(".")[0])
        bus, _, port = path.partition("-")
        place = self.directory(path)
        identity = {"busnum": bus, "devpath": port, "devnum": str(number)}
        names = {"idVendor": vid, "idProduct": pid, "product": product, "bDeviceClass": "ef"}
        _write(place, {**identity, **names, **_ATTRIBUTES})
        self._link(f"usb{bus}", self._controllers.get(bus, self._controller) / f"usb{bus}")
        self._link(path, place)
        _write(self._port(path), {"disable": "0"})
        return place

    def add_interface(self, path: str, name: str, index: int) -> None:
        """Give the device a network interface."""
        _write(self.directory(path) / f"{path}:1.0/net/{name}", {"ifindex": str(index)})

    def add_tty(self, path: str, name: str, number: tuple[int, int]) -> None:
        """Give the device a serial port as cdc_acm shows it."""
        _write(self.directory(path) / f"{path}:1.2/tty/{name}", {"dev": f"{number[0]}:{number[1]}"})

    def bind(self, path: str, driver: str, interface: str = "", kind: tuple[str, str] = ("", "")) -> Path:
        """Give the device, or one of its interfaces of class and subclass ``kind``, a driver. Returns its directory."""
        place = self.root / "bus/usb/drivers" / driver
        _write(place, {"bind": "", "unbind": ""})
        driven = self.directory(path) / interface if interface else self.directory(path)
        if interface:
            _write(driven, {"bInterfaceClass": kind[0], "bInterfaceSubClass": kind[1]})
        (driven / "driver").symlink_to(place)
        return place

    def attribute(self, path: str, name: str) -> str:
        """What a file of the device holds now."""
        return (self.directory(path) / name).read_text().strip()

    def _port(self, path: str) -> Path:
        hub, dot, port = path.rpartition(".")
        if dot:
            return self.directory(hub) / f"{hub}:1.0" / f"{hub}-port{port}"
        bus, _, port = path.partition("-")
        return self._controllers.get(bus, self._controller) / f"usb{bus}" / f"{bus}-0:1.0" / f"usb{bus}-port{port}"

    def _link(self, name: str, target: Path) -> None:
        link = self.root / "bus/usb/devices" / name
        if not link.is_symlink():
            link.symlink_to(target)


def _write(place: Path, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(value + "\n")
