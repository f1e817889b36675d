"""Finds what is attached at a topology path, through udev's database."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from hil.bench import SWITCHED, Board
from hil.clock import Deadline, MonotonicClock
from hil.errors import BenchError

NO_APPLICATION = {0x0009: "the ROM's bootloader over USB-OTG", 0x1001: "the bootloader, or USB-Serial/JTAG"}
"""What an ESP32-S3 is called while its own USB stack does not run."""
LOOK_S = 0.2
DEVICES = Path("/sys/bus/usb/devices")
ESPRESSIF = 0x303A
"""Vendor of the chip's own USB identities and of esp_tinyusb's defaults."""


@dataclass(frozen=True)
class Attached:
    """One USB device."""

    path: str
    vid: int
    pid: int
    serial: str
    product: str

    def __str__(self) -> str:
        return f"{self.path} ({self.vid:04x}:{self.pid:04x} {self.product or 'without a name'})"


def attached() -> list[Attached]:
    """Every USB device but root hubs, by topology path."""
    import pyudev

    devices = pyudev.Context().list_devices(subsystem="usb", DEVTYPE="usb_device")
    found = [
        Attached(
            path=device.sys_name,
            vid=int(device.attributes.get("idVendor", b"0"), 16),
            pid=int(device.attributes.get("idProduct", b"0"), 16),
            serial=_text(device.attributes.get("serial")),
            product=_text(device.attributes.get("product")),
        )
        for device in devices
        if not device.sys_name.startswith("usb")
    ]
    return sorted(found, key=lambda device: device.path)


def boards_on_the_bus(devices: Path = DEVICES) -> list[str]:
    """Topology paths with vid:pid of Espressif devices on real ports; read from sysfs, without udev."""
    found = []
    for device in sorted(devices.glob("*-*")):
        if ":" in device.name or "vhci_hcd" in str(device.resolve()):
            continue
        try:
            vid, pid = ((device / name).read_text().strip() for name in ("idVendor", "idProduct"))
        except OSError:
            continue  # it has just gone
        if int(vid, 16) == ESPRESSIF:
            found.append(f"{device.name} ({vid}:{pid})")
    return found


def require_board(spec: Board, devices: list[Attached] | None = None) -> Attached:
    """The application at the board's topology path.

    Raises:
        BenchError: nothing is there, a loader, or a device of another vendor; the message lists what is attached.
    """
    device = require_device(spec, devices)
    if device.pid in NO_APPLICATION:
        place = f"board {spec.name}: usb is {spec.usb!r}"
        raise BenchError(f"{place}: {device} is {NO_APPLICATION[device.pid]}, not an application with NCM")
    return device


def require_device(spec: Board, devices: list[Attached] | None = None) -> Attached:
    """The device at the board's topology path, whatever runs on it.

    Raises:
        BenchError: nothing is there, or a device of another vendor; the message lists what is attached.
    """
    present = attached() if devices is None else devices
    others = ", ".join(str(device) for device in present) or "nothing"
    place = f"board {spec.name}: usb is {spec.usb!r}"
    for device in present:
        if device.path == spec.usb:
            if device.vid != ESPRESSIF:
                raise BenchError(f"{place}: {device} is not an Espressif device (303a); attached: {others}")
            return device
    raise BenchError(f"{place}: nothing is attached there; attached: {others}")


def await_board(
    spec: Board,
    within_s: float,
    look: Callable[[], list[Attached]] = attached,
    *,
    named: Collection[str] = (),
    absent: bool = False,
    devices: Path = DEVICES,
) -> str:
    """See that a board is there, which may just be coming back from a run before.

    Args:
        spec: whose topology path it is.
        within_s: for it to come.
        look: tells what is attached.
        named: topology paths of the bench's boards; an Espressif device elsewhere may be the board.
        absent: whether a board that is not there is no error in any case.
        devices: where sysfs has its USB devices.

    Returns:
        '', or what is attached instead of a board that the bench can do something about.

    Raises:
        BenchError: it is not there ``within_s``; the message lists what is attached.
    """
    deadline = Deadline(within_s)
    while True:
        try:
            require_device(spec, present := look())
            return ""
        except BenchError as error:
            if deadline.passed:
                nothing = all(device.path != spec.usb for device in present)
                if nothing and (absent or _can_be_helped(spec, present, named, devices)):
                    return str(error)
                raise
            MonotonicClock().sleep(LOOK_S)


def _can_be_helped(spec: Board, present: list[Attached], named: Collection[str], devices: Path) -> bool:
    """Whether there is a way to a board that is not on USB, and that its path is a wrong one is not more likely."""
    if spec.console or spec.power.driver in SWITCHED:
        return True
    astray = any(device.vid == ESPRESSIF and device.path not in {spec.usb, *named} for device in present)
    return not astray and (bool(spec.fallback) or (devices / _port_of(spec.usb) / "disable").exists())


def _port_of(path: str) -> Path:
    """The directory of the hub's port below sysfs' USB devices (drivers/usb/core/port.c); kernels before 6.0 keep no
    switch there."""
    hub, _, number = path.rpartition("." if "." in path else "-")
    if "-" in hub:
        return Path(hub, f"{hub}:1.0", f"{hub}-port{number}")
    return Path(f"usb{hub}", f"{hub}-0:1.0", f"usb{hub}-port{number}")


def _text(value: bytes | None) -> str:
    return value.decode("utf-8", "replace").strip() if value else ""
