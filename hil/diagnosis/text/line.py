"""One line of a log, without what terminals, monitors and noise have put around it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hil.diagnosis.finding import Evidence, Quote
from hil.diagnosis.text.stamp import STAMP
from hil.timeline.events import Event
from hil.wire.esplog import strip_colour

NO_MS = -1
SHOWN = 240
"""Characters of a line that are quoted."""
BEFORE = 80
"""Of these, how many may stand before what the line is quoted for."""
NOISE = re.compile(r"^[\x01-\x08\x0b-\x1f\x7f\ufeff\ufffd]+")
ESCAPE = re.compile(r"\x1b(?:\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[()][0-9A-B])")
"""Terminal titles and character sets; colours are :func:`strip_colour`'s."""
LOST_ESCAPE = re.compile(r"^(?:\^\[|ESC|\u241b)?\[0(?:;3[0-7])?m|(?:\ufffd|\^\[|ESC|\u241b)?\[0m$")
"""The colours of ESP-IDF's log where copying has lost the control character, or written it out."""
SHOWN_ENDS = ("␍", "␊", "<CR>", "<LF>")
"""Line ends in the notation of terminals that show them: CoolTerm, HTerm."""
SHOWN_END = re.compile(rf"(?:\s|{'|'.join(SHOWN_ENDS)})++$")
BOARD_MS = re.compile(r"(?:[EWIDV] \(([0-9]{1,10})\) |\[ {0,10}([0-9]{1,10})\]\[[EWIDV]\])")
"""The board's own clock in a line of ESP-IDF or Arduino."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line that was heard."""

    text: str
    number: int = 0
    """From 1; a line of a timeline has its event instead."""
    when: str = ""
    """The host's stamp before it, as it stands there."""
    event: Event | None = None

    @property
    def board_ms(self) -> int:
        """Milliseconds since the board's boot, or :data:`NO_MS` where the line has none."""
        found = BOARD_MS.match(self.text)
        return int(found[1] or found[2]) if found else NO_MS

    @property
    def t_ns(self) -> int | None:
        return None if self.event is None else int(self.event.t_ns)

    def evidence(self, says: str, at: int = 0) -> Evidence:
        """This line, as what shows that ``says`` is so; a long one is quoted around ``at``."""
        if self.event is not None:
            return Evidence(says, self.event)
        return Evidence(says, quote=Quote(self.number, printable(self.text.strip(), at), self.when))


def parts(raw: str, number: int = 0, event: Event | None = None) -> Iterator[TextLine]:
    """What stands in one line of a file: the parts that a bare carriage return separates, each cleaned."""
    text = ESCAPE.sub("", strip_colour(raw.replace("\0", "")))
    for part in text.split("\r") if "\r" in text else (text,):
        bare = NOISE.sub("", part)
        if "[0" in bare:
            bare = LOST_ESCAPE.sub("", bare)
        found = STAMP.match(bare)
        when, rest = (found["when"].strip(), bare[found.end() :].rstrip()) if found else ("", bare.rstrip())
        if rest.endswith(SHOWN_ENDS):
            rest = SHOWN_END.sub("", rest)
        if rest:
            yield TextLine(rest, number, when, event)


def printable(text: str, at: int = 0) -> str:
    """``text`` as it may be shown: no control characters, not endless; of a long one what stands around ``at``."""
    first = max(0, min(at - BEFORE, len(text) - SHOWN))
    shown = text[first : first + SHOWN]
    if first:
        shown = "…" + shown[1:]
    if first + SHOWN < len(text):
        shown = shown[:-1] + "…"
    return shown if shown.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in shown)
