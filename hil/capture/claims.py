"""What a profile's patterns find in log lines, dated by the board's own clock where the line carries its time."""

import re
from collections.abc import Iterable, Mapping

from hil.capture.source import Moment
from hil.timeline.boardclock import BoardClock
from hil.timeline.events import BoardSaid

UNTIMED = -1
"""``BoardSaid.board_ms`` of a line without a time."""


class Claims:
    """Patterns compiled once; the first that is found in a line names it."""

    def __init__(self, patterns: Iterable[tuple[str, re.Pattern[str]]] = ()) -> None:
        self._patterns = tuple(patterns)

    @classmethod
    def from_profile(cls, profile: Mapping[str, object]) -> "Claims":
        """From ``{"claims": [{"name", "pattern"}, …]}``; an empty pattern means that the log is silent about it.

        Raises:
            ValueError: a claim is no table of two strings, or its pattern does not compile; the message names it.
        """
        rows = profile.get("claims", [])
        if not isinstance(rows, list):
            raise ValueError(f"profile.claims is {rows!r}; wanted a list")
        return cls((row["name"], _compiled(row)) for row in rows if _checked(row)["pattern"])

    def find(self, text: str) -> tuple[str, str] | None:
        """Name and detail of the first claim in ``text``; the detail is the group ``detail``, or ''."""
        for name, pattern in self._patterns:
            found = pattern.search(text)
            if found:
                return name, found.groupdict().get("detail") or ""
        return None


def _checked(row: object) -> Mapping[str, str]:
    if isinstance(row, dict) and isinstance(row.get("name"), str) and isinstance(row.get("pattern"), str):
        return row
    raise ValueError(f"profile.claims holds {row!r}; wanted {{'name': …, 'pattern': …}}, both strings")


def _compiled(row: Mapping[str, str]) -> re.Pattern[str]:
    try:
        return re.compile(row["pattern"])
    except re.error as error:
        raise ValueError(f"claim {row['name']}: pattern {row['pattern']!r}: {error}") from error


class Witness:
    """One log channel of one board: its claims, and the board clock of the boot it tells about."""

    def __init__(self, board: str, channel: str, claims: Claims) -> None:
        self._board = board
        self._channel = channel
        self._claims = claims
        self._clock = BoardClock()

    def booted(self) -> None:
        """A boot loader's line was seen: times begin anew."""
        self._clock.new_boot()

    def heard(self, text: str, board_ms: int, now: Moment) -> list[BoardSaid]:
        """A line of log, timed by the board unless ``board_ms`` is :data:`UNTIMED`."""
        if board_ms != UNTIMED:
            # The loop's bound says how early the line can have come; the board clock counts from the latest instant.
            self._clock.observe(board_ms, now.t_ns)
        found = self._claims.find(text)
        if found is None:
            return []
        name, detail = found
        t_ns, t_err_ns = (now.t_ns, now.err_ns) if board_ms == UNTIMED else self._clock.to_host(board_ms, now.t_ns)
        stamp = Moment(t_ns, t_err_ns).stamp(self._board, self._channel)
        return [BoardSaid(name, detail, board_ms, self._channel, **stamp)]
