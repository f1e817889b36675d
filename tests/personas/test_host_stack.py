"""A lease, and an address of the host's own while there is none."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.clock import to_ns
from hil.personas.client_profile import Backoff, ClientProfile, LinkLocalTimes
from hil.personas.commands import ClearAddress, ClearLinkLocal, SendFrame, SetAddress, SetLinkLocal
from hil.personas.host_stack import HostStack
from hil.testing.driven_client import run, sent
from hil.testing.fake_net import BOARD_IP, HOST_MAC, LEASED, dhcp_reply
from hil.wire import dhcp

QUICK = LinkLocalTimes((0.0, 0.0), 1, (0.0, 0.0), 0.5, 1, 0.0)
FALLING_BACK = ClientProfile(
    name="falling back",
    discover=Backoff((1,), 0.0, 0.0, tries=4),
    caches_failure=True,
    link_local_at_try=2,
    link_local=QUICK,
)


def attached(profile: ClientProfile = FALLING_BACK) -> HostStack:
    """A host whose interface has had carrier since 0."""
    stack = HostStack(profile, random.Random(7))
    stack.attached(HOST_MAC, True, 0)
    return stack


def test_no_address_of_its_own_before_the_profiles_try() -> None:
    """The first DISCOVER is not yet a failure."""
    stack = attached()
    assert not any(isinstance(command, SetLinkLocal) for command in run(stack, 0.9))
    assert stack.link_local == ""


def test_discover_goes_on_beside_the_address() -> None:
    """And the address outlasts the client's giving up."""
    stack = attached()
    seen = run(stack, 100)
    (own,) = [command.address for command in seen if isinstance(command, SetLinkLocal)]
    assert [message.message_type for message in sent(seen)] == [dhcp.DISCOVER] * 3
    assert (stack.dhcp.state, stack.link_local) == ("FAILED", own)


def test_a_lease_takes_its_place() -> None:
    """First the one goes, then the other comes."""
    stack = attached()
    discover = sent(run(stack, 2))[-1]
    own = stack.link_local
    stack.receive(dhcp_reply(dhcp.OFFER, discover), to_ns(2))
    (request,) = sent(stack.wake(to_ns(2)))
    commands = stack.receive(dhcp_reply(dhcp.ACK, request), to_ns(2))
    kept = [command for command in commands if isinstance(command, ClearLinkLocal | SetAddress)]
    assert kept == [ClearLinkLocal(own, "lease"), SetAddress(LEASED, 24, "", BOARD_IP, 60)]
    assert stack.link_local == ""


@pytest.mark.parametrize("how", ["link", "interface"])
def test_the_address_goes_with_the_link(how: str) -> None:
    """And is looked for again only as late as before."""
    stack = attached()
    run(stack, 3)
    own = stack.link_local
    commands = stack.link_changed(False, to_ns(3)) if how == "link" else stack.detached(to_ns(3))
    assert ClearLinkLocal(own, "link-down") in commands
    assert stack.deadline_ns is None
    stack.attached(HOST_MAC, True, to_ns(10))
    assert not any(isinstance(command, SetLinkLocal) for command in run(stack, 10.9))
    run(stack, 12)
    assert stack.link_local == own


def test_a_host_that_does_not_fall_back_has_no_address_of_its_own() -> None:
    """link_local_at_try 0."""
    stack = attached(replace(FALLING_BACK, link_local_at_try=0))
    assert not any(isinstance(command, SetLinkLocal) for command in run(stack, 100))


def test_a_conflict_is_noticed_beside_the_lease_machine() -> None:
    """Frames go to both."""
    stack = attached()
    run(stack, 3)
    reply = dhcp_reply(dhcp.NAK, dhcp.DhcpMessage(op=dhcp.BOOTREQUEST, xid=1, chaddr=HOST_MAC))
    assert stack.receive(reply, to_ns(3)) == []
    assert stack.receive(b"noise", to_ns(3)) != []


@settings(deadline=None)
@given(
    st.integers(1, 4), st.lists(st.sampled_from(["up", "down", "attached", "bare", "detached", "wake", "offer", "ack"]))
)
def test_nothing_is_sent_without_carrier(at_try: int, steps: list[str]) -> None:
    """Neither by the one machine nor by the other; and the host never has two addresses at once."""
    stack = HostStack(replace(FALLING_BACK, starts_without_carrier=True, link_local_at_try=at_try), random.Random(7))
    discover = dhcp.DhcpMessage(op=dhcp.BOOTREQUEST, xid=0, chaddr=HOST_MAC)
    now_ns, present, carrier = 0, False, False
    addresses: list[str] = []
    for what in steps:
        now_ns += to_ns(0.2)
        match what:
            case "up" | "down":
                carrier = present and what == "up"
                commands = stack.link_changed(what == "up", now_ns)
            case "attached" | "bare":
                present, carrier = True, what == "attached"
                commands = stack.attached(HOST_MAC, carrier, now_ns)
            case "detached":
                present = carrier = False
                commands = stack.detached(now_ns)
            case "wake":
                now_ns = max(now_ns, stack.deadline_ns or 0)
                commands = stack.wake(now_ns)
            case _:
                commands = stack.receive(dhcp_reply(dhcp.OFFER if what == "offer" else dhcp.ACK, discover), now_ns)
        for command in commands:
            if isinstance(command, SetLinkLocal | SetAddress):
                assert addresses in ([], [command.address])
                addresses = [command.address]
            elif isinstance(command, ClearLinkLocal | ClearAddress):
                addresses.remove(command.address)
        assert carrier or not any(isinstance(command, SendFrame) for command in commands)
        discover = (sent(commands) or [discover])[-1]
