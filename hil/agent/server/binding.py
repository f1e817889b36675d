"""Whether a device has its driver, as an attribute: 0 unbinds it, 1 binds it.

Unbinding ``usb``, the driver of the device itself, leaves its configuration, and binding chooses one again
(drivers/usb/core/generic.c); unbinding the driver of an interface leaves the configuration as it is.
"""

from pathlib import Path

from hil.errors import AgentError

DRIVERS = {"bound": "usb", "bound_ncm": "cdc_ncm"}
"""Name of the attribute, and the driver."""
_NCM_CONTROL = ("02", "0d")
"""bInterfaceClass and bInterfaceSubClass of the interface that cdc_ncm binds to (NCM 1.0 section 5.1)."""


class Binding:
    """One driver's hold on one device.

    Args:
        name: one of :data:`DRIVERS`.
        device: the device's own directory.
        sysfs: the root of sysfs.

    Raises:
        AgentError: the device has no interface for the driver.
    """

    def __init__(self, name: str, device: Path, sysfs: Path) -> None:
        self._drivers = sysfs / "bus/usb/drivers" / DRIVERS[name]
        self._driven = device if name == "bound" else _ncm_interface(device)

    def read(self) -> str:
        """'1' where the driver, or another one, is bound."""
        return "1" if (self._driven / "driver").is_symlink() else "0"

    def file(self, value: str) -> tuple[Path, str]:
        """The file that ``value`` is brought about by, and what is written to it."""
        return self._drivers / ("bind" if value == "1" else "unbind"), self._driven.name


def _ncm_interface(device: Path) -> Path:
    for interface in sorted(device.glob(f"{device.name}:*")):
        if (_line(interface / "bInterfaceClass"), _line(interface / "bInterfaceSubClass")) == _NCM_CONTROL:
            return interface
    raise AgentError(f"{device.name} has no NCM interface (class {_NCM_CONTROL[0]}, subclass {_NCM_CONTROL[1]})")


def _line(place: Path) -> str:
    try:
        return place.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
