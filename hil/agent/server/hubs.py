"""Which ports lose their power together, and what hangs on them: the hubs of this machine as sysfs shows them.

What a hub says of itself is true of most hubs outside: per-port switching (``ppps``) or all ports at once (``ganged``;
USB 2.0 section 11.11: the gang is without power once every port of it is off). A USB 3 port has a second half on a
SuperSpeed hub, which the kernel calls its peer (drivers/usb/core/port.c); power goes when both halves are off.

The hubs of a Raspberry Pi claim per-port switching and have none. On a Pi 5 the four ports hang on two controllers,
``xhci-hcd.0`` and ``xhci-hcd.1``, and are one gang (uhubctl's README, "Raspberry Pi 5"). On earlier ones a single port
switches others too (raspberrypi/linux issue 3079; uhubctl's README), differently from model to model.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from hil.bench import port_path
from hil.errors import AgentRefused, SetupError

RASPBERRY_PI, PI_5 = "Raspberry Pi", "Raspberry Pi 5"
_RP1 = re.compile(r"xhci-hcd\.\d+")
_VHCI = re.compile(r"vhci_hcd\.\d+")
_PORT = re.compile(r"(?:usb)?(.+)-port(\d+)")
_PI_HUBS = {"1-1": ("2109:3431", "0424:9512", "0424:9514", "0424:2514"), "1-1.1": ("0424:2514",)}
"""Hubs on the boards of Raspberry Pis before the 5, by topology path: VL805's and Microchip's."""
_HUB_CLASS = "09"


@dataclass(frozen=True, order=True, slots=True)
class HubPort:
    """One port of one hub."""

    hub: str
    """Topology path, or the bus number of a root hub."""
    number: int

    @classmethod
    def of(cls, path: str) -> Self:
        """The port that a device hangs on."""
        hub, _, number = path.rpartition("." if "." in path else "-")
        return cls(hub, int(number))

    @property
    def path(self) -> str:
        """Topology path of what hangs there."""
        return port_path(self.hub, self.number)

    @property
    def place(self) -> Path:
        """Its directory below ``bus/usb/devices`` (drivers/usb/core/port.c)."""
        if "-" in self.hub:
            return Path(self.hub, f"{self.hub}:1.0", f"{self.hub}-port{self.number}")
        return Path(f"usb{self.hub}", f"{self.hub}-0:1.0", f"usb{self.hub}-port{self.number}")


class Hubs:
    """The hubs of the machine whose sysfs this is."""

    def __init__(self, sysfs: Path) -> None:
        self._devices = sysfs / "bus/usb/devices"
        self._model = sysfs / "firmware/devicetree/base/model"

    def model(self) -> str:
        """Such as 'Raspberry Pi 5 Model B Rev 1.0'; '' where the firmware tells none."""
        return _text(self._model).rstrip("\0")

    def gang(self, port: HubPort, ganged: bool) -> list[HubPort]:
        """Every port that must be switched so that ``port`` loses its power; all of them lose theirs.

        Args:
            port: the one that is wanted.
            ganged: its hub says that it switches all of its ports together.

        Raises:
            SetupError: it is a port of a Raspberry Pi whose gangs are not known here.
        """
        if self._on_board(port.hub):
            return self._pi_5_ports(port)
        own = self._ports(port.hub) if ganged else [port]
        return sorted({*own, *(peer for each in own if (peer := self._peer(each)) is not None)})

    def lost_with(self, port: HubPort) -> list[HubPort]:
        """Ports that may lose their power when ``port`` alone is switched off."""
        if self._on_board(port.hub) and not self._is_pi_5_hub(port.hub):
            return sorted({each for hub in self._hubs() if self._on_board(hub) for each in self._ports(hub)})
        return [port]

    def require_named(self, ports: Iterable[HubPort], named: Collection[str], place: str) -> None:
        """Check that nothing but what is named hangs on the ports, apart from hubs on the way to it.

        Args:
            ports: those that lose their power.
            named: topology paths that may.
            place: who names them.

        Raises:
            AgentRefused: something else hangs there; the message lists it.
        """
        tops = tuple(f"{port.path}." for port in ports)
        strange = [
            self._described(path)
            for path in self._attached()
            if f"{path}.".startswith(tops) and path not in named and not self._leads_to(path, named)
        ]
        if strange:
            them = "them" if len(strange) > 1 else "it"
            raise AgentRefused(
                f"{_listed(ports)} may not be switched off: {', '.join(strange)} would lose power too, and {place} "
                f"does not name {them}; name {them} in also_off of bench.toml, or take a hub with per-port switching"
            )

    def _leads_to(self, path: str, named: Collection[str]) -> bool:
        is_hub = _text(self._devices / path / "bDeviceClass") == _HUB_CLASS
        return is_hub and any(each.startswith((f"{path}.", f"{path}-")) for each in named)

    def _on_board(self, hub: str) -> bool:
        """A hub of the Raspberry Pi itself."""
        if not self.model().startswith(RASPBERRY_PI):
            return False
        if "-" not in hub:
            return not _VHCI.fullmatch(self._controller(hub))
        return _identity(self._devices / hub) in _PI_HUBS.get(hub, ()) and not self.model().startswith(PI_5)

    def _is_pi_5_hub(self, hub: str) -> bool:
        return self.model().startswith(PI_5) and "-" not in hub and bool(_RP1.fullmatch(self._controller(hub)))

    def _pi_5_ports(self, port: HubPort) -> list[HubPort]:
        if not self._is_pi_5_hub(port.hub):
            raise SetupError(
                f"port {port.number} of hub {port.hub} is one of {self.model()}'s own, which hil cannot switch; "
                "put the board on a hub with per-port switching"
            )
        return sorted({each for hub in self._hubs() if self._is_pi_5_hub(hub) for each in self._ports(hub)})

    def _hubs(self) -> list[str]:
        """Every hub, root hubs by the number of their bus."""
        found = (place.name.removeprefix("usb") for place in self._devices.glob("*") if ":" not in place.name)
        return sorted(hub for hub in found if self._size(hub))

    def _ports(self, hub: str) -> list[HubPort]:
        return [HubPort(hub, number) for number in range(1, self._size(hub) + 1)]

    def _size(self, hub: str) -> int:
        """``maxchild``: 0 of what is no hub."""
        text = _text(self._place(hub) / "maxchild")
        return int(text) if text.isdecimal() else 0

    def _peer(self, port: HubPort) -> HubPort | None:
        link = self._devices / port.place / "peer"
        found = _PORT.fullmatch(link.resolve().name) if link.is_symlink() else None
        return HubPort(found[1], int(found[2])) if found else None

    def _controller(self, bus: str) -> str:
        return self._place(bus).resolve().parent.name

    def _place(self, hub: str) -> Path:
        return self._devices / (hub if "-" in hub else f"usb{hub}")

    def _attached(self) -> list[str]:
        """Topology path of every device that is no root hub."""
        return sorted(place.name for place in self._devices.glob("*-*") if ":" not in place.name)

    def _described(self, path: str) -> str:
        place = self._devices / path
        name = _text(place / "product") or ("a hub" if _text(place / "bDeviceClass") == _HUB_CLASS else "no name")
        return f"{path} ({_identity(place)} {name})"


def _identity(place: Path) -> str:
    return f"{_text(place / 'idVendor')}:{_text(place / 'idProduct')}"


def _listed(ports: Iterable[HubPort]) -> str:
    by_hub: dict[str, list[str]] = {}
    for port in ports:
        by_hub.setdefault(port.hub, []).append(str(port.number))
    words = [f"port {'+'.join(numbers)} of hub {hub}" for hub, numbers in by_hub.items()]
    return ", ".join(words)


def _text(place: Path) -> str:
    """The text of a sysfs file; '' where it cannot be read."""
    try:
        return place.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
