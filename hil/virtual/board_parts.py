"""What a virtual board is made of, and what it tells of itself."""

from dataclasses import dataclass
from typing import Literal, Protocol

from hil.virtual.chip import ChipParts
from hil.virtual.ipstack.interface import IpStack
from hil.virtual.seen import Seen
from hil.virtual.usb.device import UsbDevice

Supply = Literal["bus", "own"]
"""bus: the cable powers the board; own: it has another supply, and the cable only connects it."""


class BusWatch(Protocol):
    """The host's side of the bus."""

    async def remote_wakeup(self) -> bool:
        """Signal resume; False where the bus is not suspended or the host did not arm it."""


class Cable(Protocol):
    """A port of the host and the cable in it."""

    @property
    def watch(self) -> BusWatch | None:
        """While a device is plugged in."""

    def plug(self, device: UsbDevice) -> None: ...

    async def unplug(self) -> None: ...


class Console(Protocol):
    """The UART's other end."""

    def write(self, data: bytes) -> int: ...


@dataclass(frozen=True, slots=True)
class BoardParts:
    """What a board is made of."""

    chip: ChipParts
    stack: IpStack
    cable: Cable
    console: Console
    supply: Supply = "bus"


@dataclass(frozen=True, slots=True)
class BoardState:
    powered: bool
    mode: str
    """See :class:`~hil.virtual.chip.Mode`."""
    runs: str
    """Project and version of the application, or why none runs; '' in the loader."""
    plugged: bool
    mounted: bool
    suspended: bool
    link: bool
    """What the firmware wants the host to see."""
    boots: int
    mounts: int
    uptime_ms: int
    """On the board's own clock; 0 without power."""
    faults: dict[str, bool]
    """Each fault's text, and whether it is active."""
    seen: Seen
