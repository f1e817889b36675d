"""A cause with its evidence, and how it reads."""

from dataclasses import dataclass

from hil.timeline.events import Event

NO_MATCH = "no signature matches"


@dataclass(frozen=True)
class Quote:
    """A line of a log that is in no timeline."""

    number: int
    """From 1."""
    text: str
    when: str = ""
    """The stamp that a monitor has put before the line, where it has one."""


@dataclass(frozen=True)
class Evidence:
    """One observation, or the absence of one."""

    text: str
    event: Event | None = None
    """The event that shows it; None for an absence, or where a line does."""
    quote: Quote | None = None
    """The line that shows it."""


@dataclass(frozen=True)
class Finding:
    """What a signature concluded."""

    name: str
    """Stable, lower case with dashes: what a test and a report refer to."""
    title: str
    board: str
    supports: tuple[Evidence, ...]
    contradicts: tuple[Evidence, ...]
    cause: str
    remedy: str
    source: str
    """Where this failure was first understood: code, errata or issue."""

    def text(self, zero_ns: int) -> str:
        """The finding as it is printed; times are relative to ``zero_ns``."""
        lines = [f"finding   {self.name}: {self.title}"]
        lines += [_line("for", evidence, zero_ns) for evidence in self.supports]
        lines += [_line("against", evidence, zero_ns) for evidence in self.contradicts]
        lines += [f"  cause   {self.cause}", f"  remedy  {self.remedy}", f"  source  {self.source}"]
        return "\n".join(lines)


def _line(side: str, evidence: Evidence, zero_ns: int) -> str:
    if evidence.quote is not None:
        number, quoted, when = evidence.quote.number, evidence.quote.text, evidence.quote.when
        stamp = f", at {when}" if when else ""
        return f"  {side:<8}{f'line {number}':>11}  {evidence.text}{stamp}: {quoted}"
    if evidence.event is None:
        return f"  {side:<8}{'absent':>9}    {evidence.text}"
    seconds = (evidence.event.t_ns - zero_ns) / 1e9
    return f"  {side:<8}{seconds:>+9.3f} s  {evidence.text}: {evidence.event.source} {evidence.event!r}"
