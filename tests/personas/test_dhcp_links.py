"""The DHCP client machine on links and interfaces that come and go, and when it gives up."""

import random
from dataclasses import replace

import pytest

from hil.clock import to_ns
from hil.personas.client_profile import Backoff, NakRule
from hil.personas.commands import ClearAddress, GaveUp, SetAddress, StateChanged
from hil.personas.dhcp_client import DhcpClient
from hil.testing.driven_client import PLAIN, bound, client, kinds, run, selecting, sent
from hil.testing.fake_net import BOARD_IP, HOST_MAC, LEASED, dhcp_reply
from hil.wire import dhcp

EAGER = replace(PLAIN, name="eager", starts_without_carrier=True)
THREE = Backoff((1, 2), 0.0, 0.0, tries=3)
OTHER_MAC = "02:02:11:22:33:07"

# ---- the link -----------------------------------------------------------------------------------


def test_link_bounce_asks_for_the_old_address_first() -> None:
    """With a lease in hand a new carrier begins with INIT-REBOOT: a REQUEST without server identifier."""
    machine = bound()
    down = machine.link_changed(False, 2)
    assert ClearAddress(LEASED, "link-down") in down
    (request,) = sent(machine.link_changed(True, 3))
    assert machine.state == "REBOOTING"
    assert request.message_type == dhcp.REQUEST
    assert request.address_option(dhcp.OPTION_REQUESTED_ADDRESS) == LEASED
    assert request.option(dhcp.OPTION_SERVER_ID) is None
    commands = machine.receive(dhcp_reply(dhcp.ACK, request), 4)
    assert SetAddress(LEASED, 24, "", BOARD_IP, 60) in commands


@pytest.mark.parametrize(("server", "follows"), [(BOARD_IP, [dhcp.DISCOVER]), ("", [])])
def test_an_address_of_another_network_is_asked_for_first(server: str, follows: list[int]) -> None:
    """A host that was elsewhere asks for what it had there; a strict one believes only a NAK that names its server."""
    strict = replace(PLAIN, remembered="10.0.0.9", nak=NakRule(checked_in=frozenset(("REBOOTING",))))
    machine = DhcpClient(strict, "", random.Random(7))
    (request,) = sent(machine.attached(HOST_MAC, True, 0))
    assert request.message_type == dhcp.REQUEST
    assert request.address_option(dhcp.OPTION_REQUESTED_ADDRESS) == "10.0.0.9"
    assert request.option(dhcp.OPTION_SERVER_ID) is None
    assert kinds(machine.receive(dhcp_reply(dhcp.NAK, request, server=server), 1)) == follows


def test_an_address_of_another_network_is_brought_once() -> None:
    """A second interface finds the host with what this network gave it, or with nothing."""
    machine = DhcpClient(replace(PLAIN, remembered="10.0.0.9"), "", random.Random(7))
    (request,) = sent(machine.attached(HOST_MAC, True, 0))
    machine.receive(dhcp_reply(dhcp.NAK, request), 1)
    assert kinds(machine.attached(HOST_MAC, True, 2)) == [dhcp.DISCOVER]


def test_unanswered_reboot_falls_back_to_discover() -> None:
    """The address is not there meanwhile, and is taken off once, not again when the link goes."""
    machine = bound()
    machine.link_changed(False, 2)
    seen = machine.link_changed(True, 3) + run(machine, 20)
    assert kinds(seen)[:3] == [dhcp.REQUEST, dhcp.REQUEST, dhcp.DISCOVER]
    assert GaveUp("ACK", 2) in seen
    assert machine.link_changed(False, to_ns(20)) == [StateChanged("STOPPED", "SELECTING")]


def test_a_lease_that_has_run_out_is_not_asked_for() -> None:
    """A carrier that comes after its end begins with DISCOVER."""
    machine = bound()
    machine.link_changed(False, 2)
    assert kinds(machine.link_changed(True, to_ns(61))) == [dhcp.DISCOVER]


@pytest.mark.parametrize(
    ("mac", "remembers", "first"),
    [
        (HOST_MAC, True, dhcp.REQUEST),
        (OTHER_MAC, True, dhcp.DISCOVER),
        (HOST_MAC, False, dhcp.DISCOVER),
    ],
    ids=["same", "other", "forgets"],
)
def test_a_new_interface_of_the_same_address_is_a_known_network(mac: str, remembers: bool, first: int) -> None:
    """A lease belongs to a hardware address, and some clients lose it with the interface."""
    machine = bound(replace(PLAIN, remembers_lease=remembers))
    commands = machine.attached(mac, True, 2)
    assert ClearAddress(LEASED, "link-down") in commands
    (message,) = sent(commands)
    assert (message.message_type, message.chaddr) == (first, mac)


def test_a_held_ack_of_reboot_is_used_when_the_time_to_gather_is_over() -> None:
    """Its lease counts from when it came."""
    machine = bound(replace(PLAIN, gather_acks_s=1.0))
    machine.link_changed(False, 2)
    (request,) = sent(machine.link_changed(True, 3))
    for at_s in (1.0, 1.5):
        assert machine.receive(dhcp_reply(dhcp.ACK, request), to_ns(at_s)) == []
    commands = machine.wake(to_ns(2))
    assert SetAddress(LEASED, 24, "", BOARD_IP, 60) in commands
    assert machine.deadline_ns == to_ns(31)


def test_an_ack_that_was_held_when_the_link_went_is_forgotten() -> None:
    """The next one is held as long."""
    machine = bound(replace(PLAIN, gather_acks_s=1.0))
    for at_s in (2, 4):
        machine.link_changed(False, to_ns(at_s))
        (request,) = sent(machine.link_changed(True, to_ns(at_s)))
        machine.receive(dhcp_reply(dhcp.ACK, request), to_ns(at_s + 0.5))
        assert machine.deadline_ns == to_ns(at_s + 1.5)
    assert SetAddress(LEASED, 24, "", BOARD_IP, 60) in machine.wake(to_ns(5.5))


def test_a_carrier_told_twice_is_one() -> None:
    """Nothing begins anew."""
    machine, _ = selecting()
    assert machine.link_changed(True, 1) == []


# ---- without carrier ----------------------------------------------------------------------------


def test_an_interface_without_carrier_is_not_enough() -> None:
    """Unless the profile says so, the client waits for the link."""
    machine = client()
    assert machine.attached(HOST_MAC, False, 0) == []
    assert machine.state == "STOPPED"


def test_the_first_message_leaves_with_the_carrier() -> None:
    """The client has begun before; the second message is due as if the first had left then."""
    machine = client(replace(EAGER, discover=THREE))
    assert machine.attached(HOST_MAC, False, 0) == [StateChanged("SELECTING", "STOPPED")]
    assert kinds(machine.link_changed(True, to_ns(0.4))) == [dhcp.DISCOVER]
    assert machine.deadline_ns == to_ns(1)


def test_without_carrier_at_the_second_try_the_client_stops_until_it_comes() -> None:
    """However long that takes."""
    machine = client(EAGER)
    machine.attached(HOST_MAC, False, 0)
    seen = run(machine, 3600)
    assert seen == [StateChanged("FAILED", "SELECTING"), GaveUp("carrier", 1)]
    assert machine.deadline_ns is None
    assert kinds(machine.link_changed(True, to_ns(3600))) == [dhcp.DISCOVER]


def test_a_known_network_is_asked_for_without_carrier_too() -> None:
    """INIT-REBOOT begins with the interface; without carrier at the second try it stops likewise."""
    machine = bound(EAGER)
    machine.attached(HOST_MAC, False, 2)
    assert machine.state == "REBOOTING"
    assert kinds(machine.link_changed(True, 3)) == [dhcp.REQUEST]
    machine.attached(HOST_MAC, False, 4)
    assert GaveUp("carrier", 1) in run(machine, 30)
    assert kinds(machine.link_changed(True, to_ns(30))) == [dhcp.REQUEST]


# ---- giving up ----------------------------------------------------------------------------------


def test_after_a_pause_the_client_asks_again() -> None:
    """A failure that is not cached lasts for pause_s."""
    machine, _ = selecting(replace(PLAIN, discover=THREE, pause_s=60.0))
    seen = run(machine, 64.9)
    assert kinds(seen) == [dhcp.DISCOVER] * 2
    assert seen[-2:] == [StateChanged("INIT", "SELECTING"), GaveUp("OFFER", 3)]
    assert kinds(run(machine, 65)) == [dhcp.DISCOVER]


def test_a_cached_failure_outlasts_every_pause() -> None:
    """Time alone does not end it, nor a link message that tells nothing new."""
    machine, _ = selecting(replace(PLAIN, discover=THREE, pause_s=60.0, caches_failure=True))
    seen = run(machine, 10**6)
    assert seen[-2:] == [StateChanged("FAILED", "SELECTING"), GaveUp("OFFER", 3)]
    assert machine.deadline_ns is None
    assert machine.link_changed(True, to_ns(10**6)) == []


@pytest.mark.parametrize("how", ["link", "interface"])
def test_another_link_or_interface_ends_a_cached_failure(how: str) -> None:
    """The client begins as if nothing had been."""
    machine, _ = selecting(replace(PLAIN, discover=THREE, caches_failure=True))
    run(machine, 100)
    if how == "link":
        machine.link_changed(False, to_ns(100))
        commands = machine.link_changed(True, to_ns(101))
    else:
        commands = machine.attached(HOST_MAC, True, to_ns(101))
    (discover,) = sent(commands)
    machine.receive(dhcp_reply(dhcp.OFFER, discover), to_ns(101))
    assert kinds(machine.wake(to_ns(101))) == [dhcp.REQUEST]


def test_a_host_that_begins_failed_is_silent_until_another_carrier_or_interface_comes() -> None:
    """The carrier that it begins with does not count; a link that goes and comes does, and so does a new interface."""
    for again in ("carrier", "interface"):
        machine = DhcpClient(replace(PLAIN, begins_failed=True), "", random.Random(7))
        assert machine.attached(HOST_MAC, True, 0) == [StateChanged("FAILED", "STOPPED"), GaveUp("OFFER", 0)]
        assert machine.deadline_ns is None
        if again == "carrier":
            machine.link_changed(False, 1)
            asked = machine.link_changed(True, 2)
        else:
            machine.detached(1)
            asked = machine.attached(HOST_MAC, True, 2)
        assert kinds(asked) == [dhcp.DISCOVER]


def test_a_host_that_begins_failed_without_carrier_asks_when_it_comes() -> None:
    """There was no link that could have failed."""
    machine = DhcpClient(replace(PLAIN, begins_failed=True), "", random.Random(7))
    machine.attached(HOST_MAC, False, 0)
    assert kinds(machine.link_changed(True, 1)) == [dhcp.DISCOVER]
