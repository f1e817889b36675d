"""What must not happen, or not so often, between two steps.

``never(p)`` allows none between the steps beside it; ``repeated(p, n, at_most=m)`` allows ``m`` from the step before
it to the step after it. An event too close to such a neighbour to call counts as being on the harmless side of it.
At the two ends of the window ``t_ns`` alone decides.
"""

from bisect import bisect_right, insort
from operator import attrgetter
from typing import Final

from hil.clock import to_ns
from hil.expect.stage import STASH, Sighting

_low = attrgetter("low_ns")


class Guard:
    """Counts one pattern in the stretch between two stages."""

    def __init__(self, step: int, allowed: int, after: int | None, before: int | None, within_s: float | None) -> None:
        self.step: Final = step
        """Index of its step in the sentence."""
        self.allowed: Final = allowed
        self.after: Final = after
        """Stage at whose end the stretch begins; None: it begins with the window."""
        self.before: Final = before
        """Stage at whose first event the stretch ends; None: it ends with the window."""
        self.limit_ns: Final = None if within_s is None else to_ns(within_s)
        self.dropped = 0
        self._seen: list[Sighting] = []

    def notice(self, sighting: Sighting, begun: bool) -> None:
        """Take in an event that fits; ``begun`` tells whether the begin of the stretch is known."""
        insort(self._seen, sighting)
        if len(self._seen) > STASH + self.allowed:
            self.dropped += 1
            self._seen.pop(-1 if begun else 0)

    def offender(self, after_ns: int | None, before_ns: int | None, start_ns: int) -> Sighting | None:
        """The event that is one too many in the stretch, or None.

        Args:
            after_ns: latest instant of the stage before, None where there is none.
            before_ns: earliest instant of the stage after, None while it has no event.
            start_ns: where a time limit counts from.
        """
        if len(self._seen) <= self.allowed:
            return None
        first = 0 if after_ns is None else bisect_right(self._seen, after_ns, key=_low)
        end_ns = None if self.limit_ns is None else start_ns + self.limit_ns
        left = self.allowed
        for sighting in self._seen[first:]:
            if before_ns is not None and sighting.low_ns >= before_ns:
                return None
            late = end_ns is not None and sighting.event.t_ns > end_ns
            if late or (before_ns is not None and sighting.high_ns >= before_ns):
                continue
            if not left:
                return sighting
            left -= 1
        return None
