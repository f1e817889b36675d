"""Faults of a static address: each makes one mistake of the core, and its finding comes out of what the core sends.

The core runs on simulated time beside hosts that ask for its address, claim it, or probe for it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from hil.capture.frames import decode
from hil.catalogue import FAULTS
from hil.clock import to_ns
from hil.personas.arp_hosts import FOREIGN_MAC, Asker, Mirror, Squatter
from hil.personas.commands import SendFrame
from hil.testing.handmade import action, at, attached, names
from hil.timeline.events import ArpRequest, Carrier, Event, ProfileRead
from hil.virtual.builtin.acd import ACD_FAULTS, AcdFault
from hil.virtual.core_abi import FirmwareConfig
from hil.virtual.firmware import ClearAddress, Command, Firmware, LinkState, SetAddress, StartNetif, TransmitFrame
from hil.wire import arp
from hil.wire.arp import ArpPacket
from hil.wire.ethernet import ETHERTYPE_ARP, EthernetFrame

ADDRESS, BOARD_MAC, HOST_MAC = "192.168.7.1", "02:02:11:22:33:02", "02:02:11:22:33:01"
MOUNTED_MS, BOUNCE_MS, CLAIMS_MS, END_MS, STEP_MS = 600, 14_000, (14_000, 16_000), 26_000, 10
BOOTS_MS, BOOTS_END_MS = (0, 12_000, 24_000, 36_000, 48_000), 58_000
STATIC = at(-5.0, ProfileRead("reference-static", ADDRESS, 24, "", "", "", "static"), "harness")
FINDINGS = {entry.fault: entry.finding for entry in FAULTS}


def nobody(link: "Link", now_ms: int) -> None:
    """No host wants the address."""


@dataclass(frozen=True)
class Situation:
    """What the hosts beside the board do, and for how long."""

    squat: Callable[["Link", int], None] = nobody
    asks_for: str = ADDRESS
    mirrored: bool = False
    boots_ms: tuple[int, ...] = (0,)
    end_ms: int = END_MS

    @property
    def seeds(self) -> range:
        """Of the board's pauses: more for what is soon over."""
        return range(1, 9) if self.end_ms <= END_MS else range(1, 3)


class Link:
    """The core, the IP stack that answers ARP for it, and the hosts at the other end."""

    def __init__(self, config: FirmwareConfig, situation: Situation) -> None:
        self.events: list[Event] = [STATIC]
        self.squatter = Squatter(ADDRESS, 0.0)
        self.asker = Asker("192.168.7.253", situation.asks_for, 0.25)
        self.curious = Asker("192.168.7.252", ADDRESS, 0.0)
        self.curious.attached(HOST_MAC, True, 0)
        self._mirror = Mirror(0.003)
        self._situation = situation
        self._address = ""
        self._firmware = Firmware(config=config)
        self._firmware.set_mac(BOARD_MAC)
        self._now_ms = 0
        self._up_ms = 0

    @property
    def probes(self) -> list[Event]:
        """The board's."""
        return [e for e in self.events if isinstance(e, ArpRequest) and e.sender_ip == arp.UNSPECIFIED_IP]

    def run(self) -> list[Event]:
        situation = self._situation
        for self._now_ms in range(0, situation.end_ms, STEP_MS):
            if self._now_ms in situation.boots_ms:
                self._power_on()
            self._do(self._firmware.wake(self._age_ms))
            if self._age_ms == MOUNTED_MS:
                self.events.append(attached(self._now_ms / 1e3))
                self.mount()
            for command in [*self.asker.wake(self._now_ns), *self._mirror.wake(self._now_ns)]:
                assert isinstance(command, SendFrame)
                self.send(command.frame)
            situation.squat(self, self._now_ms)
        return self.events

    @property
    def _now_ns(self) -> int:
        return to_ns(self._now_ms / 1e3)

    @property
    def _age_ms(self) -> int:
        """Since the supply came."""
        return self._now_ms - self._up_ms

    def _power_on(self) -> None:
        """The cable is put in."""
        self._up_ms, self._address = self._now_ms, ""
        self.events += action(self._now_ms / 1e3, "plug", "vbus_off", took_s=0.0)
        self.asker.detached(self._now_ns)
        self._do(self._firmware.boot("POWERON", 0))

    def mount(self) -> None:
        self._do(self._firmware.mounted(self._age_ms))

    def send(self, frame: bytes) -> None:
        """A frame of a host."""
        self._saw(frame, "host")
        taken, commands = self._firmware.frame_received(frame, self._age_ms)
        self._do(commands)
        asked = ArpPacket.parse(EthernetFrame.parse(frame).payload)
        if taken and asked.op == arp.REQUEST and asked.target_ip == self._address and not asked.is_announcement:
            answer = ArpPacket(arp.REPLY, BOARD_MAC, ADDRESS, asked.sender_mac, asked.sender_ip)
            reply = EthernetFrame(asked.sender_mac, BOARD_MAC, ETHERTYPE_ARP, answer.pack()).pack()
            self._do(self._firmware.send_frame(reply, self._age_ms))

    def _do(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case StartNetif():
                    self._do(self._firmware.netif_started(self._age_ms))
                case LinkState(up):
                    self.events.append(at(self._now_ms / 1e3, Carrier(up, "usb0"), "netlink"))
                    self.asker.attached(HOST_MAC, up, self._now_ns)
                case SetAddress(address):
                    self._address = address
                case ClearAddress():
                    self._address = ""
                case TransmitFrame(frame):
                    self._saw(frame, "board")
                    if self._situation.mirrored:
                        self._mirror.receive(frame, self._now_ns)
                    self._do(self._firmware.frame_sent(frame, True, "", self._age_ms))

    def _saw(self, frame: bytes, sender: str) -> None:
        self.events.append(at(self._now_ms / 1e3 + (sender == "board") / 1e3, decode(frame, sender, {}), "packet"))


def occupied(link: Link, now_ms: int) -> None:
    """A host has it, and says so each half second."""
    if now_ms % 500 == 0:
        link.send(link.squatter.claim())


def fought_for(link: Link, now_ms: int) -> None:
    """A host has it, and says so whenever it is probed for."""
    last = link.events[-1]
    if isinstance(last, ArpRequest) and last.sender == "board" and last.sender_ip == arp.UNSPECIFIED_IP:
        link.send(link.squatter.claim())


def claimed(link: Link, now_ms: int) -> None:
    """A host claims it twice, two seconds apart, when it is in use."""
    if now_ms in CLAIMS_MS:
        link.send(link.squatter.claim())


def rivalled(link: Link, now_ms: int) -> None:
    """A host probes for it too, 0.3 s after the board's first probe."""
    if len(link.probes) == 1 and to_ns(now_ms / 1e3) - link.probes[0].t_ns > to_ns(0.3):
        link.send(link.squatter.probe())


def questioned(link: Link, now_ms: int) -> None:
    """A host asks for it once, 0.3 s after the board's first probe."""
    since_s = now_ms / 1e3 - link.probes[0].t_ns / 1e9 if link.probes else 0.0
    if 0.3 <= since_s < 0.3 + STEP_MS / 1e3:
        link.send(link.curious.question())


def bounced(link: Link, now_ms: int) -> None:
    """The host selects the configuration anew: the board takes the link down and up."""
    if now_ms == BOUNCE_MS:
        link.mount()


SITUATIONS = {
    "probe-answers-ignored": Situation(occupied),
    "rival-probes-ignored": Situation(rivalled),
    "no-defence": Situation(claimed),
    "defends-always": Situation(claimed),
    "no-new-probes": Situation(bounced),
    "questions-conflict": Situation(questioned, asks_for="192.168.7.77"),
    "echoes-conflict": Situation(mirrored=True),
    "no-pause-after-conflicts": Situation(fought_for),
    "pauses-repeat": Situation(boots_ms=BOOTS_MS, end_ms=BOOTS_END_MS),
}
CLEAN = {
    "nobody": Situation(),
    "occupied": Situation(occupied, end_ms=100_000),
    "fought for": Situation(fought_for, end_ms=100_000),
    **{squat.__name__: Situation(squat) for squat in (claimed, rivalled, bounced)},
    "questioned": Situation(questioned, asks_for="192.168.7.77"),
    "mirrored": Situation(mirrored=True),
    "claimed and mirrored": Situation(claimed, mirrored=True),
    "booted": Situation(boots_ms=BOOTS_MS, end_ms=BOOTS_END_MS),
}


@pytest.mark.parametrize("fault", ACD_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_throws_its_switch_and_no_other(fault: type[AcdFault]) -> None:
    """Everything else of the build stays as it is."""
    made = fault({}).configure(FirmwareConfig())
    changed = {name for name, value in vars(made).items() if value != getattr(FirmwareConfig(), name)}
    assert changed == {fault.mistake}


@pytest.mark.parametrize("fault", ACD_FAULTS, ids=lambda fault: fault.name)
def test_what_the_core_sends_with_a_fault_is_named(fault: type[AcdFault]) -> None:
    """In the situation that shows it, whatever its pauses are: its own finding and no other."""
    situation = SITUATIONS.get(fault.name, Situation())
    for seed in situation.seeds:
        config = fault({}).configure(FirmwareConfig(role="static", seed=seed))
        found = names(Link(config, situation).run(), situation.end_ms / 1e3)
        assert found == [FINDINGS[fault.name]], f"seed {seed}"


@pytest.mark.parametrize("situation", CLEAN.values(), ids=CLEAN)
def test_what_the_core_sends_by_itself_is_clean(situation: Situation) -> None:
    """The same situations, no mistake, no finding."""
    for seed in situation.seeds:
        config = FirmwareConfig(role="static", seed=seed)
        assert names(Link(config, situation).run(), situation.end_ms / 1e3) == [], f"seed {seed}"


def test_a_squatters_hardware_address_is_nobody_elses() -> None:
    """Else the board would hear itself."""
    assert FOREIGN_MAC not in (BOARD_MAC, HOST_MAC)
