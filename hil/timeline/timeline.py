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
    """Append-only; iterates in order of arrival.

    What is added is put into the order of time when somebody asks for it: a test that waits for an event goes on
    without that.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._arrived: list[Event] = list(events)
        self._by_time: list[Event] = []
        self._reach_ns = _NEVER
        self._marks = [(_NEVER, 0)]  # (reach, n): the first n to arrive have happened by then, their errors included

    def append(self, event: Event) -> None:
        """Add an event that was learnt of just now."""
        self._arrived.append(event)

    def extend(self, events: Sequence[Event]) -> None:
        """Add events that were learnt of just now, in order of arrival."""
        self._arrived += events

    @property
    def _sorted(self) -> list[Event]:
        """All events, those of one instant in order of arrival."""
        fresh = sorted(self._arrived[len(self._by_time) :], key=_instant)
        if fresh and self._by_time and fresh[0].t_ns < self._by_time[-1].t_ns:
            for event in fresh:
                insort_right(self._by_time, event, key=_instant)
        else:
            self._by_time += fresh
        return self._by_time

    def _mark(self) -> None:
        """Note every so many events by when they had all happened."""
        for end in range(self._marks[-1][1] + MARK_EVERY, len(self._arrived) + 1, MARK_EVERY):
            events = self._arrived[end - MARK_EVERY : end]
            self._reach_ns = max(self._reach_ns, max(map(_instant, events)) + max(map(_error, events)))
            self._marks.append((self._reach_ns, end))

    def __len__(self) -> int:
        return len(self._arrived)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._arrived)

    def arrived_from(self, index: int) -> list[Event]:
        """The events that arrived after the first ``index`` ones: what a reader with a cursor has not seen yet."""
        return self._arrived[index:]

    def cursor(self, t_ns: int) -> int:
        """For :meth:`arrived_from`: no event that arrived before it can have happened at ``t_ns`` or later."""
        self._mark()
        return self._marks[bisect_left(self._marks, (t_ns, 0)) - 1][1]

    def by_time(self) -> tuple[Event, ...]:
        """All events by ``t_ns``; those of one instant in order of arrival."""
        return tuple(self._sorted)

    def since(self, t_ns: int) -> list[Event]:
        """Events at ``t_ns`` or later, by time."""
        events = self._sorted
        return events[bisect_left(events, t_ns, key=_instant) :]

    def between(self, start_ns: int, end_ns: int) -> list[Event]:
        """Events from ``start_ns`` to ``end_ns``, both included, by time."""
        events = self._sorted
        begin = bisect_left(events, start_ns, key=_instant)
        return events[begin : bisect_right(events, end_ns, key=_instant)]

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
