"""What a board says of itself in its log, by the patterns of its firmware's profile.

Claims are shown as they stand, with what the profile knows against them. Of what is *not* said something follows only
where the profile says that no line of the log is ever lost, and that the claim's absence means anything.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from hil.diagnosis.finding import Evidence, Finding
from hil.diagnosis.text.events_body import ANSWERS, SILENT, cause_of
from hil.diagnosis.text.line import NO_MS, TextLine, printable
from hil.diagnosis.text.reader import CAUSES, finding
from hil.diagnosis.text.resets import reset_in
from hil.profiles import Profile
from hil.profiles.claims import BOOT

MOST_SHOWN = 24
"""Claims of the last boot, the latest."""
HEARD = ("FIRST_RX", "DHCP_DISCOVER_RX", "DHCP_REQUEST_RX")
ENDS_LINK = ("NCM_LINK_DOWN", "USB_UNMOUNTED", "USB_SUSPENDED", "USB_RECOVER")
SILENT_MS = 5000
"""A host with carrier asks for an address, or for a router, sooner."""
UNANSWERED_MS = 3000
TURNED_BACK_MS = 1000
"""The board's time goes back by more than lines of two tasks cross: it has started over."""


class Found(Protocol):
    """A claim in a line."""

    @property
    def name(self) -> str: ...
    @property
    def detail(self) -> str: ...
    @property
    def ms(self) -> int: ...


Find = Callable[[str], Found | None]


@dataclass(frozen=True, slots=True)
class Said:
    """A claim, and the line that makes it."""

    name: str
    detail: str
    ms: int
    """By the board's clock, or :data:`NO_MS`."""
    line: TextLine
    place: int
    """Among the claims of its boot, from 1."""

    def text(self) -> str:
        when = "" if self.ms == NO_MS else f"at {self.ms} ms: "
        said = f"{self.name}: {self.detail}" if self.detail else self.name
        return f"  {'says':<8}{f'line {self.line.number}':>11}  {when}{printable(said)}"


@dataclass(slots=True)
class Boot:
    """What was said since the board started; of each claim that the profile knows the first and the last."""

    first: dict[str, Said] = field(default_factory=dict)
    last: dict[str, Said] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)
    latest: deque[Said] = field(default_factory=lambda: deque(maxlen=MOST_SHOWN))
    count: int = 0
    last_ms: int = NO_MS

    def says(self, *names: str) -> bool:
        return any(name in self.first for name in names)

    def since(self, said: Said) -> int:
        """Milliseconds of the board's time that were heard after ``said``."""
        return self.last_ms - said.ms if said.ms != NO_MS else 0


class BoardClaims:
    """The claims of a log.

    Args:
        profile: of the firmware that wrote it.
        find: the claim in a line, or None.
    """

    def __init__(self, profile: Profile, find: Find) -> None:
        self._profile = profile
        self._find = find
        self._once = {claim.name for claim in profile.claims if claim.once_per == BOOT}
        self._boot = Boot()
        self._total = 0

    def hear(self, lines: Iterable[TextLine]) -> None:
        for line in lines:
            found = self._find(line.text)
            ms = found.ms if found is not None and found.ms >= 0 else line.board_ms
            if self._starts_anew(line.text, found, ms):
                self._boot = Boot()
            self._boot.last_ms = max(self._boot.last_ms, ms)
            if found is not None:
                self._keep(found, ms, line)

    def _starts_anew(self, text: str, found: Found | None, ms: int) -> bool:
        if reset_in(text) is not None or "2nd stage bootloader" in text:
            return True
        if found is not None and found.name in self._once and found.name in self._boot.first:
            return True
        return ms != NO_MS and ms < self._boot.last_ms - TURNED_BACK_MS

    def _keep(self, found: Found, ms: int, line: TextLine) -> None:
        boot = self._boot
        self._total += 1
        boot.count += 1
        said = Said(found.name, found.detail, ms, line, boot.count)
        boot.latest.append(said)
        if found.name in self._profile.can_claim:
            boot.first.setdefault(found.name, said)
            boot.last[found.name] = said
            boot.times[found.name] += 1

    def text(self) -> str:
        """The claims of the last boot, and what is known against them."""
        head = f"claims    profile {self._profile.name}: "
        if not self._total:
            return f"{head}no line is one of them"
        boot = self._boot
        shown = f", the last {len(boot.latest)}" if boot.count > len(boot.latest) else ""
        return "\n".join(
            (
                f"{head}{self._total}, of the last boot {boot.count}{shown}",
                *(said.text() for said in boot.latest),
                *self._misleading(),
            )
        )

    def _misleading(self) -> list[str]:
        claims = (claim for claim in self._profile.claims if claim.misleads and claim.name in self._boot.first)
        return [f"  {'but':<8}{'':>11}  {claim.name}: {claim.misleads}" for claim in claims]

    def findings(self) -> list[Finding]:
        """What the last boot shows by what it does not say; nothing of a log that may have lost lines."""
        if not self._profile.log.complete:
            return []
        return self._unheard() or self._unanswered()

    def _tells(self, name: str) -> bool:
        """Whether the log would say it, and its absence means that it has not been."""
        claim = self._profile.claim(name)
        spoken = claim is not None and not claim.never and bool(claim.pattern or self._profile.log.line)
        return spoken and claim is not None and not claim.silence

    def _unheard(self) -> list[Finding]:
        """The board is mounted and has set its link up, and no frame of the host has come since its boot."""
        boot, up = self._boot, self._boot.last.get("NCM_LINK_UP")
        if up is None or not boot.says("USB_MOUNTED") or boot.says(*HEARD) or not self._tells("FIRST_RX"):
            return []
        if any(name in boot.last and boot.last[name].place > up.place for name in ENDS_LINK):
            return []
        if boot.since(up) < SILENT_MS:
            return []
        supports = [boot.last[name].line.evidence("the board says") for name in ("USB_MOUNTED", "NCM_LINK_UP")]
        absent = Evidence(
            f"no FIRST_RX in the {boot.since(up) / 1000:.1f} s after that, and no line of this log is lost"
        )
        return [finding(CAUSES["no-carrier"], (*supports, absent))]

    def _unanswered(self) -> list[Finding]:
        """The host has asked more than once, and the board has not even tried to answer."""
        boot, asked = self._boot, self._boot.first.get("DHCP_DISCOVER_RX")
        if asked is None or boot.times["DHCP_DISCOVER_RX"] < 2 or boot.says(*ANSWERS):
            return []
        if self._profile.role not in ("", "dhcp-server") or not self._tells("DHCP_OFFER_TX"):
            return []
        if boot.since(asked) < UNANSWERED_MS:
            return []
        times = boot.times["DHCP_DISCOVER_RX"]
        supports = (
            asked.line.evidence("the board says"),
            boot.last["DHCP_DISCOVER_RX"].line.evidence(f"{times} times in all, the last"),
            Evidence("no DHCP_OFFER_TX in this boot, and no line of this log is lost"),
        )
        return [finding(cause_of(SILENT), supports)]
