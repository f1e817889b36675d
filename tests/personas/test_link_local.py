"""The link-local machine, held to RFC 3927."""

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.clock import to_ns
from hil.personas.client_profile import LinkLocalTimes
from hil.personas.commands import ClearLinkLocal, Command, SendFrame, SetLinkLocal
from hil.personas.link_local import CLAIMED, IDLE, PROBING, TRANSITIONS, LinkLocal
from hil.testing.fake_net import BOARD_MAC, HOST_MAC
from hil.wire import arp
from hil.wire.arp import ArpPacket
from hil.wire.ethernet import BROADCAST, ETHERTYPE_ARP, ETHERTYPE_IPV4, EthernetFrame

EXACT = LinkLocalTimes(probe_wait_s=(0.0, 0.0), probe_gap_s=(1.0, 1.0), conflict_pause_s=60.0)


def machine(times: LinkLocalTimes = EXACT) -> LinkLocal:
    return LinkLocal(times, random.Random(7))


def heard(commands: Iterable[Command]) -> list[ArpPacket]:
    """The ARP packets among the commands."""
    frames = [EthernetFrame.parse(command.frame) for command in commands if isinstance(command, SendFrame)]
    assert all((frame.dst, frame.src) == (BROADCAST, HOST_MAC) for frame in frames)
    return [ArpPacket.parse(frame.payload) for frame in frames]


def run(own: LinkLocal, until_s: float) -> list[tuple[float, Command]]:
    """What the machine does by itself until then, each with its second."""
    seen: list[tuple[float, Command]] = []
    while own.deadline_ns is not None and own.deadline_ns <= to_ns(until_s):
        now_ns = own.deadline_ns
        seen += [(now_ns / 1e9, command) for command in own.wake(now_ns)]
    return seen


def claimed() -> LinkLocal:
    """A machine that has had its address since 4 s."""
    own = machine()
    own.wanted(HOST_MAC, 0)
    run(own, 7)
    assert own.state == CLAIMED
    return own


def packet(sender_ip: str, target_ip: str, sender_mac: str = BOARD_MAC, op: int = arp.REQUEST) -> bytes:
    """An ARP frame from the board."""
    payload = ArpPacket(op, sender_mac, sender_ip, arp.UNSPECIFIED_MAC, target_ip).pack()
    return EthernetFrame(BROADCAST, sender_mac, ETHERTYPE_ARP, payload).pack()


def test_an_address_is_probed_for_claimed_and_announced() -> None:
    """Three probes a second apart, two seconds of waiting, two announcements two seconds apart."""
    own = machine()
    assert own.wanted(HOST_MAC, 0) == []
    seen = run(own, 3600)
    sent = [(at_s, *heard([command])) for at_s, command in seen if isinstance(command, SendFrame)]
    assert [(at_s, p.is_probe, p.is_announcement) for at_s, p in sent] == [
        (0, True, False),
        (1, True, False),
        (2, True, False),
        (4, False, True),
        (6, False, True),
    ]
    assert {p.target_ip for _, p in sent} == {own.address}
    assert [(at_s, c) for at_s, c in seen if isinstance(c, SetLinkLocal)] == [(4, SetLinkLocal(own.address))]


def test_the_address_follows_from_the_hardware_address() -> None:
    """So that a host finds its own again (section 2.1), and two hosts hardly ever the same."""
    first, again, other = machine(), machine(), machine()
    first.wanted(HOST_MAC, 0)
    again.wanted(HOST_MAC, 5)
    other.wanted(BOARD_MAC, 0)
    assert first.address == again.address != other.address


@given(st.binary(min_size=6, max_size=6))
def test_every_address_is_in_the_usable_range(mac: bytes) -> None:
    """169.254.1.0 to 169.254.254.255."""
    own = machine()
    own.wanted(mac.hex(":"), 0)
    first, second, third, _ = map(int, own.address.split("."))
    assert (first, second) == (169, 254)
    assert 1 <= third <= 254


@pytest.mark.parametrize("how", ["uses", "answers", "wants"])
def test_a_conflict_while_probing_leads_to_another_address(how: str) -> None:
    """One who uses the address, and one who probes for it too."""
    own = machine()
    own.wanted(HOST_MAC, 0)
    first = own.address
    frames = {
        "uses": packet(first, "192.168.7.1"),
        "answers": packet(first, "0.0.0.0", op=arp.REPLY),
        "wants": packet("0.0.0.0", first),
    }
    own.receive(frames[how], 1)
    assert own.state == PROBING
    assert own.address != first
    assert [p.target_ip for _, c in run(own, 2.5) for p in heard([c])] == [own.address] * 3


@pytest.mark.parametrize("frame", ["asked", "reflected", "others", "cut-arp", "ipv4", "cut"])
def test_what_is_no_conflict_is_ignored(frame: str) -> None:
    """A question for the address, its own packet come back, others' business and broken frames."""
    own = machine()
    own.wanted(HOST_MAC, 0)
    address = own.address
    frames = {
        "asked": packet("192.168.7.1", address),
        "reflected": packet(address, address, sender_mac=HOST_MAC),
        "others": packet("192.168.7.1", "192.168.7.2"),
        "cut-arp": EthernetFrame(BROADCAST, BOARD_MAC, ETHERTYPE_ARP, b"cut").pack(),
        "ipv4": EthernetFrame(BROADCAST, BOARD_MAC, ETHERTYPE_IPV4, b"").pack(),
        "cut": b"cut",
    }
    assert own.receive(frames[frame], 1) == []
    assert own.address == address


def test_many_conflicts_slow_the_search_down() -> None:
    """From the tenth on a minute passes before the next probe; another link begins to count anew."""
    own = machine()
    own.wanted(HOST_MAC, 0)
    for _ in range(9):
        own.receive(packet(own.address, own.address), 5)
        assert own.deadline_ns == 5
    own.receive(packet(own.address, own.address), 5)
    assert own.deadline_ns == 5 + to_ns(60)
    own.unwanted("link-down")
    own.wanted(HOST_MAC, 6)
    own.receive(packet(own.address, own.address), 7)
    assert own.deadline_ns == 7


def test_the_first_conflict_is_answered_by_an_announcement() -> None:
    """Section 2.5 (b); one who merely probes for a claimed address is left to the kernel's answer."""
    own = claimed()
    (answer,) = heard(own.receive(packet(own.address, own.address), to_ns(10)))
    assert answer.is_announcement
    assert own.receive(packet("0.0.0.0", own.address), to_ns(11)) == []


@pytest.mark.parametrize(("later_s", "kept"), [(9.9, False), (10.1, True)])
def test_a_second_conflict_within_ten_seconds_takes_the_address_away(later_s: float, kept: bool) -> None:
    """And another is probed for."""
    own = claimed()
    address = own.address
    own.receive(packet(address, address), to_ns(10))
    commands = own.receive(packet(address, address), to_ns(10 + later_s))
    if kept:
        assert [p.is_announcement for p in heard(commands)] == [True]
        return
    assert commands == [ClearLinkLocal(address, "conflict")]
    assert (own.state, own.address == address) == (PROBING, False)


def test_an_address_that_is_unwanted_is_let_go() -> None:
    """With the reason; one that was only probed for goes silently, and is the first to be tried again."""
    own = claimed()
    own.receive(packet(own.address, own.address), to_ns(8))
    own.receive(packet(own.address, own.address), to_ns(8))
    run(own, 16)
    address = own.address
    assert own.unwanted("lease") == [ClearLinkLocal(address, "lease")]
    assert (own.state, own.deadline_ns) == (IDLE, None)
    own.wanted(HOST_MAC, to_ns(20))
    assert own.address == address
    assert own.unwanted("link-down") == []
    assert run(own, 3600) == []


def test_wanting_twice_is_wanting_once() -> None:
    """The search goes on as it was."""
    own = machine()
    own.wanted(HOST_MAC, 0)
    own.wake(0)
    assert own.wanted(HOST_MAC, 1) == []
    assert own.deadline_ns == to_ns(1)


STEPS = st.sampled_from(["wanted", "unwanted", "wake", "conflict", "probe", "other"])


@given(st.lists(STEPS, max_size=60))
def test_nothing_breaks_the_machine(steps: list[str]) -> None:
    """Nothing is sent while idle; an address is set in CLAIMED alone, and only after three probes for it."""
    own = machine()
    probes: list[str] = []
    held = ""
    now_ns = 0
    for what in steps:
        now_ns += to_ns(0.7)
        match what:
            case "wanted":
                commands = own.wanted(HOST_MAC, now_ns)
            case "unwanted":
                commands = own.unwanted("link-down")
            case "wake":
                now_ns = max(now_ns, own.deadline_ns or 0)
                commands = own.wake(now_ns)
            case "conflict":
                commands = own.receive(packet(own.address or "169.254.9.9", "0.0.0.0"), now_ns)
            case "probe":
                commands = own.receive(packet("0.0.0.0", own.address or "169.254.9.9"), now_ns)
            case _:
                commands = own.receive(packet("192.168.7.1", "192.168.7.2"), now_ns)
        for command in commands:
            if isinstance(command, SetLinkLocal):
                assert probes[-3:] == [command.address] * 3
                held = command.address
            elif isinstance(command, ClearLinkLocal):
                assert command.address == held
                held = ""
            else:
                probes += [sent.target_ip for sent in heard([command]) if sent.is_probe]
        assert own.state != IDLE or (own.deadline_ns is None and not heard(commands))
        assert bool(held) == (own.state == CLAIMED)
    assert {state for state, _ in TRANSITIONS} == {IDLE, PROBING, CLAIMED}
