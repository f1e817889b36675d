"""Hosts that only speak ARP: what they send, when, and to whom they answer."""

import pytest

from hil.clock import to_ns
from hil.personas.arp_hosts import FOREIGN_MAC, Asker, Mirror, Squatter
from hil.personas.commands import SendFrame
from hil.wire import arp
from hil.wire.arp import ArpPacket
from hil.wire.ethernet import BROADCAST, ETHERTYPE_ARP, EthernetFrame

HOST_MAC, BOARD_MAC = "02:02:11:22:33:01", "02:02:11:22:33:02"
WANTED, OWN = "192.168.7.1", "192.168.7.253"
SECOND = to_ns(1.0)


def sent(commands: list[object]) -> list[tuple[EthernetFrame, ArpPacket]]:
    frames = [EthernetFrame.parse(command.frame) for command in commands if isinstance(command, SendFrame)]
    return [(frame, ArpPacket.parse(frame.payload)) for frame in frames]


def framed(packet: ArpPacket, to: str = BROADCAST) -> bytes:
    return EthernetFrame(to, packet.sender_mac, ETHERTYPE_ARP, packet.pack()).pack()


PROBE = framed(ArpPacket(arp.REQUEST, BOARD_MAC, arp.UNSPECIFIED_IP, arp.UNSPECIFIED_MAC, WANTED))


def test_an_asker_asks_in_its_own_name_as_long_as_there_is_carrier() -> None:
    """At once, then each quarter of a second; nothing without carrier, and nothing is made up for."""
    asker = Asker(OWN, WANTED, 0.25)
    assert asker.attached(HOST_MAC, False, 0) == []
    assert asker.deadline_ns is None
    asker.link_changed(True, SECOND)
    ((frame, packet),) = sent(asker.wake(SECOND))
    assert (frame.src, frame.dst) == (HOST_MAC, BROADCAST)
    assert packet == ArpPacket(arp.REQUEST, HOST_MAC, OWN, arp.UNSPECIFIED_MAC, WANTED)
    assert asker.deadline_ns == SECOND + to_ns(0.25)
    assert asker.wake(SECOND + to_ns(0.2)) == []
    assert len(asker.wake(3 * SECOND)) == 1
    asker.detached(3 * SECOND)
    assert (asker.deadline_ns, asker.wake(9 * SECOND)) == (None, [])


def test_a_carrier_that_is_told_twice_asks_no_sooner() -> None:
    """The kernel repeats its link messages."""
    asker = Asker(OWN, WANTED, 0.25)
    asker.attached(HOST_MAC, True, 0)
    asker.wake(0)
    asker.link_changed(True, to_ns(0.1))
    assert asker.deadline_ns == to_ns(0.25)


def test_a_squatter_answers_a_probe_and_a_question() -> None:
    """With a hardware address of its own, to who asked."""
    squatter = Squatter(WANTED, 0.5)
    question = framed(ArpPacket(arp.REQUEST, BOARD_MAC, "192.168.7.9", arp.UNSPECIFIED_MAC, WANTED))
    for asked, to in ((PROBE, arp.UNSPECIFIED_IP), (question, "192.168.7.9")):
        ((frame, packet),) = sent(squatter.receive(asked, 0))
        assert (frame.src, frame.dst) == (FOREIGN_MAC, BOARD_MAC)
        assert packet == ArpPacket(arp.REPLY, FOREIGN_MAC, WANTED, BOARD_MAC, to)


@pytest.mark.parametrize(
    "frame",
    [
        framed(ArpPacket(arp.REQUEST, BOARD_MAC, arp.UNSPECIFIED_IP, arp.UNSPECIFIED_MAC, "192.168.7.2")),
        framed(ArpPacket(arp.REQUEST, BOARD_MAC, WANTED, arp.UNSPECIFIED_MAC, WANTED)),
        framed(ArpPacket(arp.REPLY, BOARD_MAC, WANTED, HOST_MAC, OWN), HOST_MAC),
        b"\x00" * 20,
    ],
    ids=["another address", "an announcement", "an answer", "no ARP"],
)
def test_a_squatter_leaves_the_rest_alone(frame: bytes) -> None:
    """Only a request for its address is answered."""
    assert Squatter(WANTED, 0.5).receive(frame, 0) == []


def test_a_squatter_announces_itself() -> None:
    """Sender and target are its address."""
    squatter = Squatter(WANTED, 0.5)
    squatter.attached(HOST_MAC, True, 0)
    ((frame, packet),) = sent(squatter.wake(0))
    assert (packet.is_announcement, packet.sender_ip, frame.src) == (True, WANTED, FOREIGN_MAC)
    assert squatter.claim() == frame.pack()
    assert squatter.deadline_ns == to_ns(0.5)


def test_a_quiet_squatter_says_nothing_by_itself() -> None:
    """What it sends is for the test to say: a claim, or a probe as of a rival."""
    squatter = Squatter(WANTED, 0.0)
    squatter.attached(HOST_MAC, True, 0)
    assert (squatter.deadline_ns, squatter.receive(PROBE, 0)) == (None, [])
    assert ArpPacket.parse(EthernetFrame.parse(squatter.probe()).payload).is_probe


def test_an_asker_without_a_period_asks_when_told_to() -> None:
    """Nothing by itself; the question is of its own hardware address."""
    asker = Asker(OWN, WANTED, 0.0)
    asker.attached(HOST_MAC, True, 0)
    assert (asker.deadline_ns, asker.wake(SECOND)) == (None, [])
    question = ArpPacket.parse(EthernetFrame.parse(asker.question()).payload)
    assert question == ArpPacket(arp.REQUEST, HOST_MAC, OWN, arp.UNSPECIFIED_MAC, WANTED)


def test_a_host_knows_how_late_it_was_called() -> None:
    """The most of all times: what a bench can tell apart depends on it."""
    asker = Asker(OWN, WANTED, 0.25)
    asker.attached(HOST_MAC, True, 0)
    for now_ns in (to_ns(0.01), to_ns(0.36), to_ns(0.62)):
        asker.wake(now_ns)
    assert asker.late_ns == to_ns(0.1)


def test_a_mirror_sends_broadcasts_back_as_they_were() -> None:
    """After its time, in order; not what is for one host, and nothing after the link has gone."""
    mirror = Mirror(0.003)
    mirror.attached(HOST_MAC, True, 0)
    other = framed(ArpPacket(arp.REQUEST, BOARD_MAC, WANTED, arp.UNSPECIFIED_MAC, WANTED))
    mirror.receive(PROBE, 0)
    mirror.receive(framed(ArpPacket(arp.REPLY, BOARD_MAC, WANTED, HOST_MAC, OWN), HOST_MAC), 0)
    mirror.receive(other, to_ns(0.001))
    assert (mirror.deadline_ns, mirror.wake(to_ns(0.002))) == (to_ns(0.003), [])
    assert mirror.wake(to_ns(0.003)) == [SendFrame(PROBE)]
    assert mirror.wake(to_ns(0.01)) == [SendFrame(other)]
    mirror.receive(PROBE, SECOND)
    assert mirror.link_changed(True, SECOND) == []
    mirror.link_changed(False, SECOND)
    assert (mirror.deadline_ns, mirror.wake(2 * SECOND)) == (None, [])
