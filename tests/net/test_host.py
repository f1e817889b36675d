"""The computer that the board is plugged into."""

import pytest

from hil.errors import AgentError, BenchError, BoardFailure, HarnessError, MisuseError
from hil.net.host import Host, Persona
from hil.personas.client_profile import Backoff
from hil.testing.fake_net import BOARD_MAC, HOST_MAC, LEASED, WITHIN_S, FakeNet
from hil.wire import dhcp
from hil.wire.ethernet import EthernetFrame
from hil.wire.icmp import IcmpEcho
from hil.wire.ipv4 import Ipv4Packet

SOON = Backoff((0,), 0.1, 0.1, tries=1)


def started(net: FakeNet, host: Host) -> Persona:
    """Linux, from now on."""
    linux = host.persona("linux")
    linux.start("s3-a")
    return linux


def test_a_persona_connects_and_has_its_address(net: FakeNet, host: Host) -> None:
    """wait_for_lease() returns what the board granted."""
    linux = started(net, host)
    net.link(carrier=True)
    net.grant()
    assert linux.wait_for_lease(WITHIN_S) == LEASED
    assert linux.address == LEASED


def test_an_assertion_names_the_persona(host: Host) -> None:
    assert repr(host.persona("ios")) == "persona ios"


def test_no_lease_is_the_boards_failure_with_the_state(host: Host) -> None:
    """connect() gives up at its deadline and says how far it got."""
    linux = host.persona("linux")
    with pytest.raises(BoardFailure, match=r"persona 'linux' got no lease within 0\.05 s; its DHCP state: STOPPED"):
        linux.connect("s3-a", within_s=0.05)


def test_a_lease_whose_address_cannot_be_set_is_not_the_boards_fault(net: FakeNet, host: Host) -> None:
    """The board granted it; the bench could not use it."""
    net.broken = AgentError("the kernel says no")
    linux = started(net, host)
    net.link(carrier=True)
    net.grant()
    assert net.setting.wait(WITHIN_S)
    with pytest.raises(HarnessError, match="'linux' got a lease and cannot have its address: the kernel says no"):
        linux.wait_for_lease(0.2)


def test_a_persona_is_taken_with_options(host: Host) -> None:
    """A figure of its profile may be otherwise; one that there is not is refused with the choices."""
    weary = host.persona("linux", discover=SOON)
    assert weary._profile.gives_up
    with pytest.raises(BenchError, match="persona 'macos': option 'colour' is not known; known: 'ack', "):
        host.persona("macos", colour="red")


def test_a_host_that_gives_up_says_what_it_waited_for(net: FakeNet, host: Host) -> None:
    """wait_for_failure() returns it; a lease that is waited for then is the board's failure, with the reason."""
    weary = host.persona("linux", discover=SOON, caches_failure=True)
    weary.start("s3-a")
    net.link(carrier=True)
    assert weary.wait_for_failure(WITHIN_S) == "OFFER"
    assert (weary.state, weary.address, weary.link_local) == ("FAILED", "", "")
    with pytest.raises(BoardFailure, match=r"its DHCP state: FAILED, it gave up waiting for OFFER at try 1$"):
        weary.wait_for_lease(0.0)


def test_a_host_that_has_not_given_up_is_the_boards_doing(net: FakeNet, host: Host) -> None:
    """With what it got."""
    ios = host.persona("ios", gather_s=0.0)
    ios.start("s3-a")
    net.link(carrier=True)
    net.grant()
    ios.wait_for_lease(WITHIN_S)
    message = r"'ios' has not given up within 0 s; its DHCP state: BOUND, its address: 192\.168\.7\.2$"
    with pytest.raises(BoardFailure, match=message):
        ios.wait_for_failure(0.0)


def test_a_host_that_never_gives_up_is_not_waited_for(net: FakeNet, host: Host) -> None:
    """It would be until the deadline."""
    linux = started(net, host)
    with pytest.raises(MisuseError, match="persona 'linux' never gives up; those that do: 'ios', 'macos'"):
        linux.wait_for_failure()


def test_nobodys_ping_is_one_echo_from_an_address_that_nobody_has(net: FakeNet, host: Host) -> None:
    """From the host's hardware address, with the last but one address of the subnet, to the board."""
    linux = started(net, host)
    net.link(carrier=True)
    net.grant()
    linux.wait_for_lease(WITHIN_S)
    assert linux.ping_as_nobody() == "192.168.7.253"
    frame = EthernetFrame.parse(net.far.recv(65536))
    packet = Ipv4Packet.parse(frame.payload)
    assert (frame.src, frame.dst, packet.src, packet.dst) == (HOST_MAC, BOARD_MAC, "192.168.7.253", "192.168.7.1")
    assert not IcmpEcho.parse(packet.payload).reply


def test_a_persona_starts_once(net: FakeNet, host: Host) -> None:
    """Starting it again is an error of the test."""
    linux = started(net, host)
    with pytest.raises(MisuseError, match="persona 'linux' runs already"):
        linux.start("s3-a")


def test_a_persona_that_was_not_started_has_nothing_to_tell(host: Host) -> None:
    """Each way to ask it says what is missing."""
    linux = host.persona("linux")
    with pytest.raises(MisuseError, match="persona 'linux' has not been started; known: start"):
        linux.wait_for_lease()
    with pytest.raises(MisuseError, match="has not been started"):
        linux.ping_as_nobody()


def test_an_unknown_persona_is_refused(host: Host) -> None:
    """With the choices."""
    with pytest.raises(BenchError, match="persona 'windows' is not known; known: 'ios', 'linux', 'macos'"):
        host.persona("windows")


def test_the_end_of_a_test_ends_every_persona_and_tells_of_the_failure(net: FakeNet) -> None:
    """One that has failed does not keep the others running."""
    other = FakeNet()
    healthy, failed = Host(other, other.record), Host(net, net.record)
    started(net, failed)
    linux = healthy.persona("linux")
    linux.start("s3-a")
    failed._personas.append(linux)
    failed._personas.insert(0, healthy.persona("ios"))
    net.kernel.send(b"cut")
    with pytest.raises(HarnessError, match="persona linux on s3-a ended: rtnetlink"):
        failed.stop()
    assert other.packets.closed
    assert net.packets.closed
    failed.stop()
    other.close()


def test_a_forgotten_lease_is_asked_for_beside_the_lease(net: FakeNet, host: Host) -> None:
    """Each DISCOVER is the host's own with an id of its own, and the lease stays."""
    linux = started(net, host)
    net.link(carrier=True)
    net.grant()
    linux.wait_for_lease(WITHIN_S)
    first, second = linux.discover_again(), linux.discover_again()
    asked = [dhcp.from_frame(net.far.recv(65536)) for _ in range(2)]
    assert [message and (message.message_type, message.chaddr) for message in asked] == [(dhcp.DISCOVER, HOST_MAC)] * 2
    assert len({message.xid for message in asked if message}) == 2
    assert first.t_ns <= second.t_ns
    assert linux.address == LEASED
