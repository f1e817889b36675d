"""iOS and macOS, held to what Apple's source says of them."""

import itertools
import random

import pytest

from hil.clock import to_ns
from hil.personas import IOS, MACOS, find
from hil.personas.client_profile import ClientProfile
from hil.personas.commands import Command, Doubted, GaveUp, SendFrame, SetAddress, SetLinkLocal, StateChanged
from hil.personas.host_stack import HostStack
from hil.testing.fake_net import BOARD_IP, HOST_MAC, LEASED, dhcp_reply
from hil.wire import dhcp

BOTH = pytest.mark.parametrize("profile", [IOS, MACOS], ids=lambda profile: profile.name)
Timed = list[tuple[float, Command]]


def host(profile: ClientProfile) -> tuple[HostStack, Timed]:
    """A host whose interface has had carrier since 0, and what it did then."""
    stack = HostStack(profile, random.Random(7))
    return stack, [(0.0, command) for command in stack.attached(HOST_MAC, True, 0)]


def run(stack: HostStack, until_s: float) -> Timed:
    """What it does by itself until then, each with its second."""
    seen: Timed = []
    while stack.deadline_ns is not None and stack.deadline_ns <= to_ns(until_s):
        now_ns = stack.deadline_ns
        seen += [(now_ns / 1e9, command) for command in stack.wake(now_ns)]
    return seen


def asked(seen: Timed) -> list[tuple[float, dhcp.DhcpMessage]]:
    """The DHCP messages among it."""
    frames = ((at_s, dhcp.from_frame(command.frame)) for at_s, command in seen if isinstance(command, SendFrame))
    return [(at_s, message) for at_s, message in frames if message is not None]


def requesting(profile: ClientProfile) -> tuple[HostStack, dhcp.DhcpMessage]:
    """A host that has asked for 192.168.7.2 at 1 s, and its REQUEST."""
    stack, begun = host(profile)
    stack.receive(dhcp_reply(dhcp.OFFER, asked(begun)[0][1]), 0)
    ((_, request),) = asked(run(stack, 1.0))
    return stack, request


def bound(profile: ClientProfile, lease_s: int = 60) -> HostStack:
    """A host that holds 192.168.7.2 since 1 s."""
    stack, request = requesting(profile)
    commands = stack.receive(dhcp_reply(dhcp.ACK, request, lease_s=lease_s), to_ns(1))
    assert any(isinstance(command, SetAddress) for command in commands)
    return stack


@pytest.mark.parametrize(
    ("profile", "requested"),
    [(IOS, "1,121,3,6,15,108,114,119,252"), (MACOS, "1,121,3,6,15,108,114,119,252,95,44,46")],
)
def test_the_discover_is_apples(profile: ClientProfile, requested: str) -> None:
    """Option 55 follows the message type; a Mac asks for NetBIOS too; three months are asked for."""
    _, begun = host(profile)
    ((_, discover),) = asked(begun)
    assert ",".join(map(str, discover.option(dhcp.OPTION_PARAMETER_LIST) or b"")) == requested
    assert [code for code, _ in discover.options] == [53, 55, 57, 61, 51, 12]
    assert discover.u32_option(dhcp.OPTION_LEASE_TIME) == 7776000


def test_the_request_asks_for_no_lease_time() -> None:
    """dhcp_select() adds the address and the server alone."""
    _, request = requesting(MACOS)
    assert [code for code, _ in request.options] == [53, 55, 57, 61, 50, 54, 12]


@BOTH
def test_ten_discovers_and_then_silence(profile: ClientProfile) -> None:
    """The waits double from 1 s to 8 s, each with up to a second on top; after the tenth no time ends the silence."""
    stack, begun = host(profile)
    seen = begun + run(stack, 10**6)
    times_s = [at_s for at_s, _ in asked(seen)]
    assert len(times_s) == 10
    gaps_s = [after - before for before, after in itertools.pairwise(times_s)]
    assert all(low <= gap <= low + 1 for gap, low in zip(gaps_s, (1, 2, 4, 8, 8, 8, 8, 8, 8), strict=True))
    assert [command for _, command in seen[-2:]] == [StateChanged("FAILED", "SELECTING"), GaveUp("OFFER", 10)]
    assert stack.deadline_ns is None


def test_without_the_cache_the_silence_lasts_for_a_minute() -> None:
    """dhcp_no_server() begins anew after 60 s."""
    stack, _ = host(find("ios", caches_failure=False))
    seen = run(stack, 140)
    (gave_up_s,) = [at_s for at_s, command in seen if command == GaveUp("OFFER", 10)]
    assert next(at_s for at_s, _ in asked(seen) if at_s > gave_up_s) == pytest.approx(gave_up_s + 60)


@BOTH
def test_the_fifth_discover_brings_a_link_local_address(profile: ClientProfile) -> None:
    """After 15 to 19 s it is looked for, DISCOVER goes on, and a lease takes it away."""
    stack, begun = host(profile)
    seen = begun + run(stack, 30)
    fifth_s = asked(seen)[4][0]
    (claimed_s,) = [at_s for at_s, command in seen if isinstance(command, SetLinkLocal)]
    assert 15 <= fifth_s <= 19
    assert claimed_s == pytest.approx(fifth_s + 3 * 0.32)
    last_s, discover = asked(seen)[-1]
    assert last_s > claimed_s
    now_ns = to_ns(30)
    stack.receive(dhcp_reply(dhcp.OFFER, discover), now_ns)
    ((_, request),) = asked(run(stack, 31))
    kinds = [type(command).__name__ for command in stack.receive(dhcp_reply(dhcp.ACK, request), to_ns(31))]
    assert kinds == ["ClearLinkLocal", "StateChanged", "SetAddress"]
    assert stack.link_local == ""


@BOTH
def test_an_offer_of_a_private_address_is_held_for_a_second(profile: ClientProfile) -> None:
    """In case a better one follows."""
    stack, begun = host(profile)
    ((_, discover),) = asked(begun)
    stack.receive(dhcp_reply(dhcp.OFFER, discover), to_ns(0.5))
    ((at_s, request),) = asked(run(stack, 2))
    assert (at_s, request.message_type) == (1.5, dhcp.REQUEST)


def test_four_requests_go_unanswered_before_the_next_discover() -> None:
    """1, 2, 4 and 8 s apart, without a random part."""
    stack, _ = requesting(IOS)
    seen = asked(run(stack, 16))
    assert [(at_s, message.message_type) for at_s, message in seen] == [
        (2, dhcp.REQUEST),
        (4, dhcp.REQUEST),
        (8, dhcp.REQUEST),
        (16, dhcp.DISCOVER),
    ]


def test_the_link_is_looked_at_with_the_second_try() -> None:
    """Without carrier there, IPConfiguration calls the link inactive and stops until it comes."""
    stack = HostStack(IOS, random.Random(7))
    stack.attached(HOST_MAC, False, 0)
    ((stopped_s, state), (_, gave_up)) = run(stack, 3600)
    assert 1 <= stopped_s <= 2
    assert (state, gave_up) == (StateChanged("FAILED", "SELECTING"), GaveUp("carrier", 1))
    ((_, discover),) = asked([(0.0, command) for command in stack.link_changed(True, to_ns(3600))])
    assert discover.message_type == dhcp.DISCOVER


def test_a_known_network_is_asked_three_times_for_the_old_lease() -> None:
    """Then DISCOVER; an answer is held for a second."""
    stack = bound(IOS, lease_s=3600)
    stack.detached(to_ns(2))
    begun = [(2.0, command) for command in stack.attached(HOST_MAC, True, to_ns(2))]
    seen = asked(begun + run(stack, 12))
    assert [message.message_type for _, message in seen][:4] == [dhcp.REQUEST] * 3 + [dhcp.DISCOVER]
    assert seen[0][1].address_option(dhcp.OPTION_REQUESTED_ADDRESS) == LEASED
    assert seen[0][1].option(dhcp.OPTION_SERVER_ID) is None


def test_espressifs_nak_ends_a_reboot_and_a_renewal_but_no_selection() -> None:
    """It carries no option 54: dhcp_select() ignores it, dhcp_init_reboot() and dhcp_renew_rebind() believe it."""
    stack, request = requesting(IOS)
    doubt = stack.receive(dhcp_reply(dhcp.NAK, request, server=""), to_ns(1))
    assert doubt == [Doubted("NAK", "no-server", False, "0.0.0.0", "")]
    stack = bound(IOS)
    ((_, renewal),) = asked(run(stack, 31))
    stack.receive(dhcp_reply(dhcp.NAK, renewal, server=""), to_ns(31))
    assert stack.dhcp.state == "SELECTING"
    stack = bound(IOS)
    stack.link_changed(False, to_ns(2))
    ((_, reboot),) = asked([(2.0, command) for command in stack.link_changed(True, to_ns(2))])
    stack.receive(dhcp_reply(dhcp.NAK, reboot, server=""), to_ns(2))
    assert stack.dhcp.state == "SELECTING"


def test_a_proper_nak_of_a_selection_is_followed_by_ten_seconds_of_silence() -> None:
    """So that a server that offers and refuses in turn is not flooded."""
    stack, request = requesting(IOS)
    stack.receive(dhcp_reply(dhcp.NAK, request), to_ns(1))
    ((at_s, discover),) = asked(run(stack, 11))
    assert (at_s, discover.message_type) == (11, dhcp.DISCOVER)


def test_a_selection_accepts_the_ack_of_another_server() -> None:
    """dhcp_select() does not look whose it is; the timeline does."""
    stack, request = requesting(IOS)
    commands = stack.receive(dhcp_reply(dhcp.ACK, request, server="192.168.7.9"), to_ns(1))
    assert commands[0] == Doubted("ACK", "other-server", True, LEASED, "192.168.7.9")
    assert stack.dhcp.state == "BOUND"


def test_a_lost_renewal_of_a_minutes_lease_is_noticed_after_ninety_seconds() -> None:
    """One timer serves T1, T2 and the end, and it waits for 60 s at least."""
    stack = bound(IOS)
    seen = run(stack, 92)
    assert [at_s for at_s, _ in asked(seen)][:2] == [31, 91]
    assert [message.message_type for _, message in asked(seen)][:2] == [dhcp.REQUEST, dhcp.DISCOVER]


def test_a_renewal_with_another_address_begins_anew() -> None:
    """dhcp_renew_rebind(): address has to match."""
    stack = bound(IOS)
    ((_, renewal),) = asked(run(stack, 31))
    stack.receive(dhcp_reply(dhcp.ACK, renewal, "192.168.7.3"), to_ns(31))
    assert stack.dhcp.state == "SELECTING"


def test_the_personas_differ_from_each_other_by_list_and_name_alone() -> None:
    """What is not known of a Mac is taken from the phone."""
    fields = ("discover", "request", "reboot", "gather_s", "ack", "nak", "link_local", "caches_failure")
    assert all(getattr(IOS, field) == getattr(MACOS, field) for field in fields)
    assert (IOS.name, MACOS.name, BOARD_IP) == ("ios", "macos", "192.168.7.1")
