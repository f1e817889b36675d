"""A static address and RFC 5227: whether the board asks before it uses it, gives way, answers for it and defends it."""

from itertools import pairwise

from hil.diagnosis.acd_life import Life, after, before, first, judge, outlasts
from hil.diagnosis.acd_timing import (
    ANNOUNCE_S,
    ANSWER_S,
    DEFEND_S,
    LATE_S,
    PROBE_WAIT_S,
    PROBES,
    PROBING_S,
    REACTION_S,
    TAKING_S,
)
from hil.diagnosis.finding import Evidence, Finding
from hil.diagnosis.signature import Sides, Signature, seen
from hil.timeline.events import Event


def _never_probed(life: Life, former: list[Life]) -> Sides | None:
    """The link came up, the board speaks from the address, and there was not one probe of it."""
    used = life.first_use
    if life.link is None or used is None or life.probes or any(each.probes for each in former):
        return None
    if not outlasts(life, life.link, PROBE_WAIT_S + LATE_S / 2):
        return None  # it may yet come
    supports = [
        Evidence("the interface has carrier", life.link),
        Evidence("the board speaks from its address", used),
        Evidence("not one probe of the address on the wire (an ARP request from 0.0.0.0 for it)"),
    ]
    return supports, _held_already(former)


def _held_already(former: list[Life]) -> list[Evidence]:
    """The link that the address was probed on is older than the window."""
    unseen = [life for life in former if life.link is None]
    return [e for life in unseen for e in seen("it did so before, on a link whose begin was not seen", life.first_use)]


def _not_probed_anew(life: Life, former: list[Life]) -> Sides | None:
    """The link went and came back, and the address is used as if it had stayed."""
    used, probed = life.first_use, [each for each in former if each.probes or (each.link is None and each.uses)]
    if life.link is None or used is None or life.probes or not probed:
        return None
    if not outlasts(life, life.link, PROBE_WAIT_S + LATE_S / 2):
        return None  # it may yet come
    supports = [
        *seen("on the link before, the address was probed for", first(probed[0].probes)),
        *seen("on the link before, the address was in use", probed[0].first_use),
        Evidence("the link came back", life.link),
        Evidence("the board speaks from its address", used),
        Evidence("no probe of the address since the link came back"),
    ]
    return supports, []


def _used_before_probed(life: Life, former: list[Life]) -> Sides | None:
    """The board speaks from the address before it can know that nobody else has it."""
    used = life.first_use
    if life.link is None or used is None:
        return None
    earlier, later = before(life.probes, used), after(life.probes, used, to_s=PROBING_S)
    hasty = bool(earlier) and (used.t_ns - earlier[-1].t_ns) / 1e9 < ANNOUNCE_S - LATE_S
    if not hasty and (earlier or not later):
        return None
    supports = [
        Evidence("the interface has carrier", life.link),
        *seen(f"{len(earlier)} probes before, the last one", earlier[-1] if earlier else None),
        Evidence("the board speaks from its address", used),
        *seen("a probe of it after that", first(later)),
    ]
    return supports, []


def _taken_from_another(life: Life, former: list[Life]) -> Sides | None:
    """A host answers the probe, and the board uses the address without another round of probes."""
    return _without_another_round(life, life.claims, "a host says that it has the address")


def _rival_ignored(life: Life, former: list[Life]) -> Sides | None:
    """Another host wants the address too, and the board does not begin anew."""
    if _without_another_round(life, life.claims, "") is not None:
        return None
    return _without_another_round(life, life.rivals, "a host probes for the address too")


def _without_another_round(life: Life, conflicts: list[Event], what: str) -> Sides | None:
    used = life.first_use
    if used is None or not life.probes:
        return None
    met = after(before(conflicts, used), life.probes[0])
    if not met or (used.t_ns - life.probes[0].t_ns) / 1e9 < ANNOUNCE_S - LATE_S:
        return None
    between = before(after(life.probes, met[-1]), used)
    if len(between) >= PROBES:
        return None
    supports = [
        Evidence("the board probes for its address", life.probes[0]),
        Evidence(f"{what}, the last time", met[-1]),
        Evidence(f"no round of {PROBES} probes after that"),
        Evidence("the board speaks from the address", used),
    ]
    return supports, []


def _announced_and_silent(life: Life, former: list[Life]) -> Sides | None:
    """The address is announced, and those who ask for it hear nothing."""
    announced = first(life.announcements)
    if announced is None or before(life.uses, announced) or not outlasts(life, announced, ANSWER_S):
        return None
    asked = after(life.questions, announced, to_s=ANSWER_S - LATE_S)
    if len(asked) < 2 or after(life.uses, announced, to_s=ANSWER_S):
        return None
    supports = [
        Evidence("the board announces its address", announced),
        Evidence(f"a host asks for it {len(asked)} times, first", asked[0]),
        Evidence(f"no answer for {ANSWER_S} s"),
        *seen("an answer at last", first(after(life.uses, announced))),
    ]
    return supports, []


def _not_defended(life: Life, former: list[Life]) -> Sides | None:
    """Another host has the address as well, and the board goes on as if it had not."""
    for claim in life.claims:
        used = [*before(life.uses, claim), *before(life.announcements, claim)]
        on = after(life.uses, claim, from_s=REACTION_S / 3)
        recent = [each for each in life.claims if each.t_ns < claim.t_ns and not after([claim], each, from_s=DEFEND_S)]
        if used and on and not recent and outlasts(life, claim, REACTION_S):
            reaction = first(after([*life.announcements, *life.probes], claim, to_s=REACTION_S))
            supports = [
                Evidence("the board uses its address", used[-1]),
                Evidence("a host says that it has it", claim),
                Evidence(f"no announcement of the board and no probe for {REACTION_S} s"),
                Evidence("the board uses the address as before", on[0]),
            ]
            return supports, seen("it reacted", reaction)
    return None


def _defended_too_often(life: Life, former: list[Life]) -> Sides | None:
    """Each claim of another host is answered by an announcement."""
    regular = [each for probe in life.probes for each in after(life.announcements, probe, to_s=TAKING_S)]
    defending = [each for each in life.announcements if each not in regular]
    answers = [(claim, first(after(defending, claim, to_s=REACTION_S))) for claim in life.claims]
    defences = [(claim, answer) for claim, answer in answers if answer is not None]
    for (claim, answer), (again, repeated) in pairwise(defences):
        if answer.t_ns < again.t_ns and after([repeated], answer, to_s=DEFEND_S - LATE_S):
            supports = [
                Evidence("a host says that it has the board's address", claim),
                Evidence("the board defends it", answer),
                Evidence("the host says so again", again),
                Evidence(f"the board defends it again, within {DEFEND_S:g} s", repeated),
            ]
            return supports, seen("it had given the address up between", first(_between(life.probes, answer, repeated)))
    return None


def _between(events: list[Event], former: Event, later: Event) -> list[Event]:
    return before(after(events, former), later)


def _rests_on_no_detection(finding: Finding) -> bool:
    return finding.name in ("address-not-defended", "address-of-another-used")


ACD_SIGNATURES = (
    Signature(
        name="address-never-probed",
        title="the board uses its static address without asking whether somebody has it",
        look=judge(_never_probed),
        cause="nothing starts conflict detection for a static address: the stack does it for DHCP alone, if at all.",
        remedy="set no address before an engine of RFC 5227 has probed for it; lwIP's acd_start() needs "
        "LWIP_DHCP_DOES_ACD_CHECK=y in ESP-IDF, and an interface that has no address yet.",
        source="RFC 5227 section 2.1; lwIP 2.2.1 acd.c, acd_netif_ip_addr_changed; ESP-IDF 5.5 acd_dhcp_check.c",
        explains=_rests_on_no_detection,
    ),
    Signature(
        name="address-not-probed-anew",
        title="the link went and came back, and the board uses its address without probing for it",
        look=judge(_not_probed_anew),
        cause="conflict detection ends with the link and is not started again when it comes back.",
        remedy="take the address off the interface when the link goes, and begin with probing when it comes back.",
        source="RFC 5227 section 2.1; lwIP 2.2.1 acd.c, acd_network_changed_link_down",
    ),
    Signature(
        name="address-used-before-probed",
        title="the board speaks from its static address while it still probes for it",
        look=judge(_used_before_probed),
        cause="the address is set first and probed for afterwards, or the pause after the last probe is left out.",
        remedy="start conflict detection on an interface without an address, and set it when probing has succeeded.",
        source="RFC 5227 section 2.1.1; lwIP 2.2.1 netif_set_addr, acd_start",
    ),
    Signature(
        name="address-of-another-used",
        title="a host answers the board's probe, and the board uses the address all the same",
        look=judge(_taken_from_another),
        cause="frames that conflict with an address which is probed for do not reach the engine, or it does nothing.",
        remedy="hand every ARP frame to the engine before the stack sees it; a sender address that is the board's own "
        "candidate, from another hardware address, ends the attempt.",
        source="RFC 5227 section 2.1.1",
    ),
    Signature(
        name="rival-probe-ignored",
        title="another host probes for the address at the same time, and the board takes it",
        look=judge(_rival_ignored),
        cause="a probe of another host for the candidate is not taken for a conflict.",
        remedy="treat a request from 0.0.0.0 for the candidate, of another hardware address, as a conflict.",
        source="RFC 5227 section 2.1.1",
    ),
    Signature(
        name="announced-address-silent",
        title="the board announces its address, and does not answer for it yet",
        look=judge(_announced_and_silent),
        cause="the address is set when the engine reports its end, and that is after the last announcement.",
        remedy="set the address before the first announcement; lwIP reports ACD_IP_OK with the second one.",
        source="RFC 5227 section 2.5; lwIP 2.2.1 acd.c, ACD_IP_OK",
    ),
    Signature(
        name="address-not-defended",
        title="a host claims the address that the board uses, and the board does nothing about it",
        look=judge(_not_defended),
        cause="conflict detection ends with the announcements, or what it hears of conflicts is dropped.",
        remedy="go on listening: answer the first conflict by one announcement, and give the address up at a second "
        "one within ten seconds.",
        source="RFC 5227 section 2.4",
    ),
    Signature(
        name="address-defended-too-often",
        title="the board answers every claim of its address by an announcement",
        look=judge(_defended_too_often),
        cause="the engine does not remember when it defended the address last.",
        remedy="announce once in ten seconds at most; a second conflict in that time takes the address away.",
        source="RFC 5227 section 2.4",
    ),
)
