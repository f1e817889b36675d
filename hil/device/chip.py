"""What a board's chip can be asked apart from its firmware: what runs on it, its loader, and its flash."""

from dataclasses import dataclass
from typing import Protocol

from hil.bench import Board
from hil.board.interfaces import UsbAgent
from hil.clock import Clock
from hil.device.actions import Actions
from hil.device.bootloader import Bootloader
from hil.device.flashing import Flashing
from hil.device.held_boot import PowerWithBoot
from hil.device.lent_port import PortCapture, lender
from hil.device.loader_ways import Ways
from hil.device.mode import Modes
from hil.device.readings import Readings
from hil.device.recovery import Eyes
from hil.device.running import Teller
from hil.device.usb_network import UsbNetwork
from hil.device.witness import Witness
from hil.profiles import Profile


class ChipCapture(PortCapture, Protocol):
    """What a chip needs of :class:`hil.capture.client.Capture`."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What everything that is done to one board is done with."""

    spec: Board
    profile: Profile
    agent: UsbAgent
    actions: Actions
    readings: Readings
    witness: Witness
    capture: ChipCapture
    clock: Clock


class Chip:
    """One board's.

    Args:
        parts: what it is reached with.
        power: power with BOOT held, where the bench has it.
    """

    def __init__(self, parts: Parts, power: PowerWithBoot | None = None) -> None:
        spec, agent, witness, clock = parts.spec, parts.agent, parts.witness, parts.clock
        self.lend = lender(spec, agent, parts.capture)
        self.modes = Modes(spec, agent, witness, parts.profile.log.serial_jtag)
        self.eyes = Eyes(spec, agent, self.modes, witness, clock)
        ways = Ways(
            spec,
            parts.profile,
            agent=agent,
            modes=self.modes,
            readings=parts.readings,
            witness=witness,
            lend=self.lend,
            clock=clock,
            power=power,
        )
        network = UsbNetwork(spec, parts.profile, agent, witness)
        self.bootloader = Bootloader(
            spec,
            parts.profile,
            ways,
            agent=agent,
            actions=parts.actions,
            modes=self.modes,
            witness=witness,
            lend=self.lend,
            clock=clock,
        )
        self.flashing = Flashing(
            spec,
            actions=parts.actions,
            bootloader=self.bootloader,
            modes=self.modes,
            teller=Teller(
                spec,
                parts.profile,
                witness=witness,
                readings=parts.readings,
                network=network,
                clock=clock,
            ),
            network=network,
            witness=witness,
            lend=self.lend,
            clock=clock,
        )
