"""hil.virtual.ipstack.address_check: the questions before an address is taken, on time that the test makes."""

import pytest

from hil.clock import to_ns
from hil.virtual.ipstack.address_check import AddressCheck
from hil.wire import arp
from hil.wire.arp import ArpPacket
from hil.wire.ethernet import BROADCAST, ETHERTYPE_ARP, EthernetFrame

ADDRESS, MAC, OTHER = "192.168.7.100", "02:02:11:22:33:02", "02:00:00:53:51:01"


def heard(op: int, sender_mac: str, sender_ip: str) -> bytes:
    packet = ArpPacket(op, sender_mac, sender_ip, arp.UNSPECIFIED_MAC, ADDRESS)
    return EthernetFrame(BROADCAST, sender_mac, ETHERTYPE_ARP, packet.pack()).pack()


def test_two_questions_and_a_second_without_an_answer() -> None:
    """From no address, to everybody; free half a second after the second one, and not before."""
    check = AddressCheck(ADDRESS, MAC, 0)
    for at_s in (0.0, 0.5):
        assert check.wake(to_ns(at_s) - 1) is None
        frame = check.wake(to_ns(at_s))
        assert frame is not None
        ethernet = EthernetFrame.parse(frame)
        assert ethernet.dst == BROADCAST
        assert ArpPacket.parse(ethernet.payload).is_probe
        assert not check.is_free
    assert check.wake(to_ns(1.0)) is None
    assert check.is_free


@pytest.mark.parametrize(
    ("frame", "another"),
    [
        (heard(arp.REPLY, OTHER, ADDRESS), True),
        (heard(arp.REQUEST, OTHER, ADDRESS), True),
        (heard(arp.REPLY, MAC, ADDRESS), False),
        (heard(arp.REQUEST, OTHER, "192.168.7.253"), False),
        (b"\x00" * 20, False),
        (EthernetFrame(BROADCAST, OTHER, ETHERTYPE_ARP, b"\x00").pack(), False),
    ],
    ids=["an answer", "an announcement", "an echo", "a question", "no ARP", "a broken one"],
)
def test_who_has_the_address_is_told_from_who_has_not(frame: bytes, another: bool) -> None:
    """By the sender's address, whatever the frame is for."""
    assert AddressCheck(ADDRESS, MAC, 0).hears_another(frame) == another
