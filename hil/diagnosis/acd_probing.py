"""A static address and RFC 5227: probing that is disturbed by what is no conflict, that never ends, or never pauses."""

from itertools import pairwise

from hil.clock import to_s
from hil.diagnosis.acd_life import Life, after, before, first, judge, lives, outlasts
from hil.diagnosis.acd_timing import LATE_S, PROBE_WAIT_S, PROBES, PROBING_S
from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, seen
from hil.diagnosis.window import Window
from hil.timeline.events import Acted, Event

VBUS_OFF = "vbus_off"
"""``Acted.sees`` of a cable whose pull takes the supply away."""
MAX_CONFLICTS = 10
"""MAX_CONFLICTS of RFC 5227 section 1.1."""
RATE_LIMIT_S = 60.0
"""RATE_LIMIT_INTERVAL, likewise: one attempt in this time after so many conflicts."""
LAST_PROBE_S = PROBE_WAIT_S + 2 * 2.0 + LATE_S
"""The last probe of a round is not later than this after the link: PROBE_WAIT, and PROBE_MAX twice."""
ECHO_S = 0.1
"""A frame that comes back unchanged does so in less."""
BOOTS = 5
"""So many starts have to pause alike before that is no chance."""
SAME_S = 0.15
"""Pauses that differ by less are the same, as far as a busy bench can tell. PROBE_MAX - PROBE_MIN is 1 s: of five
boots that pause at random, two pauses agree so closely once in 200 000 times."""


def _undisturbed(life: Life) -> bool:
    """Nobody has the address or wants it, and the bus did not sleep: there is nothing to begin anew for."""
    return not (life.claims or life.rivals or life.sleeps)


def _anew(life: Life) -> Event | None:
    """The probe with which a round was begun anew, before the address was used."""
    used = life.first_use
    probing = life.probes if used is None else before(life.probes, used)
    return probing[PROBES] if len(probing) > PROBES else None


def _stuck(life: Life) -> bool:
    """The address is not used, though the last probe was long ago."""
    return bool(life.probes) and life.first_use is None and outlasts(life, life.probes[-1], PROBING_S + LATE_S)


def _disturbed_by(life: Life, cause: list[Event], what: str) -> list[Evidence]:
    """Evidence that probing was begun anew, or given up, after ``cause``; empty where it was not."""
    anew = _anew(life)
    first_cause = first(after(cause, life.probes[0])) if life.probes else None
    if life.link is None or first_cause is None or not _undisturbed(life) or not (anew is not None or _stuck(life)):
        return []
    if anew is not None and not after([anew], first_cause):
        return []
    return [
        Evidence("the board probes for its address", life.probes[0]),
        Evidence(what, first_cause),
        *seen(f"{len(life.probes)} probes where a round has {PROBES}, the first too many", anew),
        *([] if anew is not None else [Evidence(f"no announcement for {PROBING_S:g} s after the last probe")]),
        Evidence("no host says that it has the address, and none probes for it"),
    ]


def _question_disturbs(life: Life, former: list[Life]) -> Sides | None:
    """An ordinary request for the address makes the board begin anew."""
    if life.echoes:
        return None
    found = _disturbed_by(life, life.questions, "a host asks for it, and gives an address of its own")
    return (found, []) if found else None


def _echo_disturbs(life: Life, former: list[Life]) -> Sides | None:
    """The board's own probe comes back, and it begins anew."""
    echoed = [probe for probe in life.probes if after(life.echoes, probe, to_s=ECHO_S)]
    found = _disturbed_by(life, life.echoes, "its own probe comes back as it was")
    if not found or not echoed:
        return None
    whole = next((each for each in former if each.link is not None and not each.echoes and each.probes), None)
    if whole is None:
        return found, []
    anew = _anew(whole)
    if anew is not None or whole.first_use is None:
        return found, [Evidence("on a link before, where nothing came back, it did not take the address either", anew)]
    return [*found, Evidence("on a link before, where nothing came back, it took the address", whole.first_use)], []


def _never_pauses(life: Life, former: list[Life]) -> Sides | None:
    """After ten conflicts more than one attempt in a minute."""
    if life.first_use is not None:
        return None  # conflicts did not end its attempts
    answered = [(probe, first(after(life.claims, probe))) for probe in life.probes]
    ended = [
        (probe, claim)
        for (probe, claim), (follower, _) in pairwise(answered)
        if claim is not None and claim.t_ns < follower.t_ns
    ]
    if len(ended) < MAX_CONFLICTS:
        return None
    tenth, claim = ended[MAX_CONFLICTS - 1]
    assert claim is not None
    more = after(life.probes, claim, to_s=RATE_LIMIT_S)
    if len(more) < 2:
        return None
    supports = [
        Evidence("the board probes for its address", ended[0][0]),
        Evidence(f"attempt {MAX_CONFLICTS}", tenth),
        Evidence(f"a host says that it has the address, for the {MAX_CONFLICTS}th time at least", claim),
        Evidence(
            f"{len(more)} attempts in the {to_s(more[-1].t_ns - claim.t_ns):.1f} s after that, the last", more[-1]
        ),
    ]
    return supports, []


def _probed_in_use(life: Life, former: list[Life]) -> Sides | None:
    """Probes go on although the address is in use and nobody disputes it."""
    used = life.first_use
    if used is None or life.claims or life.sleeps:
        return None
    late = after(life.probes, used, from_s=LAST_PROBE_S)
    probe = next((each for each in late if after(life.uses, each, to_s=1.0)), None)
    if probe is None:
        return None
    last = before([*life.uses, *life.announcements], probe)
    supports = [
        Evidence("the board speaks from its address", used),
        Evidence("it does so still", max(last, key=lambda event: event.t_ns)),
        Evidence("a probe of the address that it uses", probe),
        *seen("the answers go on", first(after(life.uses, probe))),
        Evidence("no host says that it has the address"),
    ]
    return supports, []


def _pauses_alike(window: Window) -> Sides | None:
    """Start after start, the same pauses between the probes."""
    rounds = _first_rounds(window)
    if len(rounds) < BOOTS:
        return None
    pauses = [[to_s(later.t_ns - former.t_ns) for former, later in pairwise(probes)] for probes in rounds]
    if any(max(each) - min(each) >= SAME_S for each in zip(*pauses, strict=True)):
        return None
    supports = [
        *(
            Evidence(f"after boot {number} the pauses are {first_s:.2f} s and {second_s:.2f} s, from", probes[0])
            for number, (probes, (first_s, second_s)) in enumerate(zip(rounds, pauses, strict=True), 1)
        ),
        Evidence(f"no two differ by {SAME_S:g} s, where each is to be chosen at random between 1 s and 2 s"),
    ]
    return supports, []


def _first_rounds(window: Window) -> list[list[Event]]:
    """The first three probes after each time that the board's supply came, of a link that nothing disturbed."""
    found: dict[int, list[Event]] = {}
    cuts = [cut.t_ns for cut in window.all(Acted(sees=VBUS_OFF, action="plug"))]
    for life in lives(window)[::-1]:
        if not _undisturbed(life) or len(life.probes) < PROBES:
            continue
        earlier = [cut for cut in cuts if cut <= life.probes[0].t_ns]
        if earlier:
            found.setdefault(earlier[-1], life.probes[:PROBES])
    return list(found.values())


ACD_PROBING_SIGNATURES = (
    Signature(
        name="question-taken-for-conflict",
        title="a host asks for the address while the board probes for it, and the board begins anew",
        look=judge(_question_disturbs),
        cause="every request for the candidate counts as a conflict, whoever it is from.",
        remedy="a conflict is a sender address that is the candidate, or a request from 0.0.0.0 for it; a request from "
        "another address is a host that looks for who has it.",
        source="RFC 5227 section 2.1.1",
    ),
    Signature(
        name="own-echo-taken-for-conflict",
        title="the board's own probe comes back to it, and the board begins anew",
        look=judge(_echo_disturbs),
        cause="a probe for the candidate counts as somebody else's without a look at its hardware address.",
        remedy="leave out frames whose sender hardware address is the interface's own: switches and hubs may send "
        "broadcasts back.",
        source="RFC 5227 section 2.1.1, note; lwIP pull request 95",
        across_enumerations=True,
    ),
    Signature(
        name="conflicts-without-pause",
        title="the board tries on and on for an address that another host has",
        look=judge(_never_pauses),
        cause="conflicts are not counted, or the count is lost with each attempt.",
        remedy="after MAX_CONFLICTS (10) wait RATE_LIMIT_INTERVAL (60 s) from one attempt to the next.",
        source="RFC 5227 section 2.1.1",
    ),
    Signature(
        name="address-probed-while-used",
        title="the board probes for an address that it uses",
        look=judge(_probed_in_use),
        cause="a timer goes on probing when the address has been taken.",
        remedy="stop probing with the first announcement; a conflict is found by listening from then on.",
        source="RFC 5227 section 2.1; OpENer_EnIP_KC868A16 627af93, acd.c",
    ),
    Signature(
        name="probe-pauses-repeat",
        title="after each start the pauses between the board's probes are the same",
        look=_pauses_alike,
        cause="the generator of random numbers is seeded with a constant.",
        remedy="seed it from the chip's hardware generator or its MAC and boot count (esp_random, LWIP_RAND): boards "
        "that start together must not probe together.",
        source="RFC 5227 section 2.1.1; lwIP 2.2.1 acd.c without LWIP_RAND",
        across_enumerations=True,
    ),
)
