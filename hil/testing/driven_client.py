"""A DHCP client machine taken through an exchange by hand, on a clock that is an argument."""

import random
from collections.abc import Iterable
from dataclasses import replace

from hil.clock import to_ns
from hil.personas.client_profile import ClientProfile
from hil.personas.commands import Command, SendFrame
from hil.personas.dhcp_client import DhcpClient
from hil.personas.host_stack import HostStack
from hil.testing.fake_net import HOST_MAC, LEASED, dhcp_reply
from hil.wire import dhcp

PLAIN = ClientProfile(name="plain")
"""RFC 2131's own figures."""


def client(profile: ClientProfile = PLAIN) -> DhcpClient:
    """A client on an interface without carrier."""
    return DhcpClient(profile, HOST_MAC, random.Random(7))


def sent(commands: Iterable[Command]) -> list[dhcp.DhcpMessage]:
    """The DHCP messages among the commands."""
    messages = [dhcp.from_frame(command.frame) for command in commands if isinstance(command, SendFrame)]
    return [message for message in messages if message is not None]


def kinds(commands: Iterable[Command]) -> list[int]:
    """What messages they are."""
    return [message.message_type for message in sent(commands)]


def selecting(profile: ClientProfile = PLAIN) -> tuple[DhcpClient, dhcp.DhcpMessage]:
    """A client with carrier since 0, and its DISCOVER."""
    machine = client(profile)
    (discover,) = sent(machine.link_changed(True, 0))
    return machine, discover


def requesting(profile: ClientProfile = PLAIN, address: str = LEASED) -> tuple[DhcpClient, dhcp.DhcpMessage]:
    """A client that has asked for ``address`` 1 ns later, or as late as it gathers, and its REQUEST."""
    machine, discover = selecting(profile)
    machine.receive(dhcp_reply(dhcp.OFFER, discover, address), 1)
    (request,) = sent(machine.wake(1 + to_ns(profile.gather_s)))
    return machine, request


def bound(profile: ClientProfile = PLAIN) -> DhcpClient:
    """A client that has held 192.168.7.2 for 60 s since 1 ns."""
    machine, request = requesting(replace(profile, gather_s=0.0))
    machine.receive(dhcp_reply(dhcp.ACK, request), 1)
    assert machine.state == "BOUND"
    return machine


def run(machine: DhcpClient | HostStack, until_s: float) -> list[Command]:
    """What the machine does by itself until then."""
    seen: list[Command] = []
    while machine.deadline_ns is not None and machine.deadline_ns <= to_ns(until_s):
        seen += machine.wake(machine.deadline_ns)
    return seen
