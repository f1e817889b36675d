"""A board with an address of its own asks first whether somebody has it, and defends it afterwards (RFC 5227)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest

from hil import ArpReply, ArpRequest, Carrier, Expect, Host, UsbBoard, never, not_, repeated, within
from hil.board.interfaces import Instant
from hil.expect.steps import Step
from hil.net.arp_peer import AddressAsker
from hil.timeline.events import Event

LATE_S = 0.5
"""So much a busy bench may add to a pause, or take from it."""
PROBE_WAIT_S = 1.0
"""PROBE_WAIT of RFC 5227 section 1.1: the longest pause before the first probe."""
PROBE_S = (1.0, 2.0)
"""PROBE_MIN and PROBE_MAX, likewise: from one probe to the next."""
ANNOUNCE_S = 2.0
"""ANNOUNCE_WAIT and ANNOUNCE_INTERVAL: after the last probe, and between announcements."""
ANSWER_S = 1.5
"""For what is due at once: an answer to one of several questions, a defence."""
CONFLICTS, LIMIT_S = 10, 60.0
"""MAX_CONFLICTS and RATE_LIMIT_INTERVAL: one attempt in so long after so many conflicts."""
DEFEND_S = 10.0
"""DEFEND_INTERVAL."""
BOOTS = 5
SAME_S = 0.15
"""Pauses that differ by less are the same, which of five boots that pause at random two are once in 200 000 times."""
ELSEWHERE = "192.168.7.77"
"""An address that nobody has: a host that looks for it is heard, and is of no matter to the board."""
USE_S = 15.0
"""A boot, an enumeration, a link, and probing at its slowest: PROBE_WAIT, three probes, ANNOUNCE_WAIT."""


@dataclass(frozen=True)
class Frames:
    """What a board says of its address by ARP."""

    address: str

    @property
    def probe(self) -> ArpRequest:
        return ArpRequest(target_ip=self.address, sender_ip="0.0.0.0", sender="board")

    @property
    def announcement(self) -> ArpRequest:
        return ArpRequest(target_ip=self.address, sender_ip=self.address, sender="board")

    @property
    def answer(self) -> ArpReply:
        return ArpReply(sender_ip=self.address, sender="board")

    @property
    def round(self) -> tuple[Event | Step, ...]:
        """Three probes, a pause, and the first announcement."""
        again = within(self.probe, PROBE_S[1] + LATE_S)
        return (self.probe, again, again, never(self.probe), within(self.announcement, ANNOUNCE_S + LATE_S))

    @property
    def unused(self) -> tuple[Event | Step, ...]:
        """Not a word from the address before it is announced."""
        asking = ArpRequest(sender_ip=self.address, target_ip=not_(self.address), sender="board")
        return (never(self.answer), never(asking), self.announcement)


@pytest.fixture
def arp(board: UsbBoard) -> Frames:
    """The frames of this board."""
    if not board.profile.network.address:
        pytest.skip(f"profile {board.profile.name} names no address (network.address)")
    return Frames(board.profile.network.address)


def use(board: UsbBoard, host: Host, expect: Expect, arp: Frames) -> ArpReply:
    """A host asks for the address all the time, and the board, whatever it went through before, has it."""
    asked = host.asker(arp.address).start(board.name)
    if not expect.seen(arp.answer, since=asked, within_s=USE_S):
        asked = board.replug()
    used = expect.sequence(arp.answer, since=asked, within_s=USE_S).last(ArpReply)
    expect.never(arp.probe, for_s=ANNOUNCE_S + 2 * LATE_S, since=used)
    return used


def takes(expect: Expect, arp: Frames, since: Instant) -> list[ArpRequest]:
    """The link comes up, and the board takes its address as it should: its probes, and the first announcement."""
    link = expect.sequence(Carrier(up=True), since=since, within_s=USE_S).last(Carrier)
    # What a board does that uses its address too early is told by whether it probes for it later.
    expect.seen(arp.probe, since=link, within_s=PROBE_WAIT_S + 2 * LATE_S)
    expect.sequence(Carrier(up=True), *arp.unused, since=since, within_s=USE_S)
    served = expect.sequence(Carrier(up=True), *arp.round, since=since, within_s=USE_S)
    return [event for event in served.events if isinstance(event, ArpRequest)]


def pauses(events: Sequence[Event]) -> list[float]:
    """From each to the next, in seconds."""
    return [(later.t_ns - former.t_ns) / 1e9 for former, later in pairwise(events)]


def decided(board: UsbBoard, asker: AddressAsker, rule: str, tolerance_s: float) -> bool:
    """Whether this bench can tell: it was late by less than half of what the rule allows; else a check is skipped."""
    if 2 * asker.late_s <= tolerance_s:
        return True
    board.on_skipped_check(f"{rule}: undecided, the bench was late by {asker.late_s:.2f} s, allowed {tolerance_s:g} s")
    return False


@pytest.mark.hil(needs="vbus_off", role="static")
def test_address_is_probed_for_before_it_is_used(board: UsbBoard, host: Host, expect: Expect, arp: Frames) -> None:
    """Three probes, a pause, two announcements; not a word from the address before, and an answer to all from then."""
    asker = host.asker(arp.address)
    asker.start(board.name)
    pulled = board.replug()
    sent = takes(expect, arp, pulled)
    answer = expect.sequence(arp.answer, since=sent[-1], within_s=ANSWER_S).last(ArpReply)
    again = within(arp.announcement, ANNOUNCE_S + LATE_S)
    announced = expect.sequence(arp.announcement, again, since=sent[-1], within_s=ANNOUNCE_S + LATE_S)
    if decided(board, asker, "pauses between probes and announcements", LATE_S):
        *between_probes, proving = pauses(sent)
        assert min(between_probes) >= PROBE_S[0] - LATE_S
        assert min(proving, pauses(announced.events)[0]) >= ANNOUNCE_S - LATE_S
    assert {each.sender_mac for each in (*sent, answer)} == {answer.sender_mac}
    board.claims("ACD_PROBING", "ADDRESS_SET", since=pulled)


@pytest.mark.hil(role="static")
def test_address_in_use_is_defended_once(board: UsbBoard, host: Host, expect: Expect, arp: Frames) -> None:
    """The first claim of another host is answered by an announcement, a second one soon after is not."""
    squatter = host.squatter(arp.address, holds=False)
    squatter.start(board.name)
    use(board, host, expect, arp)
    first = squatter.claim()
    expect.sequence(arp.announcement, since=first, within_s=ANSWER_S)
    second = squatter.claim()
    expect.never(arp.announcement, for_s=ANNOUNCE_S, since=second)
    board.claims("ACD_DEFENDED", since=first)


@pytest.mark.hil(needs="reconfigure", role="static")
def test_link_that_comes_back_is_probed_anew(board: UsbBoard, host: Host, expect: Expect, arp: Frames) -> None:
    """Who else is on a link may have changed while it was away."""
    use(board, host, expect, arp)
    cycled = board.authorize_cycle()
    takes(expect, arp, cycled)
    board.claims("ACD_PROBING", "ADDRESS_SET", since=cycled)


@pytest.mark.hil(needs="vbus_off", role="static")
def test_rival_for_the_address_makes_the_board_begin_anew(
    board: UsbBoard, host: Host, expect: Expect, arp: Frames
) -> None:
    """Another host's probe for the address counts as if it had it; as nobody has, the board gets it in the end."""
    rival = host.squatter(arp.address, holds=False)
    rival.start(board.name)
    host.asker(arp.address).start(board.name)
    pulled = board.replug()
    expect.sequence(arp.probe, since=pulled, within_s=USE_S)
    probed = rival.probe()
    expect.sequence(*arp.unused, since=probed, within_s=USE_S)
    expect.sequence(*arp.round, since=probed, within_s=USE_S)
    board.claims("ACD_CONFLICT", since=pulled)


@pytest.mark.hil(needs="vbus_off", role="static")
def test_address_of_another_host_is_not_used(board: UsbBoard, host: Host, expect: Expect, arp: Frames) -> None:
    """A host answers the probe: the board stays without an address as long as that host is there."""
    host.squatter(arp.address).start(board.name)
    host.asker(arp.address).start(board.name)
    pulled = board.replug()
    probed = expect.sequence(arp.probe, since=pulled, within_s=USE_S).last(ArpRequest)
    expect.never(arp.answer, for_s=8.0, since=probed)
    expect.never(ArpRequest(sender_ip=arp.address, sender="board"), for_s=8.0, since=probed)
    board.claims("ACD_CONFLICT", since=pulled)


@pytest.mark.hil(needs="vbus_off", role="static")
def test_question_for_the_address_does_not_disturb_probing(
    board: UsbBoard, host: Host, expect: Expect, arp: Frames
) -> None:
    """A host that looks for who has it gets no answer yet, and is no conflict: three probes, as if it had not asked."""
    host.asker(ELSEWHERE).start(board.name)
    curious = host.asker(arp.address, every_s=0.0)
    curious.start(board.name)
    pulled = board.replug()
    expect.sequence(arp.probe, since=pulled, within_s=USE_S)
    asked = curious.ask()
    expect.sequence(Carrier(up=True), *arp.round, since=pulled, within_s=USE_S)
    used = expect.sequence(arp.announcement, since=asked, within_s=USE_S).last(ArpRequest)
    expect.never(arp.probe, for_s=ANNOUNCE_S + LATE_S, since=used)


@pytest.mark.hil(needs="vbus_off", role="static")
def test_frames_that_come_back_do_not_disturb_probing(board: UsbBoard, host: Host, expect: Expect, arp: Frames) -> None:
    """A board that hears its own broadcasts takes its address as it does where they do not come back, and keeps it."""
    host.asker(arp.address).start(board.name)
    takes(expect, arp, board.replug())
    host.mirror().start(board.name)
    used = takes(expect, arp, board.replug())[-1]
    expect.sequence(ArpRequest(sender_ip=arp.address, target_ip=arp.address, sender="host"), since=used)
    expect.sequence(arp.answer, since=used, within_s=ANSWER_S)
    expect.never(arp.probe, for_s=ANNOUNCE_S + 2 * LATE_S, since=used)


@pytest.mark.hil(role="static")
def test_probe_of_an_address_in_use_is_answered(board: UsbBoard, host: Host, expect: Expect, arp: Frames) -> None:
    """Another host that probes for it hears at once that it is taken, and the board stays where it is."""
    rival = host.squatter(arp.address, holds=False)
    rival.start(board.name)
    use(board, host, expect, arp)
    probed = rival.probe()
    answer = ArpReply(sender_ip=arp.address, target_ip="0.0.0.0", sender="board")
    expect.sequence(answer, since=probed, within_s=ANSWER_S)
    expect.never(arp.probe, for_s=ANNOUNCE_S + 2 * LATE_S, since=probed)


@pytest.mark.soak
@pytest.mark.hil(role="static")
def test_second_claim_soon_after_is_not_defended(board: UsbBoard, host: Host, expect: Expect, arp: Frames) -> None:
    """Within 10 s of its defence a board gives the address up, or keeps it in silence; a later claim is a new one."""
    squatter = host.squatter(arp.address, holds=False)
    squatter.start(board.name)
    use(board, host, expect, arp)
    first = squatter.claim()
    defended = expect.sequence(arp.announcement, since=first, within_s=ANSWER_S).last(ArpRequest)
    expect.never(arp.probe, for_s=4.0, since=defended)
    second = squatter.claim()
    if expect.seen(arp.probe, since=second, within_s=PROBE_WAIT_S + LATE_S):
        probing = expect.sequence(arp.probe, since=second).last(ArpRequest)
        expect.sequence(*arp.unused, since=probing, within_s=USE_S)
        expect.sequence(*arp.round, since=second, within_s=USE_S)
    else:
        expect.never(arp.announcement, for_s=DEFEND_S - 4.0 - LATE_S, since=second)
        expect.sequence(arp.answer, since=second, within_s=ANSWER_S)


@pytest.mark.soak
@pytest.mark.hil(needs="vbus_off", role="static")
def test_address_in_use_is_not_probed_for(board: UsbBoard, host: Host, expect: Expect, arp: Frames) -> None:
    """Not once in a minute: who has an address hears of a conflict by listening."""
    host.asker(arp.address).start(board.name)
    used = takes(expect, arp, board.replug())[-1]
    expect.never(arp.probe, for_s=60.0, since=used)


@pytest.mark.soak
@pytest.mark.hil(needs="vbus_off", role="static")
def test_after_ten_conflicts_there_is_an_attempt_a_minute(
    board: UsbBoard, host: Host, expect: Expect, arp: Frames
) -> None:
    """However long another host has the address, a board that asks in vain leaves the link in peace."""
    host.squatter(arp.address).start(board.name)
    pulled = board.replug()
    probed = expect.sequence(arp.probe, since=pulled, within_s=USE_S).last(ArpRequest)
    expect.sequence(repeated(arp.probe, 1, at_most=CONFLICTS + 1), never(arp.answer), since=probed, within_s=LIMIT_S)
    board.claims("ACD_CONFLICT", "ACD_RATE_LIMITED", since=pulled)


@pytest.mark.soak
@pytest.mark.hil(needs="vbus_off", role="static")
def test_pauses_differ_from_boot_to_boot(board: UsbBoard, host: Host, expect: Expect, arp: Frames) -> None:
    """Boards that start together do not probe together: of five boots no two pause alike between all their probes."""
    asker = host.asker(arp.address)
    asker.start(board.name)
    rounds = [pauses(takes(expect, arp, board.replug())[:3]) for _ in range(BOOTS)]
    if decided(board, asker, "pauses that differ from boot to boot", SAME_S):
        assert max(max(each) - min(each) for each in zip(*rounds, strict=True)) >= SAME_S
