"""A virtual board made of the kernel's own parts: two vhci_hcd ports, a namespace, a TAP and a veth pair."""

import fcntl
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from hil.errors import VirtualBoardError
from hil.virtual.auto_reset import AutoReset
from hil.virtual.board import VirtualBoard
from hil.virtual.board_parts import BoardParts
from hil.virtual.board_spec import BoardSpec
from hil.virtual.chip import ChipParts
from hil.virtual.fault_loader import load
from hil.virtual.flash import FlashChip, open_when_free
from hil.virtual.ipstack.kernel_stack import KernelStack, Lan
from hil.virtual.registry import Registry, furnish
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.usb.cable import Cable
from hil.virtual.usb.uart_bridge import UartBridge
from hil.virtual.usb.vhci import Vhci, VhciPort

LOCKS = Path("/run")
LAN_FIRST = IPv4Address("192.0.2.7")
"""Of the board in the first port; 192.0.2.0/24 is for documentation (RFC 5737)."""


@dataclass(slots=True)
class Assembly:
    """A board and what was reserved for it."""

    board: VirtualBoard
    usb: str
    """Topology path of the board's own port."""
    console: str
    """Topology path of its UART bridge."""
    lan: str
    address: str
    _console_cable: Cable
    _undo: ExitStack

    async def close(self) -> None:
        """Unplug everything and give back what the kernel held."""
        try:
            await self.board.close()
            await self._console_cable.unplug()
        finally:
            self._undo.close()


async def assemble(spec: BoardSpec, on_died: Callable[[VirtualBoardError], None]) -> Assembly:
    """The board of ``spec``, without power; its console bridge is plugged in.

    Raises:
        VirtualBoardError: a fault cannot be loaded, no port is free, or the kernel refuses something.
        SetupError: vhci_hcd, tun, a compiler or a permission is missing.
    """
    faults = [load(text) for text in spec.faults]
    registry = Registry(spec.mac, spec.library_path, spec.firmware, spec.tinyusb)
    vhci = Vhci(Path(spec.vhci))
    with ExitStack() as undo:
        flash = await open_when_free(spec.flash_path) if spec.flash_path else FlashChip()
        undo.callback(flash.close)
        furnish(flash, registry.factory, spec.flash_path and spec.flash_path.with_suffix(".factory"))
        usb_port, console_port = (_reserve(vhci, undo) for _ in range(2))
        address = spec.address or lan_address(usb_port)
        stack = KernelStack(spec.board, Lan(spec.lan_name, address), http_single_task=spec.http_single_task)
        undo.callback(stack.close)
        lines = AutoReset()
        undo.callback(lines.close)
        bridge = UartBridge(spec.mac.replace(":", ""), lines)
        lines.baud = lambda: bridge.serial.line_coding.baud
        console_cable = Cable(vhci, console_port)
        console_cable.plug(bridge)
        chip = ChipParts(ChipIdentity(spec.mac), flash, registry, spec.drift_ppm)
        parts = BoardParts(chip, stack, Cable(vhci, usb_port), bridge.serial, spec.supply)
        board = lines.chip = VirtualBoard(parts, faults, on_died)
        return Assembly(board, usb_port.path, console_port.path, spec.lan_name, address, console_cable, undo.pop_all())


def lan_address(port: VhciPort) -> str:
    """An address that no other virtual board of this machine has, because nobody else has the port."""
    return str(LAN_FIRST + port.number)


def _reserve(vhci: Vhci, undo: ExitStack) -> VhciPort:
    """A free port that no other virtual board has reserved; the kernel ends the reservation with the process."""
    for port in vhci.ports():
        if vhci.is_free(port):
            lock = os.open(LOCKS / f"hil-vhci-{port.path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            undo.callback(os.close, lock)
            return port
    paths = ", ".join(port.path for port in vhci.ports())
    raise VirtualBoardError(f"vhci_hcd: all ports are in use or reserved: {paths}")
