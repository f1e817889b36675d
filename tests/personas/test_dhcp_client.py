"""The DHCP client machine, driven by hand-made replies and a clock that is an argument."""

from dataclasses import replace

import pytest

from hil.clock import to_ns
from hil.personas.client_profile import AckRule, Backoff, NakRule
from hil.personas.commands import ClearAddress, Doubted, GaveUp, Note, SetAddress, StateChanged
from hil.personas.dhcp_client import TRANSITIONS
from hil.personas.states import REQUESTING, STATES
from hil.testing.driven_client import PLAIN, bound, kinds, requesting, run, selecting, sent
from hil.testing.fake_net import BOARD_IP, BOARD_MAC, HOST_MAC, LEASED, dhcp_reply
from hil.wire import dhcp

OTHER_SERVER = "192.168.7.9"
THREE = Backoff((1, 2), 0.0, 0.0, tries=3)

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
