"""One boot of a board: from the ROM's line with the reset code to the next one."""

import re
from dataclasses import dataclass, field

from hil.clock import NS_PER_S
from hil.diagnosis.finding import Evidence
from hil.diagnosis.text.board_causes import BOARD_CAUSES, TOO_BIG
from hil.diagnosis.text.board_clues import AFTERMATH, NO_IMAGE
from hil.diagnosis.text.incident import NEAR, Incident, Seen, aside_in, cause_in, doubtful_in, telling
from hil.diagnosis.text.line import NO_MS, TextLine
from hil.diagnosis.text.resets import OWN_DOING, Reset
from hil.wire.esplog import BootLine, parse_line

SHORT_S = 30
"""A boot that ends of itself within so long has not started properly."""
SHORT_LINES = 200
"""The same for a board that prints no time."""
LOAD_FAILURES = frozenset({"invalid-header", "flash-read-error", "image-corrupt", TOO_BIG, "no-bootable-app"})
"""Causes that keep an app from being started; one that starts afterwards speaks against them."""
SURVIVED = frozenset({"task-watchdog", "heap-corruption", "dhcpc-option-misused"})
"""Causes whose line does not yet say that the boot is over."""
LIVES_S = 1
"""A line that much later shows that the board has survived one of these; after others :data:`SHORT_S`."""
RANK = {cause.name: rank for rank, cause in enumerate(BOARD_CAUSES)}
"""The lower, the more a cause explains."""
LOADER_TAGS = (
    "esp_image:",
    "flash_parts:",
    "boot_comm:",
    "flash_encrypt:",
    "secure_boot",
    "efuse:",
    "qio_mode:",
    "bootloader",
)
BANNER = re.compile(r"(?:ets [A-Z][a-z]{2} |ESP-ROM:|Build:[A-Z][a-z]{2} )")
"""What the ROM says before it tells the reset code: of the boot that begins."""
STARTED = ("Loaded app from partition", "cpu_start: ", "main_task: ")
OVER = frozenset({"Rebooting...", "CPU halted."})
_BY_RESET = {
    Reset.BROWNOUT: "brownout",
    Reset.TIMER_1: "interrupt-watchdog",
    Reset.RTC: "rtc-watchdog",
    Reset.LOCKUP: "panic",
}


@dataclass(frozen=True, slots=True)
class Death:
    """What went wrong in a boot, and how it ended."""

    cause: str
    """'' where nothing says."""
    headline: Evidence | None
    """Of the evidence, what shows the cause."""
    evidence: tuple[Evidence, ...]
    own_doing: bool
    """The board brought its end about."""
    short: bool
    ran: bool
    """Its app was started, and nothing kept the loader from it."""
    against: tuple[Evidence, ...] = ()
    """That the board lived on."""


@dataclass(slots=True)
class Boot:
    """What has been heard since a reset."""

    began: TextLine | None = None
    """The ROM's line; None where the log begins later."""
    lines: int = 0
    last_ms: int = NO_MS
    latest: TextLine | None = None
    """The last line with a time of the board's."""
    turned_back: bool = False
    """The board's time has: it has started over, and nobody saw how."""
    entered: bool = False
    ran: bool = False
    loading: bool = False
    """The second-stage boot loader has spoken."""
    download: bool = False
    asked: bool = False
    """A test has reset the board or pulled its cable."""
    over: bool = False
    """The panic handler has said its last word."""
    failed_to_load: bool = False
    incident: Incident = field(default_factory=Incident)
    doubtful: Seen | None = None
    """A cause that counts if the panic handler goes on."""

    def hear(self, line: TextLine) -> Incident | None:
        """One more line of this boot; returns a failure that this line shows to be another one's predecessor."""
        self.lines += not BANNER.match(line.text)
        self._follow_time(line)
        self.over = self.over or line.text in OVER
        closed = self._note(line) if telling(line.text) or self.doubtful is not None else None
        if not self.ran:
            self._follow_start(line.text)
        return closed

    def _follow_time(self, line: TextLine) -> None:
        ms = line.board_ms
        if ms == NO_MS:
            return
        self.turned_back = self.turned_back or ms < self.last_ms - LIVES_S * 1000
        if self.began is None and not self.loading and ms > SHORT_S * 1000:
            self.ran = True  # no loader takes so long
        self.last_ms = max(self.last_ms, ms)
        self.latest = line

    def against(self, incident: Incident) -> tuple[Evidence, ...]:
        """That the board has lived on after ``incident``, where its own time shows that."""
        main = incident.main
        if main is None or main.ms == NO_MS or self.latest is None or self.turned_back:
            return ()
        if main.clue.cause in LOAD_FAILURES:  # of an update: the app that refused it goes on
            return ()
        later_s = (self.latest.board_ms - main.ms) / 1000
        lived = later_s >= (LIVES_S if main.clue.cause in SURVIVED else SHORT_S)
        return (self.latest.evidence(f"the board is alive {later_s:.0f} s later"),) if lived else ()

    def _note(self, line: TextLine) -> Incident | None:
        closed = None
        seen = self._cause(line)
        if seen is not None:
            self.failed_to_load |= seen.clue.cause in LOAD_FAILURES and not self.ran
            if self.incident.causes and not self.incident.reaches(self.lines):
                closed, self.incident = self.incident, Incident()
            self.incident.add_cause(seen)
        aside = aside_in(line, self.lines, self.last_ms)
        if aside is not None and (not self.incident.causes or self.incident.reaches(self.lines)):
            self.incident.add_aside(aside)
        return closed

    def _cause(self, line: TextLine) -> Seen | None:
        """What ``line`` shows; of a panic behind other text only once the panic handler goes on."""
        seen = cause_in(line, self.lines, self.last_ms)
        if seen is not None and seen.clue is NO_IMAGE and self.ran:
            return None
        if seen is None:
            seen = self.incident.headless_in(line, self.lines, self.last_ms)
        doubtful = self.doubtful
        if doubtful is not None and self.lines - doubtful.count > NEAR:
            doubtful = None
        if seen is None and doubtful is not None and AFTERMATH.match(line.text):
            seen = doubtful
        self.doubtful = None if seen is not None else doubtful_in(line, self.lines, self.last_ms) or doubtful
        return seen

    def _follow_start(self, text: str) -> None:
        """Tell by the boot loader's last words, or by the first that are not its own, whether an app runs."""
        if any(word in text for word in STARTED):
            self.ran = True
        elif text.startswith("entry 0x"):
            self.entered = True
        elif text.startswith("waiting for download"):
            self.download = True
        elif self.entered and not self.incident.causes and not any(tag in text for tag in LOADER_TAGS):
            self.ran = not isinstance(parse_line(text), BootLine)
        self.loading |= "2nd stage bootloader" in text

    def end(self, reset: Reset | None, at: TextLine | None) -> Death:
        """How it ended: by ``reset``, which the line ``at`` tells, or with the log where that is None."""
        told = self._told_by(reset)
        main = self.incident.main
        evidence = self.incident.evidence() if main is not None else []
        headline = main.evidence() if main is not None and not told else None
        if at is not None and reset in OWN_DOING:
            evidence.append(at.evidence("the reset code says so" if told else "the reset that followed"))
            headline = headline or evidence[-1]
        cause = told or (main.clue.cause if main is not None else "")
        ran = self.ran and not self.failed_to_load
        against = self.against(self.incident) if not told else ()
        return Death(cause, headline, tuple(evidence), self._own_doing(reset), self._short(at), ran, against)

    def _told_by(self, reset: Reset | None) -> str:
        """The cause that the reset code alone shows; nothing where a line has shown one, except for a brownout."""
        if reset is None or self.asked or self.download or (self.incident.causes and reset is not Reset.BROWNOUT):
            return ""
        if reset is Reset.TIMER_0:
            return "task-watchdog" if self.ran else ""
        if reset is Reset.RTC and not self.lines:
            return ""
        return _BY_RESET.get(reset, "")

    def _own_doing(self, reset: Reset | None) -> bool:
        if self.incident.causes.keys() - SURVIVED:
            return True
        return reset in OWN_DOING and bool(self.lines) and not self.asked and not self.download

    def _short(self, at: TextLine | None) -> bool:
        began_ns = self.began.t_ns if self.began is not None else None
        if began_ns is not None and at is not None and at.t_ns is not None:
            return at.t_ns - began_ns <= SHORT_S * NS_PER_S
        if self.last_ms != NO_MS:
            return self.last_ms <= SHORT_S * 1000
        return self.lines <= SHORT_LINES
