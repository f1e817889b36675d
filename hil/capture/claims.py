"""What a profile's patterns find in log lines, dated by the board's own clock where the line carries its time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hil.capture.source import Moment
from hil.timeline.backlog import Backlog
from hil.timeline.boardclock import BoardClock
from hil.timeline.events import BoardSaid
from hil.wire.esplog import UINT32_MAX

if TYPE_CHECKING:
    from hil.profiles import Profile

UNTIMED = -1
"""``BoardSaid.board_ms`` of a line without a time."""
NEIGHBOURS = re.compile(r"\\[AZ]|\(\?(?!P<|P=|:)|[*+?}]\+")
"""What makes a pattern's match in a line depend on what stands before or behind the line."""
MAX_NAME = 64
"""Characters of a name that a line gives; more is no name."""


@dataclass(frozen=True, slots=True)
class Found:
    """A claim in a line."""

    name: str
    detail: str
    ms: int
    """By the group ``ms``, or :data:`UNTIMED`."""


def message_of(profile: Profile) -> dict[str, Any]:
    """What the capture process has to know of a profile; :meth:`Claims.from_profile` reads it."""
    return {
        "claims": [{"name": claim.name, "pattern": claim.pattern} for claim in profile.claims],
        "line": profile.log.line,
        "names": {claim.called: claim.name for claim in profile.claims},
        "step_ms": profile.log.step_ms,
    }


class Claims:
    """Patterns compiled once; the first that is found in a line names it, and the line's own word only then.

    Args:
        patterns: of single claims, in order.
        line: of lines that name claims, by its group ``name``.
        names: what the firmware's words are called; others are kept as they are.
        step_ms: step of the board's time in its log.
    """

    def __init__(
        self,
        patterns: Iterable[tuple[str, re.Pattern[str]]] = (),
        line: re.Pattern[str] | None = None,
        names: Mapping[str, str] | None = None,
        step_ms: int = 1,
    ) -> None:
        self._patterns = tuple(patterns)
        self._line = line
        self._anywhere = _anywhere([*(pattern for _, pattern in self._patterns), *([line] if line else [])])
        self._names = dict(names or {})
        self.step_ms = step_ms

    @classmethod
    def from_profile(cls, profile: Mapping[str, object]) -> Claims:
        """From what :func:`message_of` makes; an empty pattern means that the log is silent about it.

        Raises:
            ValueError: a part is not of the right type, or a pattern does not compile; the message names it.
        """
        rows = _typed(profile, "claims", list, [])
        line = _typed(profile, "line", str, "")
        names = _typed(profile, "names", dict, {})
        step_ms = _typed(profile, "step_ms", int, 1)
        patterns = [(row["name"], _compiled(f"claim {row['name']}", row["pattern"])) for row in map(_row, rows)]
        spoken = [(name, pattern) for name, pattern in patterns if pattern.pattern]
        return cls(spoken, _compiled("line", line) if line else None, names, step_ms)

    def any_in(self, texts: Iterable[str]) -> bool:
        """Whether one of these lines may hold a claim; asked of many at once, it takes a quarter of the time."""
        if self._anywhere is None:
            return any(map(self.find, texts))
        whole = "\n".join(texts) if self._anywhere else ""
        return any(pattern.search(whole) for pattern in self._anywhere)

    def find(self, text: str) -> Found | None:
        """The claim in ``text``, or None."""
        for name, pattern in self._patterns:
            found = pattern.search(text)
            if found:
                return _found(name, found)
        found = self._line.search(text) if self._line else None
        called = found["name"] if found else None
        if found is None or not called or len(called) > MAX_NAME:
            return None
        return _found(self._names.get(called, called), found)


def _anywhere(patterns: Sequence[re.Pattern[str]]) -> list[re.Pattern[str]] | None:
    """Patterns that are found in a text of many lines if one of ``patterns`` is in a line; None if one cannot be."""
    if any(NEIGHBOURS.search(pattern.pattern) for pattern in patterns):
        return None
    return [re.compile(pattern.pattern, pattern.flags | re.MULTILINE) for pattern in patterns]


def _found(name: str, found: re.Match[str]) -> Found:
    groups = found.groupdict()
    return Found(name, groups.get("detail") or "", _ms(groups.get("ms") or ""))


def _ms(digits: str) -> int:
    """Milliseconds since boot are a uint32; anything else is no time."""
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 10):
        return UNTIMED
    return ms if (ms := int(digits)) <= UINT32_MAX else UNTIMED


def _typed(profile: Mapping[str, object], key: str, kind: type, default: Any) -> Any:
    value = profile.get(key, default)
    if type(value) is not kind:
        raise ValueError(f"profile.{key} is {value!r}; wanted {kind.__name__}")
    return value


def _row(row: object) -> Mapping[str, str]:
    if isinstance(row, dict) and isinstance(row.get("name"), str) and isinstance(row.get("pattern"), str):
        return row
    raise ValueError(f"profile.claims holds {row!r}; wanted {{'name': …, 'pattern': …}}, both strings")


def _compiled(what: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{what}: pattern {pattern!r}: {error}") from error


class Witness:
    """One log channel of one board: its claims, and the board clock of the boot it tells about.

    Args:
        board: its name.
        channel: the source of its events.
        claims: what is looked for.
        began_ns: begin of the timeline: a claim whose time nothing bounds from below is dated back to it.
        together: the witnesses of one board, which all hear of the same boot; this one is added.
    """

    def __init__(
        self, board: str, channel: str, claims: Claims, began_ns: int = 0, together: list[Witness] | None = None
    ) -> None:
        self._board = board
        self._channel = channel
        self._claims = claims
        self._clock = BoardClock(quantum_ms=claims.step_ms, floor_ns=began_ns)
        self._backlog = Backlog()
        self._unobserved: list[tuple[int, Moment]] = []
        self._together = [] if together is None else together
        self._together.append(self)

    def opened(self, t_ns: int, *, ready: bool = True) -> None:
        """The port was opened: what comes first may have waited for that, and the board may have booted meanwhile.

        ``ready`` is :meth:`Backlog.opened`'s.
        """
        self.settle()
        self._clock.new_boot()
        self._backlog.opened(t_ns, ready=ready)

    def booted(self) -> None:
        """A boot loader's line was seen: times begin anew."""
        self.settle()
        self._clock.new_boot()

    def heard_at_once(self, texts: list[str], times: list[int], now: Moment) -> list[list[BoardSaid]]:
        """Log lines that one reading brought, each with the board's time; what each claims, [] where none does.

        Of lines that claim nothing and whose times ascend, the first and the last say of the board's clock what all do;
        that is put off until :meth:`settle`.
        """
        if times != sorted(times) or self._claims.any_in(texts):
            return [self.heard(text, ms, now) for text, ms in zip(texts, times, strict=True)]
        self._unobserved += [(times[0], now), (times[-1], now)]
        return []

    def heard_plain(self, text: str, board_ms: int, now: Moment) -> bool:
        """Whether ``text`` claims nothing; then its time is put off until :meth:`settle`."""
        if self._claims.any_in((text,)):
            return False
        self._unobserved.append((board_ms, now))
        return True

    def settle(self) -> None:
        """Let the board's clock know the lines that it has not been told of yet.

        The loop's bound says how early a line can have come; the board clock counts from the latest instant.
        """
        for board_ms, now in self._unobserved:
            self._clock.observe(board_ms, now.t_ns, prompt=self._backlog.prompt(now.t_ns, now.err_ns))
        self._unobserved.clear()

    def heard(self, text: str, board_ms: int, now: Moment) -> list[BoardSaid]:
        """A line of log, timed by the claim's own pattern, else by ``board_ms`` unless that is :data:`UNTIMED`."""
        self.settle()
        found = self._claims.find(text)
        if found is not None and found.ms != UNTIMED:
            board_ms = found.ms
        prompt = self._backlog.prompt(now.t_ns, now.err_ns)
        counts = board_ms != UNTIMED and self._clock.observe(board_ms, now.t_ns, prompt=prompt)
        if found is None:
            return []
        if counts:
            said = self._date(board_ms, now)
        else:
            said = now if prompt and board_ms == UNTIMED else self._after_the_line_before(now)
        return [BoardSaid(found.name, found.detail, board_ms, self._channel, **said.stamp(self._board, self._channel))]

    def _date(self, board_ms: int, now: Moment) -> Moment:
        """By this channel's clock, and of what waited for its port by another that was open all the time as well."""
        t_ns, err_ns = self._clock.to_host(board_ms, now.t_ns)
        for clock in self._clocks_beside() if not self._clock.located else ():
            other_ns, other_err_ns = clock.to_host(board_ms, now.t_ns)
            low_ns, high_ns = max(t_ns - err_ns, other_ns - other_err_ns), min(t_ns + err_ns, other_ns + other_err_ns)
            if low_ns <= high_ns:
                t_ns, err_ns = (low_ns + high_ns) // 2, (high_ns - low_ns + 1) // 2
        return Moment(t_ns, err_ns)

    def _clocks_beside(self) -> Iterator[BoardClock]:
        for other in self._together:
            other.settle()
            if other._clock.located:
                yield other._clock

    def _after_the_line_before(self, now: Moment) -> Moment:
        """When a line was written whose own time says nothing."""
        low_ns = min(self._clock.newest_ns or 0, now.t_ns - now.err_ns)
        middle_ns = (low_ns + now.t_ns) // 2
        return Moment(middle_ns, now.t_ns - middle_ns)
