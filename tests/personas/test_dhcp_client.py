"""The DHCP client machine, driven by hand-made replies and a clock that is an argument."""

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest

from hil.clock import to_ns
from hil.personas.client_profile import AckRule, Backoff, ClientProfile, NakRule
from hil.personas.commands import ClearAddress, Command, Doubted, GaveUp, Note, SendFrame, SetAddress, StateChanged
from hil.personas.dhcp_client import TRANSITIONS, DhcpClient
from hil.personas.states import REQUESTING, STATES
from hil.testing.fake_net import BOARD_IP, BOARD_MAC, HOST_MAC, LEASED, dhcp_reply
from hil.wire import dhcp

PLAIN = ClientProfile(name="plain")
EAGER = ClientProfile(name="eager", starts_without_carrier=True)
THREE = Backoff((1, 2), 0.0, 0.0, tries=3)
OTHER_SERVER = "192.168.7.9"
OTHER_MAC = "02:02:11:22:33:07"


def client(profile: ClientProfile = PLAIN) -> DhcpClient:
    return DhcpClient(profile, HOST_MAC, random.Random(7))


def sent(commands: Iterable[Command]) -> list[dhcp.DhcpMessage]:
    """The DHCP messages among the commands."""
    messages = [dhcp.from_frame(command.frame) for command in commands if isinstance(command, SendFrame)]
    return [message for message in messages if message is not None]


def kinds(commands: Iterable[Command]) -> list[int]:
    return [message.message_type for message in sent(commands)]


def selecting(profile: ClientProfile = PLAIN) -> tuple[DhcpClient, dhcp.DhcpMessage]:
    """A client with carrier since 0, and its DISCOVER."""
    machine = client(profile)
    (discover,) = sent(machine.link_changed(True, 0))
    return machine, discover


def requesting(profile: ClientProfile = PLAIN, address: str = LEASED) -> tuple[DhcpClient, dhcp.DhcpMessage]:
    """A client that has asked for ``address`` at 1 ns, and its REQUEST."""
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


def run(machine: DhcpClient, until_s: float) -> list[Command]:
    """What the client does by itself until then."""
    seen: list[Command] = []
    while machine.deadline_ns is not None and machine.deadline_ns <= to_ns(until_s):
        seen += machine.wake(machine.deadline_ns)
    return seen


# ---- the handshake ------------------------------------------------------------------------------


def test_handshake_ends_bound_with_the_address_set() -> None:
    """OFFER, REQUEST and ACK set the address with prefix, server and lease time."""
    machine, request = requesting()
    assert request.message_type == dhcp.REQUEST
    assert request.address_option(dhcp.OPTION_REQUESTED_ADDRESS) == LEASED
    assert request.address_option(dhcp.OPTION_SERVER_ID) == BOARD_IP
    commands = machine.receive(dhcp_reply(dhcp.ACK, request), 2)
    assert commands == [StateChanged("BOUND", "REQUESTING"), SetAddress(LEASED, 24, "", BOARD_IP, 60)]


def test_an_offer_is_asked_for_when_the_time_to_gather_is_over() -> None:
    """And not before; more OFFERs do not begin it anew."""
    machine, discover = selecting(replace(PLAIN, gather_s=1.0))
    for at_s in (0.5, 0.9, 1.4):
        machine.receive(dhcp_reply(dhcp.OFFER, discover), to_ns(at_s))
    assert kinds(machine.wake(to_ns(1.49))) == []
    assert kinds(machine.wake(to_ns(1.5))) == [dhcp.REQUEST]


@pytest.mark.parametrize(("rates", "chosen"), [(False, LEASED), (True, "192.168.7.3")])
def test_the_first_offer_or_the_best_is_asked_for(rates: bool, chosen: str) -> None:
    """Where the client rates OFFERs, a later one with more of what it asked for is better."""
    machine, discover = selecting(replace(PLAIN, gather_s=1.0, rates_offers=rates))
    machine.receive(dhcp_reply(dhcp.OFFER, discover), 1)
    machine.receive(dhcp_reply(dhcp.OFFER, discover, "192.168.7.3", router="192.168.7.254"), 2)
    machine.receive(dhcp_reply(dhcp.OFFER, discover, "192.168.7.4"), 3)
    (request,) = sent(machine.wake(to_ns(2)))
    assert request.address_option(dhcp.OPTION_REQUESTED_ADDRESS) == chosen


def test_an_ideal_offer_is_asked_for_at_once() -> None:
    """A public address with every requested option cannot be bettered."""
    machine, discover = selecting(replace(PLAIN, gather_s=1.0, rates_offers=True, requested=(1,)))
    machine.receive(dhcp_reply(dhcp.OFFER, discover, "8.8.8.2", server="8.8.8.1"), 5)
    assert kinds(machine.wake(5)) == [dhcp.REQUEST]


def test_a_missing_ack_is_told_and_leads_back_to_discover() -> None:
    """After the last REQUEST went unanswered the client begins anew, as RFC 2131 section 3.1 says."""
    machine, _ = requesting(replace(PLAIN, request=THREE))
    seen = run(machine, 5.1)
    assert kinds(seen) == [dhcp.REQUEST, dhcp.REQUEST, dhcp.DISCOVER]
    assert GaveUp("ACK", 3) in seen
    assert machine.state == "SELECTING"


# ---- the lease ----------------------------------------------------------------------------------


def test_lease_is_renewed_at_half_its_time_by_unicast() -> None:
    """T1 is half the lease where the server names none; the REQUEST goes to the server with ciaddr set."""
    machine = bound()
    assert machine.deadline_ns == 1 + to_ns(30.0)
    (request,) = sent(machine.wake(1 + to_ns(30.0)))
    assert machine.state == "RENEWING"
    assert request.ciaddr == LEASED
    machine.receive(dhcp_reply(dhcp.ACK, request), to_ns(30.1))
    assert machine.state == "BOUND"


def test_expired_lease_is_given_up() -> None:
    """A lease that nobody extends is asked for by broadcast from T2 on, cleared at its end, and begun anew."""
    machine = bound()
    seen = run(machine, 60.1)
    assert [c.state for c in seen if isinstance(c, StateChanged)] == ["RENEWING", "REBINDING", "SELECTING"]
    assert ClearAddress(LEASED, "expired") in seen


def test_lazy_expiry_leaves_the_address_until_a_request_is_due() -> None:
    """With the 60 s lease of ESP-IDF the one REQUEST at T1 is followed by nothing before 90 s."""
    machine = bound(replace(PLAIN, lazy_expiry=True))
    assert kinds(run(machine, 89.9)) == [dhcp.REQUEST]
    assert machine.state == "RENEWING"
    assert ClearAddress(LEASED, "expired") in run(machine, 90.1)


def test_lazy_expiry_notices_t2_when_a_request_is_due() -> None:
    """With a longer lease the second REQUEST but one is a broadcast."""
    machine, request = requesting(replace(PLAIN, lazy_expiry=True))
    machine.receive(dhcp_reply(dhcp.ACK, request, lease_s=600), 1)
    states = [c.state for c in run(machine, 599) if isinstance(c, StateChanged)]
    assert states == ["RENEWING", "REBINDING"]


def test_a_lease_without_a_server_is_renewed_by_broadcast() -> None:
    """There is nobody to send to."""
    machine, discover = selecting(replace(PLAIN, offer_needs=()))
    machine.receive(dhcp_reply(dhcp.OFFER, discover, server=""), 1)
    (request,) = sent(machine.wake(1))
    assert request.option(dhcp.OPTION_SERVER_ID) is None
    machine.receive(dhcp_reply(dhcp.ACK, request, server=""), 2)
    assert kinds(machine.wake(to_ns(31))) == [dhcp.REQUEST]


def test_an_ack_without_a_server_is_of_the_one_that_was_asked() -> None:
    """So that the lease can be renewed by unicast."""
    machine, request = requesting()
    machine.receive(dhcp_reply(dhcp.ACK, request, server=""), 2)
    assert machine.lease is not None
    assert machine.lease.server == BOARD_IP


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


# ---- replies that are not right -----------------------------------------------------------------


def test_nak_starts_over_at_once() -> None:
    """It takes the address away and begins with DISCOVER."""
    machine = bound()
    (request,) = sent(machine.wake(to_ns(31)))
    commands = machine.receive(dhcp_reply(dhcp.NAK, request), to_ns(32))
    assert ClearAddress(LEASED, "nak") in commands
    assert kinds(commands) == [dhcp.DISCOVER]


def test_nak_is_followed_by_silence_where_the_profile_says_so() -> None:
    """It grows while NAKs follow on each other, and a lease ends that."""
    rule = NakRule(waits_in=frozenset((REQUESTING, "RENEWING")), wait=Backoff((5, 50), 0.0, 0.0))
    machine, request = requesting(replace(PLAIN, nak=rule))
    now_ns = 1
    for wait_s in (5, 50):
        commands = machine.receive(dhcp_reply(dhcp.NAK, request), now_ns)
        assert commands == [StateChanged("INIT", "REQUESTING")]
        assert machine.deadline_ns == now_ns + to_ns(wait_s)
        now_ns += to_ns(wait_s)
        (discover,) = sent(machine.wake(now_ns))
        machine.receive(dhcp_reply(dhcp.OFFER, discover), now_ns)
        (request,) = sent(machine.wake(now_ns))
    machine.receive(dhcp_reply(dhcp.ACK, request), now_ns)
    now_ns += to_ns(30)
    (renewal,) = sent(machine.wake(now_ns))
    machine.receive(dhcp_reply(dhcp.NAK, renewal), now_ns)
    assert machine.deadline_ns == now_ns + to_ns(5)


def test_nak_of_nobody_is_doubted_and_ignored_where_the_profile_checks() -> None:
    """ESP-IDF's NAK carries no option 54."""
    machine, request = requesting(replace(PLAIN, nak=NakRule(checked_in=frozenset((REQUESTING,)))))
    commands = machine.receive(dhcp_reply(dhcp.NAK, request, server=""), 5)
    assert commands == [Doubted("NAK", "no-server", False, "0.0.0.0", "")]
    assert machine.state == "REQUESTING"


def test_nak_of_nobody_is_believed_and_doubted_elsewhere() -> None:
    """RFC 2131 has the server name itself, and does not have the client check it."""
    machine, request = requesting()
    commands = machine.receive(dhcp_reply(dhcp.NAK, request, server=""), 5)
    assert commands[0] == Doubted("NAK", "no-server", True, "0.0.0.0", "")
    assert kinds(commands) == [dhcp.DISCOVER]


def test_ack_of_another_server_grants_nothing() -> None:
    """The REQUEST names the server that may answer it."""
    machine, request = requesting()
    commands = machine.receive(dhcp_reply(dhcp.ACK, request, server=OTHER_SERVER), 5)
    assert commands == [Doubted("ACK", "other-server", False, LEASED, OTHER_SERVER)]
    assert machine.lease is None


def test_rebinding_accepts_any_server() -> None:
    """RFC 2131 section 4.4.5: the REQUEST is a broadcast then."""
    machine = bound()
    (request,) = sent(run(machine, 53))[1:]
    commands = machine.receive(dhcp_reply(dhcp.ACK, request, server=OTHER_SERVER), to_ns(53))
    assert commands == [StateChanged("BOUND", "REBINDING"), SetAddress(LEASED, 24, "", OTHER_SERVER, 60)]


def test_ack_for_another_address_begins_anew_where_the_profile_says_so() -> None:
    """The address in use goes; the other one is asked for in the ordinary way."""
    rule = AckRule(other_address_restarts_in=frozenset(("RENEWING",)))
    machine = bound(replace(PLAIN, ack=rule))
    (request,) = sent(machine.wake(to_ns(31)))
    commands = machine.receive(dhcp_reply(dhcp.ACK, request, "192.168.7.3"), to_ns(32))
    assert Doubted("ACK", "other-address", True, "192.168.7.3", BOARD_IP) in commands
    assert ClearAddress(LEASED, "other-address") in commands
    assert kinds(commands) == [dhcp.DISCOVER]


def test_an_offer_that_contradicts_itself_is_taken_and_doubted() -> None:
    """Clients do not check; the timeline says it before it says what came of it."""
    machine, discover = selecting()
    frame = dhcp_reply(dhcp.OFFER, discover, "10.0.0.5", router="192.168.7.254")
    doubts = [Doubted("OFFER", f"{what}-outside-subnet", True, "10.0.0.5", BOARD_IP) for what in ("server", "router")]
    assert machine.receive(frame, 1) == doubts
    assert kinds(machine.wake(1)) == [dhcp.REQUEST]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"address": "0.0.0.0"}, "no-address"),
        ({"address": "224.0.0.5"}, "unusable-address"),
        ({"server": ""}, "no-server"),
    ],
)
def test_an_offer_that_cannot_be_used_is_ignored(change: dict[str, str], reason: str) -> None:
    """No REQUEST follows, and the client goes on asking."""
    machine, discover = selecting()
    (doubt,) = machine.receive(dhcp_reply(dhcp.OFFER, discover, **change), 1)
    assert isinstance(doubt, Doubted)
    assert (doubt.reason, doubt.taken) == (reason, False)
    assert kinds(run(machine, 6)) == [dhcp.DISCOVER]


def test_answers_to_others_are_doubted_or_nobodys() -> None:
    """Another transaction id or another hardware address is worth telling; both together are another conversation."""
    machine, discover = selecting()
    other_xid, other_mac = replace(discover, xid=discover.xid ^ 1), replace(discover, chaddr=BOARD_MAC)
    told = [machine.receive(dhcp_reply(dhcp.OFFER, other), 1) for other in (other_xid, other_mac)]
    reasons = ("other-exchange", "other-client")
    assert told == [[Doubted("OFFER", reason, False, LEASED, BOARD_IP)] for reason in reasons]
    both = replace(other_xid, chaddr=BOARD_MAC)
    assert machine.receive(dhcp_reply(dhcp.OFFER, both), 1) == []
    assert kinds(machine.wake(1)) == []


def test_what_is_not_awaited_is_not_doubted() -> None:
    """A late OFFER to a bound client is nobody's fault."""
    machine = bound()
    late = dhcp.DhcpMessage(op=dhcp.BOOTREQUEST, xid=1, chaddr=HOST_MAC)
    assert machine.receive(dhcp_reply(dhcp.OFFER, late), 5) == []
    assert machine.receive(dhcp_reply(dhcp.INFORM, late), 5) == []


def test_malformed_option_is_noted_and_ignored() -> None:
    """A lease time of three bytes does not move the machine."""
    machine, discover = selecting()
    bad = dhcp.DhcpMessage(
        op=dhcp.BOOTREPLY,
        xid=discover.xid,
        chaddr=HOST_MAC,
        options=((dhcp.OPTION_MESSAGE_TYPE, bytes([dhcp.OFFER])), (dhcp.OPTION_LEASE_TIME, b"abc")),
    )
    (note,) = machine.receive(dhcp.frame(bad, BOARD_MAC, HOST_MAC, BOARD_IP, "255.255.255.255"), 1)
    assert isinstance(note, Note)
    assert machine.state == "SELECTING"


# ---- the table ----------------------------------------------------------------------------------


def test_every_state_can_lose_its_link() -> None:
    """The table leaves no state without a way out."""
    left = {state for state, what in TRANSITIONS if what == "link down"}
    assert left == set(STATES) - {"STOPPED"}
    assert {state for state, _ in TRANSITIONS} | {state for state, _ in TRANSITIONS.values()} == set(STATES)


def test_a_host_that_begins_failed_is_silent_until_another_carrier_or_interface_comes() -> None:
    """The carrier that it begins with does not count; a link that goes and comes does, and so does a new interface."""
    for again in ("carrier", "interface"):
        machine = DhcpClient(replace(PLAIN, begins_failed=True), "", random.Random(7))
        assert sent(machine.attached(HOST_MAC, True, 0)) == []
        assert (machine.state, machine.deadline_ns) == ("FAILED", None)
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
