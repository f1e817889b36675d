"""What the firmware core tells its port to do: ``fw_command`` of ``firmware/core/src/fw_core.h``, one class each."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

from hil.virtual import core_abi


@dataclass(frozen=True, slots=True)
class StartUsb:
    """Install the USB driver: the board appears on the bus."""


@dataclass(frozen=True, slots=True)
class StartNetif:
    """Start the network interface; where no :class:`StartDhcpServer` follows, answer with
    :meth:`Firmware.netif_started`."""

    address: str
    """0.0.0.0: without an address."""
    prefix: int


@dataclass(frozen=True, slots=True)
class StartDhcpServer:
    """Start the DHCP server; answer this and :class:`StartNetif` with :meth:`Firmware.netif_started`."""

    first: str
    last: str
    lease_s: int
    router: str
    """0.0.0.0: no router option."""
    dns: str


@dataclass(frozen=True, slots=True)
class StartHttp:
    """Listen on port 80."""


@dataclass(frozen=True, slots=True)
class UsbDisconnect:
    """Leave the bus (tud_disconnect)."""


@dataclass(frozen=True, slots=True)
class UsbConnect:
    """Come back on the bus (tud_connect)."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """Tell the host by NETWORK_CONNECTION, even if it was told the same before."""

    up: bool
    reason: str


@dataclass(frozen=True, slots=True)
class TransmitFrame:
    """Hand a frame to USB; answer with :meth:`Firmware.frame_sent`."""

    frame: bytes


@dataclass(frozen=True, slots=True)
class RemoteWakeup:
    """Signal resume on the bus."""


@dataclass(frozen=True, slots=True)
class ConsoleWrite:
    """One log line, LF included, for the UART."""

    data: bytes


@dataclass(frozen=True, slots=True)
class CdcWrite:
    """One log line, LF included, for the CDC-ACM port."""

    data: bytes
    whole: bool = True
    """Sent when the port has room for all of it; else what finds no room is lost."""


@dataclass(frozen=True, slots=True)
class Restart:
    """Restart the chip."""

    delay_ms: int
    """Still to wait; 0, as the core itself has let the answer go out first."""


@dataclass(frozen=True, slots=True)
class Led:
    """Switch the LED."""

    on: bool


@dataclass(frozen=True, slots=True)
class PhyToSerialJtag:
    """Give the USB PHY to USB-Serial/JTAG; without it USB-OTG has it, over a restart too."""


@dataclass(frozen=True, slots=True)
class ForceDownload:
    """Set or clear the force-download bit: the ROM that finds it set waits for a download, and never clears it."""

    on: bool


@dataclass(frozen=True, slots=True)
class SetAddress:
    """Static role: nobody else has it, so use it; the firmware announces it itself."""

    address: str
    prefix: int
    router: str
    """0.0.0.0: none."""


@dataclass(frozen=True, slots=True)
class ClearAddress:
    """Static role: stop using the address at once."""


@dataclass(frozen=True, slots=True)
class StartDhcpClient:
    """Begin with DISCOVER; tell :meth:`Firmware.leased` of each change of the address."""


@dataclass(frozen=True, slots=True)
class StopDhcpClient:
    """The link is down: forget the lease."""


Command = (
    StartUsb
    | StartNetif
    | StartDhcpServer
    | StartHttp
    | UsbDisconnect
    | UsbConnect
    | LinkState
    | TransmitFrame
    | RemoteWakeup
    | ConsoleWrite
    | CdcWrite
    | Restart
    | Led
    | PhyToSerialJtag
    | ForceDownload
    | SetAddress
    | ClearAddress
    | StartDhcpClient
    | StopDhcpClient
)

_DECODERS: dict[int, Callable[[core_abi.Command], Command]] = {
    core_abi.START_USB: lambda c: StartUsb(),
    core_abi.START_NETIF: lambda c: StartNetif(core_abi.address(c.address), c.prefix),
    core_abi.START_DHCP_SERVER: lambda c: StartDhcpServer(
        core_abi.address(c.first),
        core_abi.address(c.last),
        c.lease_s,
        core_abi.address(c.router),
        core_abi.address(c.dns),
    ),
    core_abi.START_HTTP: lambda c: StartHttp(),
    core_abi.USB_DISCONNECT: lambda c: UsbDisconnect(),
    core_abi.USB_CONNECT: lambda c: UsbConnect(),
    core_abi.LINK_STATE: lambda c: LinkState(bool(c.on), c.text.decode()),
    core_abi.TRANSMIT_FRAME: lambda c: TransmitFrame(_bytes(c)),
    core_abi.REMOTE_WAKEUP: lambda c: RemoteWakeup(),
    core_abi.CONSOLE_WRITE: lambda c: ConsoleWrite(_bytes(c)),
    core_abi.CDC_WRITE: lambda c: CdcWrite(_bytes(c)),
    core_abi.RESTART: lambda c: Restart(c.delay_ms),
    core_abi.LED: lambda c: Led(bool(c.on)),
    core_abi.PHY_TO_SERIAL_JTAG: lambda c: PhyToSerialJtag(),
    core_abi.FORCE_DOWNLOAD: lambda c: ForceDownload(bool(c.on)),
    core_abi.SET_ADDRESS: lambda c: SetAddress(core_abi.address(c.address), c.prefix, core_abi.address(c.router)),
    core_abi.CLEAR_ADDRESS: lambda c: ClearAddress(),
    core_abi.START_DHCP_CLIENT: lambda c: StartDhcpClient(),
    core_abi.STOP_DHCP_CLIENT: lambda c: StopDhcpClient(),
}


def decode(command: core_abi.Command) -> Command:
    """One command of the core, its bytes copied: C may overwrite them with the next."""
    return _DECODERS[command.kind](command)


def _bytes(command: core_abi.Command) -> bytes:
    return ctypes.string_at(command.bytes, command.length)
