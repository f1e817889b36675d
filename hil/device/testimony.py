"""What follows from what a board says of itself: one verdict for each claim, so that a lie costs that claim alone.

A claim is made, missing, contradicted by the board itself, or open; why it is open is a reason that a user can act on.
Absence is open wherever the board may have been unable to say it: its log is full, it says so once only, nobody can
hear it. A flag that stands since boot is of the present cable cycle only if the boot is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from hil.board.interfaces import Instant
from hil.clock import to_ns, to_s
from hil.profiles import Profile
from hil.profiles.claims import BOOT, Claim
from hil.timeline.events import BoardSaid
from hil.wire.board_status import Garbled

VAGUE_S = 1.0
"""What is known no better than this may be of before: it was asked for within a cable cycle, not within a run."""
VIA = "events"
"""``BoardSaid.via`` of an entry of the event log."""


class Finding(Enum):
    """What is to be said of one claim."""

    MADE = "made"
    MISSING = "missing"
    CONTRADICTED = "contradicted"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Verdict:
    """On one claim."""

    name: str
    finding: Finding
    reason: str = ""
    """Why it is open or contradicted; of one that is made, what it does not prove."""
    said: BoardSaid | None = None
    """The earliest that makes it, where it has a time."""


@dataclass(frozen=True, slots=True)
class LogReading:
    """What one reading of the event log, and of the flags, brought."""

    said: tuple[BoardSaid, ...] = ()
    """Its entries, in its order."""
    undated: bool = False
    """The entries have no host time: their stamps span the whole run."""
    flags: dict[str, bool] = field(default_factory=dict)
    """By the claims' names."""
    flags_later: bool = False
    """They were read after the log, and may know what came in between."""
    full: bool = False
    """It has lost entries, or may have: it holds as many as it can and would not say so."""
    unsure: str = ""
    """Why it may lack something although it is not full, or ''."""
    garbled: tuple[Garbled, ...] = ()
    impossible: dict[str, str] = field(default_factory=dict)
    """What no board can have said, by claim."""
    born_ns: int | None = None
    """The running boot began at this instant or later; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a board has said, and since when it matters."""

    profile: Profile
    since: Instant
    heard: Sequence[BoardSaid]
    """Everything in the timeline, by time."""
    log: LogReading

    @property
    def since_ns(self) -> int:
        """The earliest instant that counts."""
        return self.since.t_ns - self.since.t_err_ns

    @property
    def born_since(self) -> bool:
        """Whether the running boot is certainly younger than ``since``: then all that it says is."""
        return self.log.born_ns is not None and self.log.born_ns >= self.since_ns

    @property
    def gap(self) -> str:
        """Why the event log may lack what was said since then, or ''."""
        if not self.log.full:
            return self.log.unsure
        oldest = next(iter(self.log.said), None)
        if self.profile.events.keeps == "last" and oldest and oldest.t_ns + oldest.t_err_ns < self.since_ns:
            return self.log.unsure
        return "the board's event log is full"

    def of(self, name: str) -> list[BoardSaid]:
        """What may have been said of ``name`` since then."""
        return [e for e in self.heard if e.name == name and e.t_ns + e.t_err_ns >= self.since_ns]

    def names(self) -> list[str]:
        """All names that may have been said since then, once each."""
        return list(dict.fromkeys(e.name for e in self.heard if e.t_ns + e.t_err_ns >= self.since_ns))


def judge(name: str, evidence: Evidence) -> Verdict:
    """The verdict on one claim."""
    profile = evidence.profile
    claim = profile.claim(name)
    if claim is None:
        return Verdict(name, Finding.OPEN, f"profile {profile.name} does not claim it")
    if claim.never:
        return Verdict(name, Finding.OPEN, f"the firmware never says it: {claim.never} ({claim.source})")
    lie = _lie(claim, evidence)
    if lie:
        return Verdict(name, Finding.CONTRADICTED, lie)
    made = [event for event in evidence.of(name) if not _vague(event, evidence)]
    if made:
        return Verdict(name, Finding.MADE, _caveat(claim), made[0])
    return _of_no_entry(claim, evidence)


def _vague(event: BoardSaid, evidence: Evidence) -> bool:
    """Whether it may as well have been said long before ``since``."""
    if event.via == VIA and evidence.log.undated:
        return not evidence.born_since
    return evidence.since_ns - (event.t_ns - event.t_err_ns) > to_ns(VAGUE_S)


def _caveat(claim: Claim) -> str:
    return f"it says no more than that {claim.says}; {claim.misleads} ({claim.source})" if claim.misleads else ""


def _lie(claim: Claim, evidence: Evidence) -> str:
    """What the board says of this claim and cannot be true, or ''."""
    log = evidence.log
    if claim.name in log.impossible:
        return log.impossible[claim.name]
    entries = [event for event in log.said if event.name == claim.name]
    flag = log.flags.get(claim.name) if evidence.profile.flags.since_boot else None
    if entries and flag is False:
        return f"its event log has it at {_when(entries[0])}, its flag says that it never was"
    if evidence.of(claim.name):
        return ""
    word = re.compile(rf"(?<!\w){re.escape(claim.called)}(?!\w)")
    garbled = [each.reason for each in log.garbled if word.search(each.text)]
    if garbled:
        return garbled[0]
    complete = not (log.full or log.unsure or log.flags_later)
    if flag and not entries and complete and _would_hold(claim, evidence):
        return "its flag says that it was, its event log of the same boot does not have it"
    return ""


def _would_hold(claim: Claim, evidence: Evidence) -> bool:
    """Whether the event log has this claim if it was made."""
    return bool(evidence.profile.http.events) and not claim.log_only


def _of_no_entry(claim: Claim, evidence: Evidence) -> Verdict:
    """Nothing says since then for certain that it was: what its flag says, and what its absence proves."""
    flag = evidence.log.flags.get(claim.name) if evidence.profile.flags.since_boot else None
    if flag and evidence.born_since:
        return Verdict(claim.name, Finding.MADE, _caveat(claim))
    excuse = _undated(claim, evidence) or _said_before(claim, evidence) or claim.silence
    if not excuse and flag is not False:
        excuse = _unheard(claim, evidence, flag)
    return Verdict(claim.name, Finding.OPEN if excuse else Finding.MISSING, excuse)


def _undated(claim: Claim, evidence: Evidence) -> str:
    """Why what is there may be of before, or ''."""
    vague = evidence.of(claim.name)
    if not vague:
        return ""
    if evidence.log.undated:
        profile = evidence.profile.name
        return f"profile {profile} got no uptime from http.version; the board's event log has no host time"
    return f"its time is known to ±{to_s(max(event.t_err_ns for event in vague)):.1f} s only"


def _said_before(claim: Claim, evidence: Evidence) -> str:
    """Why a board that has said it before is not to say it again, or ''."""
    if not claim.once_per or evidence.born_since:
        return ""
    told = evidence.log.said or evidence.heard
    spoken = [event for event in told if event.name == claim.name]
    if not spoken:
        return ""
    if claim.once_per == BOOT:
        return f"it is said once in each boot, in this one at {_when(spoken[-1])}"
    if any(event.name == claim.once_per and _later(event, spoken[-1]) for event in told):
        return ""
    return f"it is said once after each {claim.once_per}, last at {_when(spoken[-1])}"


def _when(event: BoardSaid) -> str:
    return f"{event.board_ms} ms of the board's time" if event.board_ms >= 0 else "a time that it does not give"


def _later(event: BoardSaid, than: BoardSaid) -> bool:
    return event.board_ms > than.board_ms if event.board_ms >= 0 <= than.board_ms else event.t_ns > than.t_ns


def _unheard(claim: Claim, evidence: Evidence, flag: bool | None) -> str:
    """Why the board may have said it all the same, or ''."""
    old = "; its flag is set and may be of an earlier cable cycle" if flag else ""
    if _would_hold(claim, evidence):
        spoken = any(event.name == claim.name for event in evidence.log.said)
        if flag and evidence.log.flags_later and not spoken:
            return "its flag is set, and was read later than its event log, which does not have it"
        return f"{evidence.gap}{old}" if evidence.gap else ""
    if claim.pattern or evidence.profile.log.line:
        lossy = "only the serial log says it, and lines of that can be lost"
        return "" if evidence.profile.log.complete and not flag else f"{lossy}{old}"
    return "only its flag says it, and that may be of an earlier cable cycle"
