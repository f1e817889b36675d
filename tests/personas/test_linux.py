"""Linux, held to what systemd's source says of it."""

import random

from hil.clock import to_ns
from hil.personas import LINUX
from hil.personas.commands import Doubted, SetAddress
from hil.personas.host_stack import HostStack
from hil.testing.driven_client import kinds, run, sent
from hil.testing.fake_net import HOST_MAC, LEASED, dhcp_reply
from hil.wire import dhcp


def requesting() -> tuple[HostStack, dhcp.DhcpMessage]:
    """A host that has asked for 192.168.7.2 at 1 ns, and its REQUEST."""
    stack = HostStack(LINUX, random.Random(7))
    (discover,) = sent(stack.attached(HOST_MAC, True, 0))
    stack.receive(dhcp_reply(dhcp.OFFER, discover), 1)
    (request,) = sent(stack.wake(1))
    return stack, request


def bound() -> HostStack:
    """A host that holds 192.168.7.2 since 1 ns."""
    stack, request = requesting()
    commands = stack.receive(dhcp_reply(dhcp.ACK, request), 1)
    assert any(isinstance(command, SetAddress) for command in commands)
    return stack


def test_it_asks_for_ever_and_gives_itself_no_address() -> None:
    """networkd's default for IPv4 is no link-local address."""
    stack = HostStack(LINUX, random.Random(7))
    stack.attached(HOST_MAC, True, 0)
    run(stack, 3600)
    assert (stack.dhcp.state, stack.link_local) == ("SELECTING", "")


def test_an_interface_without_carrier_is_waited_for() -> None:
    """And never given up."""
    stack = HostStack(LINUX, random.Random(7))
    assert stack.attached(HOST_MAC, False, 0) == []
    assert stack.deadline_ns is None
    assert len(sent(stack.link_changed(True, 5))) == 1


def test_a_nak_counts_only_with_the_servers_own_identifier() -> None:
    """ESP-IDF's has none; in REBOOTING there is no lease to hold it against."""
    stack, request = requesting()
    for server, reason in (("", "no-server"), ("192.168.7.9", "other-server")):
        doubt = stack.receive(dhcp_reply(dhcp.NAK, request, server=server), 2)
        assert doubt == [Doubted("NAK", reason, False, "0.0.0.0", server)]
    stack = bound()
    stack.link_changed(False, 2)
    (reboot,) = sent(stack.link_changed(True, 3))
    assert kinds(stack.receive(dhcp_reply(dhcp.NAK, reboot, server=""), 4)) == [dhcp.DISCOVER]


def test_a_nak_is_followed_by_a_second_of_silence() -> None:
    """client_restart() doubles it with each."""
    stack, request = requesting()
    stack.receive(dhcp_reply(dhcp.NAK, request), 2)
    assert stack.dhcp.state == "INIT"
    assert stack.deadline_ns == 2 + to_ns(1)


def test_a_new_interface_begins_with_discover() -> None:
    """The last address went with the old one; a link that bounces keeps it."""
    stack = bound()
    (discover,) = sent(stack.attached(HOST_MAC, True, 2))
    assert discover.message_type == dhcp.DISCOVER
    stack = bound()
    stack.link_changed(False, 2)
    (reboot,) = sent(stack.link_changed(True, 3))
    assert reboot.address_option(dhcp.OPTION_REQUESTED_ADDRESS) == LEASED


def test_an_offer_without_a_lease_time_is_ignored() -> None:
    """Address, server and lease time must be there."""
    stack = HostStack(LINUX, random.Random(7))
    (discover,) = sent(stack.attached(HOST_MAC, True, 0))
    (doubt,) = stack.receive(dhcp_reply(dhcp.OFFER, discover, lease_s=0), 1)
    assert isinstance(doubt, Doubted)
    assert (doubt.reason, doubt.taken) == ("no-lease-time", False)
