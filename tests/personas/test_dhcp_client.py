"""The DHCP client machine, driven by hand-made replies and a clock that is an argument."""

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.clock import to_ns
from hil.personas import IOS, LINUX, find
from hil.personas.client_profile import ClientProfile
from hil.personas.commands import ClearAddress, Command, Note, SendFrame, SetAddress, StateChanged
from hil.personas.dhcp_client import TRANSITIONS, DhcpClient
from hil.wire import dhcp
from hil.wire.addresses import ipv4_bytes

HOST_MAC = "02:02:11:22:33:01"
BOARD_MAC = "02:02:11:22:33:02"
BOARD = "192.168.7.1"
PLAIN = ClientProfile(name="plain")


def client(profile: ClientProfile = PLAIN) -> DhcpClient:
    return DhcpClient(profile, HOST_MAC, random.Random(7))


def sent(commands: list[Command]) -> list[dhcp.DhcpMessage]:
    """The DHCP messages among the commands."""
    messages = [dhcp.from_frame(command.frame) for command in commands if isinstance(command, SendFrame)]
    return [message for message in messages if message is not None]


def reply(
    kind: int, to: dhcp.DhcpMessage, address: str = "192.168.7.2", server: str = BOARD, lease_s: int = 60
) -> bytes:
    """A frame from the board that answers ``to``."""
    options = [(dhcp.OPTION_MESSAGE_TYPE, bytes([kind]))]
    if server:
        options.append((dhcp.OPTION_SERVER_ID, ipv4_bytes(server)))
    if kind != dhcp.NAK:
        options.append((dhcp.OPTION_LEASE_TIME, lease_s.to_bytes(4, "big")))
        options.append((dhcp.OPTION_SUBNET_MASK, ipv4_bytes("255.255.255.0")))
    message = dhcp.DhcpMessage(
        op=dhcp.BOOTREPLY,
        xid=to.xid,
        chaddr=to.chaddr,
        yiaddr=address if kind != dhcp.NAK else "0.0.0.0",
        options=tuple(options),
    )
    return dhcp.frame(message, BOARD_MAC, HOST_MAC, BOARD, "255.255.255.255")


def bound(profile: ClientProfile = PLAIN) -> tuple[DhcpClient, int]:
    """A client that holds 192.168.7.2 for 60 s, and the time at which it was granted."""
    machine = client(profile)
    (discover,) = sent(machine.link_changed(True, 0))
    machine.receive(reply(dhcp.OFFER, discover), to_ns(0.01))
    now_ns = to_ns(0.01 + profile.gather_s)
    (request,) = sent(machine.wake(now_ns))
    machine.receive(reply(dhcp.ACK, request), now_ns)
    assert machine.state == "BOUND"
    return machine, now_ns


def test_carrier_starts_with_a_discover_that_asks_for_the_profiles_options() -> None:
    """The first message is a broadcast DISCOVER with the implementation's own option 55."""
    (discover,) = sent(client(IOS).link_changed(True, 0))
    assert discover.message_type == dhcp.DISCOVER
    assert discover.option(dhcp.OPTION_PARAMETER_LIST) == bytes((1, 121, 3, 6, 15, 108, 114, 119, 252))


def test_handshake_ends_bound_with_the_address_set() -> None:
    """OFFER, REQUEST and ACK set the address with prefix, server and lease time."""
    machine = client()
    (discover,) = sent(machine.link_changed(True, 0))
    machine.receive(reply(dhcp.OFFER, discover), 1)
    (request,) = sent(machine.wake(1))
    assert request.message_type == dhcp.REQUEST
    assert request.address_option(dhcp.OPTION_REQUESTED_ADDRESS) == "192.168.7.2"
    assert request.address_option(dhcp.OPTION_SERVER_ID) == BOARD
    commands = machine.receive(reply(dhcp.ACK, request), 2)
    assert StateChanged("BOUND", "REQUESTING") in commands
    assert SetAddress("192.168.7.2", 24, "", BOARD, 60) in commands


def test_ios_gathers_offers_for_a_second() -> None:
    """iOS holds an offer for one second before it asks for it."""
    machine = client(IOS)
    (discover,) = sent(machine.link_changed(True, 0))
    machine.receive(reply(dhcp.OFFER, discover), to_ns(0.5))
    assert sent(machine.wake(to_ns(1.49))) == []
    assert [message.message_type for message in sent(machine.wake(to_ns(1.5)))] == [dhcp.REQUEST]


def test_ios_repeats_discover_ten_times_and_then_rests_for_a_minute() -> None:
    """Unanswered, iOS doubles from 1 s to 8 s, gives up with the tenth DISCOVER and starts again after 60 s."""
    machine = client(IOS)
    times_ns = [0]
    assert len(sent(machine.link_changed(True, 0))) == 1
    rested = False
    while len(times_ns) < 11:
        assert machine.deadline_ns is not None
        now_ns = machine.deadline_ns
        commands = machine.wake(now_ns)
        rested = rested or any(isinstance(command, Note) for command in commands)
        times_ns += [now_ns] * len(sent(commands))
    gaps_s = [(b - a) / 1e9 for a, b in itertools.pairwise(times_ns)]
    for gap_s, low_s in zip(gaps_s, (1, 2, 4, 8, 8, 8, 8, 8, 8), strict=False):
        assert low_s <= gap_s <= low_s + 1
    assert rested
    assert 68 <= gaps_s[9] <= 69


def test_link_bounce_asks_for_the_old_address_first() -> None:
    """With a lease in hand a new carrier begins with INIT-REBOOT: a REQUEST without server identifier."""
    machine, now_ns = bound()
    down = machine.link_changed(False, now_ns)
    assert ClearAddress("192.168.7.2", "link-down") in down
    (request,) = sent(machine.link_changed(True, now_ns + 1))
    assert machine.state == "REBOOTING"
    assert request.message_type == dhcp.REQUEST
    assert request.address_option(dhcp.OPTION_REQUESTED_ADDRESS) == "192.168.7.2"
    assert request.option(dhcp.OPTION_SERVER_ID) is None


def test_unanswered_reboot_falls_back_to_discover() -> None:
    """iOS asks three times in INIT-REBOOT before it starts over."""
    machine, now_ns = bound(IOS)
    machine.link_changed(False, now_ns)
    kinds = [m.message_type for m in sent(machine.link_changed(True, now_ns))]
    while dhcp.DISCOVER not in kinds:
        assert machine.deadline_ns is not None
        kinds += [m.message_type for m in sent(machine.wake(machine.deadline_ns))]
    assert kinds == [dhcp.REQUEST] * 3 + [dhcp.DISCOVER]


def test_lease_is_renewed_at_half_its_time_by_unicast() -> None:
    """T1 is half the lease where the server names none; the REQUEST goes to the server with ciaddr set."""
    machine, now_ns = bound()
    assert machine.deadline_ns == now_ns + to_ns(30.0)
    (request,) = sent(machine.wake(now_ns + to_ns(30.0)))
    assert machine.state == "RENEWING"
    assert request.ciaddr == "192.168.7.2"
    machine.receive(reply(dhcp.ACK, request), now_ns + to_ns(30.1))
    assert machine.state == "BOUND"


def test_expired_lease_is_given_up() -> None:
    """A lease that nobody extends is cleared at its end, and the client starts over."""
    machine, now_ns = bound()
    seen: list[Command] = []
    while machine.deadline_ns is not None and machine.deadline_ns <= now_ns + to_ns(60.0):
        seen += machine.wake(machine.deadline_ns)
    assert ClearAddress("192.168.7.2", "expired") in seen
    assert machine.state == "SELECTING"


@pytest.mark.parametrize("profile", [IOS, LINUX], ids=lambda profile: profile.name)
def test_nak_without_server_identifier_is_ignored(profile: ClientProfile) -> None:
    """ESP-IDF's NAK carries no option 54; iOS and systemd do not believe it."""
    machine, now_ns = bound(profile)
    (request,) = sent(machine.wake(now_ns + to_ns(30.0)))
    commands = machine.receive(reply(dhcp.NAK, request, server=""), now_ns + to_ns(30.1))
    assert commands == [Note("a NAK without server identifier was ignored")]
    assert machine.state == "RENEWING"


def test_nak_with_server_identifier_starts_over() -> None:
    """A proper NAK takes the address away and begins with DISCOVER."""
    machine, now_ns = bound()
    (request,) = sent(machine.wake(now_ns + to_ns(30.0)))
    commands = machine.receive(reply(dhcp.NAK, request), now_ns + to_ns(30.1))
    assert ClearAddress("192.168.7.2", "nak") in commands
    assert [message.message_type for message in sent(commands)] == [dhcp.DISCOVER]


def test_answers_to_others_are_ignored() -> None:
    """A reply with another transaction id, or another hardware address, changes nothing."""
    machine = client()
    (discover,) = sent(machine.link_changed(True, 0))
    for other in (replace(discover, xid=discover.xid ^ 1), replace(discover, chaddr=BOARD_MAC)):
        assert machine.receive(reply(dhcp.OFFER, other), 1) == []


def test_malformed_option_is_noted_and_ignored() -> None:
    """A lease time of three bytes does not move the machine."""
    machine = client()
    (discover,) = sent(machine.link_changed(True, 0))
    bad = dhcp.DhcpMessage(
        op=dhcp.BOOTREPLY,
        xid=discover.xid,
        chaddr=HOST_MAC,
        options=((dhcp.OPTION_MESSAGE_TYPE, bytes([dhcp.OFFER])), (dhcp.OPTION_LEASE_TIME, b"abc")),
    )
    (note,) = machine.receive(dhcp.frame(bad, BOARD_MAC, HOST_MAC, BOARD, "255.255.255.255"), 1)
    assert isinstance(note, Note)
    assert machine.state == "SELECTING"


@given(st.lists(st.tuples(st.sampled_from(["up", "down", "wake", "frame"]), st.binary(max_size=400)), max_size=30))
def test_nothing_breaks_the_machine(steps: list[tuple[str, bytes]]) -> None:
    """Any order of link changes, wake-ups and bytes only yields commands."""
    machine = client(IOS)
    now_ns = 0
    for what, data in steps:
        now_ns += to_ns(0.7)
        if what == "frame":
            machine.receive(data, now_ns)
        elif what == "wake":
            machine.wake(max(now_ns, machine.deadline_ns or 0))
        else:
            machine.link_changed(what == "up", now_ns)
    assert (machine.state, "link down") in TRANSITIONS or machine.state == "STOPPED"


def test_unknown_persona_names_the_known_ones() -> None:
    """A misspelt persona is refused with the choices."""
    with pytest.raises(Exception, match="persona 'windows' is not known; known: 'ios', 'linux'"):
        find("windows")


def test_a_flood_of_offers_does_not_put_off_the_request() -> None:
    """Gathering begins with the first offer; later ones do not begin it anew."""
    machine = client(IOS)
    (discover,) = sent(machine.link_changed(True, 0))
    for at_s in (0.2, 0.6, 1.0):
        machine.receive(reply(dhcp.OFFER, discover), to_ns(at_s))
    assert [message.message_type for message in sent(machine.wake(to_ns(1.2)))] == [dhcp.REQUEST]


def test_an_offer_without_an_address_is_ignored() -> None:
    """0.0.0.0 is no address to ask for."""
    machine = client()
    (discover,) = sent(machine.link_changed(True, 0))
    (note,) = machine.receive(reply(dhcp.OFFER, discover, address="0.0.0.0"), 1)
    assert note == Note("a DHCPOFFER without an address was ignored")
