"""What happened, in the order in which it was learnt and in the order in which it happened.

The two orders differ: the kernel stamps a packet before a uevent and delivers it after. Nothing is ever taken out.
"""

from bisect import bisect_left, bisect_right, insort_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from operator import attrgetter

from hil.timeline.events import Event
from hil.timeline.matching import matcher

_instant: Callable[[Event], int] = attrgetter("t_ns")
_error: Callable[[Event], int] = attrgetter("t_err_ns")
_NEVER = -(1 << 62)
MARK_EVERY = 64
"""Events between two places from which a reader of what is recent may begin."""


class Order(Enum):
    """What two stamps say of the order of two events."""

    BEFORE = "before"
    AFTER = "after"
    TOO_CLOSE = "too close to call"


def order(a: Event, b: Event) -> Order:
    """Whether ``a`` happened before or after ``b``, or their error bounds overlap or touch."""
    if a.t_ns + a.t_err_ns < b.t_ns - b.t_err_ns:
        return Order.BEFORE
    if b.t_ns + b.t_err_ns < a.t_ns - a.t_err_ns:
        return Order.AFTER
    return Order.TOO_CLOSE


class Timeline:
    """Append-only; iterates in order of arrival."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._arrived: list[Event] = []
        self._sorted: list[Event] = []
        self._reach_ns = _NEVER
        self._marks = [(_NEVER, 0)]  # (reach, n): the first n to arrive have happened by then, their errors included
        for event in events:
            self.append(event)

    def append(self, event: Event) -> None:
        """Add an event that was learnt of just now."""
        self.extend((event,))

    def extend(self, events: Sequence[Event]) -> None:
        """Add events that were learnt of just now, in order of arrival."""
        if not events:
            return
        instants = list(map(_instant, events))
        self._arrived += events
        if instants == sorted(instants) and (not self._sorted or self._sorted[-1].t_ns <= instants[0]):
            self._sorted += events
        else:
            for event in events:
                insort_right(self._sorted, event, key=_instant)
        self._reach_ns = max(self._reach_ns, max(instants) + max(map(_error, events)))
        if len(self._arrived) - self._marks[-1][1] >= MARK_EVERY:
            self._marks.append((self._reach_ns, len(self._arrived)))

    def __len__(self) -> int:
        return len(self._arrived)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._arrived)

    def arrived_from(self, index: int) -> list[Event]:
        """The events that arrived after the first ``index`` ones: what a reader with a cursor has not seen yet."""
        return self._arrived[index:]

    def cursor(self, t_ns: int) -> int:
        """For :meth:`arrived_from`: no event that arrived before it can have happened at ``t_ns`` or later."""
        return self._marks[bisect_left(self._marks, (t_ns, 0)) - 1][1]

    def by_time(self) -> tuple[Event, ...]:
        """All events by ``t_ns``; those of one instant in order of arrival."""
        return tuple(self._sorted)

    def since(self, t_ns: int) -> list[Event]:
        """Events at ``t_ns`` or later, by time."""
        return self._sorted[bisect_left(self._sorted, t_ns, key=_instant) :]

    def between(self, start_ns: int, end_ns: int) -> list[Event]:
        """Events from ``start_ns`` to ``end_ns``, both included, by time."""
        begin = bisect_left(self._sorted, start_ns, key=_instant)
        return self._sorted[begin : bisect_right(self._sorted, end_ns, key=_instant)]

    def of(self, pattern: Event) -> list[Event]:
        """Events that match ``pattern``, by time."""
        return list(filter(matcher(pattern), self._sorted))

    def first(self, pattern: Event, since_ns: int | None = None) -> Event | None:
        """The earliest event at ``since_ns`` or later that matches ``pattern``."""
        events = self._sorted if since_ns is None else self.since(since_ns)
        return next(filter(matcher(pattern), events), None)

    def last(self, pattern: Event) -> Event | None:
        """The latest event that matches ``pattern``."""
        return next(filter(matcher(pattern), reversed(self._sorted)), None)

    @staticmethod
    def order(a: Event, b: Event) -> Order:
        """See :func:`order`."""
        return order(a, b)
