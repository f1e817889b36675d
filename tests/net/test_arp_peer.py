"""Hosts of the ``host`` fixture that only speak ARP, on an interface of their own."""

from contextlib import suppress

import pytest

from hil.clock import Deadline, now_ns
from hil.errors import HarnessError, MisuseError
from hil.net.host import Host
from hil.personas.arp_hosts import Squatter
from hil.testing.fake_net import HOST_MAC, WITHIN_S, FakeNet
from hil.wire.arp import ArpPacket
from hil.wire.ethernet import EthernetFrame
from hil.wire.rtnetlink_requests import dump_links


def heard(net: FakeNet) -> ArpPacket:
    return ArpPacket.parse(EthernetFrame.parse(net.far.recv(65536)).payload)


def test_an_asker_asks_once_there_is_carrier(net: FakeNet, host: Host) -> None:
    """From the last but one address of the subnet, and from no later than it was started."""
    before = now_ns()
    started = host.asker("192.168.7.1").start("s3-a")
    assert before <= started.t_ns <= now_ns()
    assert net.kernel.recv(4096) == dump_links()
    net.link(carrier=True)
    question = heard(net)
    assert (question.sender_mac, question.sender_ip, question.target_ip) == (HOST_MAC, "192.168.7.253", "192.168.7.1")


def test_a_squatter_claims_and_probes_when_the_test_says_so(net: FakeNet, host: Host) -> None:
    """Its instant is before the frame; before there is an interface it cannot."""
    squatter = host.squatter("192.168.7.1", holds=False)
    squatter.start("s3-a")
    with pytest.raises(HarnessError, match="board s3-a: persona squatter has no interface to send on"):
        squatter.claim()
    answering = host.asker("192.168.7.1", every_s=60.0)
    assert repr(answering) == "asker"
    net.link(carrier=True)
    deadline = Deadline(WITHIN_S)
    while not squatter.interface:
        squatter.check()
        assert not deadline.passed
    before = now_ns()
    assert before <= squatter.claim().t_ns <= now_ns()
    assert heard(net).is_announcement
    squatter.probe()
    assert heard(net).is_probe


def test_a_peer_is_started_once_and_first(host: Host) -> None:
    """What has no interface to send on says so, and so does what runs already."""
    squatter = host.squatter("192.168.7.1")
    with pytest.raises(MisuseError, match=r"squatter has not been started; known: start\(board\)"):
        squatter.claim()
    squatter.start("s3-a")
    with pytest.raises(MisuseError, match="squatter runs already; a test starts it once"):
        squatter.start("s3-a")


def test_an_asker_asks_once_when_the_test_says_so(net: FakeNet, host: Host) -> None:
    """Its instant is before the frame; it knows by how much its machine was late."""
    asker = host.asker("192.168.7.1", every_s=0.0)
    asker.start("s3-a")
    with pytest.raises(HarnessError, match="board s3-a: persona asker has no interface to send on"):
        asker.ask()
    net.link(carrier=True)
    deadline = Deadline(WITHIN_S)
    while not asker.interface:
        assert not deadline.passed
    before = now_ns()
    assert before <= asker.ask().t_ns <= now_ns()
    assert (heard(net).target_ip, asker.late_s) == ("192.168.7.1", 0.0)


def test_a_mirror_sends_back_what_it_hears(net: FakeNet, host: Host) -> None:
    """A broadcast, as it was."""
    host.mirror().start("s3-a")
    net.link(carrier=True)
    frame = Squatter("192.168.7.1", 0.0).probe()
    deadline = Deadline(WITHIN_S)
    net.far.settimeout(0.2)
    while not deadline.passed:  # what comes before the interface is known is not heard
        net.far.send(frame)
        with suppress(TimeoutError):
            assert net.far.recv(65536) == frame
            return
    raise AssertionError("nothing came back")
