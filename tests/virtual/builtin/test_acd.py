"""Faults of a static address: each makes one mistake of the core, and its finding comes out of what the core sends.

The core runs on simulated time beside hosts that ask for its address, claim it, or probe for it.
"""

from collections.abc import Callable

import pytest

from hil.capture.frames import decode
from hil.catalogue import FAULTS
from hil.clock import to_ns
from hil.personas.arp_hosts import FOREIGN_MAC, Asker, Squatter
from hil.personas.commands import SendFrame
from hil.testing.handmade import at, attached, names
from hil.timeline.events import Carrier, Event, ProfileRead
from hil.virtual.builtin.acd import ACD_FAULTS, AcdFault
from hil.virtual.core_abi import FirmwareConfig
from hil.virtual.firmware import ClearAddress, Command, Firmware, LinkState, SetAddress, StartNetif, TransmitFrame
from hil.wire import arp
from hil.wire.arp import ArpPacket
from hil.wire.ethernet import ETHERTYPE_ARP, EthernetFrame

ADDRESS, BOARD_MAC, HOST_MAC = "192.168.7.1", "02:02:11:22:33:02", "02:02:11:22:33:01"
MOUNTED_MS, BOUNCE_MS, CLAIMS_MS, END_MS, STEP_MS = 600, 14_000, (14_000, 16_000), 26_000, 10
STATIC = at(-5.0, ProfileRead("reference-static", ADDRESS, 24, "", "", "", "static"), "harness")
FINDINGS = {entry.fault: entry.finding for entry in FAULTS}
Squat = Callable[["Link", int], None]


class Link:
    """The core, the IP stack that answers ARP for it, and the hosts at the other end."""

    def __init__(self, config: FirmwareConfig, squat: Squat) -> None:
        self.events: list[Event] = [STATIC, attached(MOUNTED_MS / 1e3)]
        self.squatter = Squatter(ADDRESS, 0.0)
        self._asker = Asker("192.168.7.253", ADDRESS, 0.25)
        self._squat = squat
        self._address = ""
        self._firmware = Firmware(config=config)
        self._firmware.set_mac(BOARD_MAC)
        self._now_ms = 0

    def run(self) -> list[Event]:
        self._do(self._firmware.boot("POWERON", 0))
        for self._now_ms in range(STEP_MS, END_MS, STEP_MS):
            self._do(self._firmware.wake(self._now_ms))
            if self._now_ms == MOUNTED_MS:
                self.mount()
            for command in self._asker.wake(to_ns(self._now_ms / 1e3)):
                assert isinstance(command, SendFrame)
                self.send(command.frame)
            self._squat(self, self._now_ms)
        return self.events

    def mount(self) -> None:
        self._do(self._firmware.mounted(self._now_ms))

    def send(self, frame: bytes) -> None:
        """A frame of a host."""
        self._saw(frame, "host")
        taken, commands = self._firmware.frame_received(frame, self._now_ms)
        self._do(commands)
        asked = ArpPacket.parse(EthernetFrame.parse(frame).payload)
        if taken and asked.op == arp.REQUEST and asked.target_ip == self._address and not asked.is_announcement:
            answer = ArpPacket(arp.REPLY, BOARD_MAC, ADDRESS, asked.sender_mac, asked.sender_ip)
            reply = EthernetFrame(asked.sender_mac, BOARD_MAC, ETHERTYPE_ARP, answer.pack()).pack()
            self._do(self._firmware.send_frame(reply, self._now_ms))

    def _do(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case StartNetif():
                    self._do(self._firmware.netif_started(self._now_ms))
                case LinkState(up):
                    self.events.append(at(self._now_ms / 1e3, Carrier(up, "usb0"), "netlink"))
                    self._asker.attached(HOST_MAC, up, to_ns(self._now_ms / 1e3))
                case SetAddress(address):
                    self._address = address
                case ClearAddress():
                    self._address = ""
                case TransmitFrame(frame):
                    self._saw(frame, "board")
                    self._do(self._firmware.frame_sent(frame, True, "", self._now_ms))

    def _saw(self, frame: bytes, sender: str) -> None:
        self.events.append(at(self._now_ms / 1e3 + (sender == "board") / 1e3, decode(frame, sender, {}), "packet"))


def nobody(link: Link, now_ms: int) -> None:
    """No host wants the address."""


def occupied(link: Link, now_ms: int) -> None:
    """A host has it, and says so each half second."""
    if now_ms % 500 == 0:
        link.send(link.squatter.claim())


def claimed(link: Link, now_ms: int) -> None:
    """A host claims it twice, two seconds apart, when it is in use."""
    if now_ms in CLAIMS_MS:
        link.send(link.squatter.claim())


def rivalled(link: Link, now_ms: int) -> None:
    """A host probes for it too, 0.3 s after the board's first probe."""
    probes = [event for event in link.events if getattr(event, "sender_ip", "") == arp.UNSPECIFIED_IP]
    if len(probes) == 1 and to_ns(now_ms / 1e3) - probes[0].t_ns > to_ns(0.3):
        link.send(link.squatter.probe())


def bounced(link: Link, now_ms: int) -> None:
    """The host selects the configuration anew: the board takes the link down and up."""
    if now_ms == BOUNCE_MS:
        link.mount()


SITUATIONS = {
    "probe-answers-ignored": occupied,
    "rival-probes-ignored": rivalled,
    "no-defence": claimed,
    "defends-always": claimed,
    "no-new-probes": bounced,
}


@pytest.mark.parametrize("fault", ACD_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_throws_its_switch_and_no_other(fault: type[AcdFault]) -> None:
    """Everything else of the build stays as it is."""
    made = fault({}).configure(FirmwareConfig())
    changed = {name for name, value in vars(made).items() if value != getattr(FirmwareConfig(), name)}
    assert changed == {fault.mistake}


@pytest.mark.parametrize("seed", range(1, 9))
@pytest.mark.parametrize("fault", ACD_FAULTS, ids=lambda fault: fault.name)
def test_what_the_core_sends_with_a_fault_is_named(fault: type[AcdFault], seed: int) -> None:
    """In the situation that shows it, whatever its pauses are: its own finding and no other."""
    config = fault({}).configure(FirmwareConfig(role="static", seed=seed))
    events = Link(config, SITUATIONS.get(fault.name, nobody)).run()
    assert names(events, END_MS / 1e3) == [FINDINGS[fault.name]]


@pytest.mark.parametrize("seed", range(1, 9))
@pytest.mark.parametrize("squat", [nobody, occupied, claimed, rivalled, bounced], ids=lambda squat: squat.__name__)
def test_what_the_core_sends_by_itself_is_clean(squat: Squat, seed: int) -> None:
    """The same situations, no mistake, no finding."""
    assert names(Link(FirmwareConfig(role="static", seed=seed), squat).run(), END_MS / 1e3) == []


def test_a_squatters_hardware_address_is_nobody_elses() -> None:
    """Else the board would hear itself."""
    assert FOREIGN_MAC not in (BOARD_MAC, HOST_MAC)
