"""Which events a step takes, whatever the order in which they arrive.

Theory of operation. An event is known to have happened between ``low`` and ``high`` (``t_ns`` ± ``t_err_ns``). A chain
of events can have happened in the order of the steps if and only if no event's ``high`` lies before the greatest
``low`` of the events before it: the *floor*. Every stage therefore takes, of the events whose ``high`` reaches its
floor and that no earlier stage has taken, those with the least ``low``: that keeps the floor of the next stage lowest.

When a stage is over for certain is another question: at its *base*, when the events with the least ``high`` that could
fill it have happened. Time limits count from the base, and what is forbidden afterwards is forbidden from there on.

Both are functions of the set of events, not of their arrival, and one more event makes neither of them later. So what
lies behind both is not kept. What lies before the floor is: the floor sinks when a step before it finds an earlier
event. What belongs to a stage whose floor is not known yet is kept too. Both are bounded by :data:`STASH`, oldest out
first.

A stage of several slots (``unordered``) is a matching of events and slots: an event is taken if the events taken
before it can be moved to make room (augmenting path); going through the events in order of ``low``, or ``high``, gives
the set that is least in that respect (greedy algorithm on a transversal matroid).
"""

from bisect import insort
from collections.abc import Iterable
from typing import Final

from hil.clock import to_ns
from hil.timeline.events import Event

STASH = 512
"""Events that a stage keeps beyond those that it has taken."""


class Sighting:
    """An event, the bounds of its instant (cut off at the begin of the window), and the slots that it fits."""

    __slots__ = ("event", "high_ns", "low_ns", "slots")

    def __init__(self, event: Event, since_ns: int, slots: tuple["Slot", ...] = ()) -> None:
        self.event = event
        self.low_ns = max(event.t_ns - event.t_err_ns, since_ns)
        self.high_ns = event.t_ns + event.t_err_ns
        self.slots = slots

    def __lt__(self, other: "Sighting") -> bool:
        """By time; events of one instant by what they are, so that arrival decides nothing."""
        if self.low_ns != other.low_ns:
            return self.low_ns < other.low_ns
        if self.high_ns != other.high_ns:
            return self.high_ns < other.high_ns
        return self.content() < other.content()

    def content(self) -> tuple[str, str, str]:
        """Tells two events of one instant apart."""
        return repr(self.event), self.event.board, self.event.source


class Slot:
    """One pattern of a step and the events that it has taken."""

    def __init__(self, step: int, times: int, within_s: float | None) -> None:
        self.step: Final = step
        """Index of its step in the sentence."""
        self.times: Final = times
        self.limit_ns: Final = None if within_s is None else to_ns(within_s)
        self.taken: list[Sighting] = []
        self.certain: list[Sighting] = []
        """The events that could fill it and are the first to be over."""

    @property
    def full(self) -> bool:
        return len(self.taken) >= self.times


def fit(sighting: Sighting, base_ns: int, certain: bool, tried: set[int]) -> bool:
    """Put ``sighting`` into one of its slots, moving others if need be; False if there is no room.

    Args:
        base_ns: limits of the slots count from here.
        certain: fill ``Slot.certain`` and not ``Slot.taken``.
        tried: slots (by id) that have no room.
    """
    for slot in sighting.slots:
        late = slot.limit_ns is not None and sighting.low_ns > base_ns + slot.limit_ns
        if late or id(slot) in tried:
            continue
        tried.add(id(slot))
        held = slot.certain if certain else slot.taken
        if len(held) < slot.times:
            held.append(sighting)
            return True
        for index, other in enumerate(held):
            if len(other.slots) > 1 and fit(other, base_ns, certain, tried):
                held[index] = sighting
                return True
    return False


class Stage:
    """The slots that are filled together before the next stage begins."""

    def __init__(self, slots: list[Slot]) -> None:
        self.slots: Final = slots
        self.known = False
        """Whether all stages before this one are complete, so that its floor is known."""
        self.dropped = 0
        """Events that fitted and were not kept, because too many did."""
        self._needed = sum(slot.times for slot in slots)
        self._missing = self._needed
        self._floor_ns = 0
        self._base_ns = 0
        self._used: frozenset[int] = frozenset()
        self._used_for_certain: frozenset[int] = frozenset()
        self._stash: list[Sighting] = []
        self._newest: Sighting | None = None  # the latest event taken
        self._highest_ns = 0  # greatest high of the events taken; once complete, of the certain ones

    @property
    def complete(self) -> bool:
        return self.known and not self._missing

    def taken(self) -> list[Sighting]:
        """What all slots have taken, by time."""
        return sorted(sighting for slot in self.slots for sighting in slot.taken)

    def certain(self) -> list[Sighting]:
        """The events that decide when the stage is over for certain."""
        return [sighting for slot in self.slots for sighting in slot.certain]

    def due_ns(self) -> int | None:
        """By when the first slot that still waits has to be filled; None where no slot has a limit."""
        waiting = [slot.limit_ns for slot in self.slots if not slot.full and slot.limit_ns is not None]
        return self._base_ns + min(waiting) if waiting else None

    def floor_ns(self) -> int:
        """Floor of the next stage."""
        return max([self._floor_ns, *(sighting.low_ns for slot in self.slots for sighting in slot.taken)])

    def base_ns(self) -> int:
        """Base of the next stage: when this one is over for certain."""
        return max([self._base_ns, *(sighting.high_ns for sighting in self.certain())])

    def forget(self) -> None:
        """A stage before this one is not complete (any more)."""
        self.known = False
        self._clear()

    def solve(self, floor_ns: int, base_ns: int, used: Iterable[int], used_for_certain: Iterable[int]) -> None:
        """Choose anew among all events kept; ``used`` are the ids of the events that the stages before have taken."""
        self.known, self._floor_ns, self._base_ns = True, floor_ns, base_ns
        self._used, self._used_for_certain = frozenset(used), frozenset(used_for_certain)
        self._solve()

    def notice(self, sighting: Sighting) -> bool:
        """Take in an event that fits; True if what the stage has taken, or its base, may have changed."""
        if not self.known:
            self.store(sighting)
            return False
        late = self._newest is not None and sighting < self._newest
        if late or self.complete:
            return self._insert(sighting, late)
        if self._place(sighting):
            self.store(sighting)
            if not self._missing:
                self._make_certain()
            return True
        if not self._useless(sighting):
            self.store(sighting)
        return False

    def _insert(self, sighting: Sighting, late: bool) -> bool:
        """Take in an event of which a choice that was made did not know."""
        if not late and sighting.high_ns >= self._highest_ns:
            return False
        self.store(sighting)
        if sighting.high_ns < self._floor_ns:
            return False
        self._solve()
        return True

    def _solve(self) -> None:
        self._clear()
        placed = [self._place(sighting) for sighting in self._stash]
        pairs = zip(self._stash, placed, strict=True)
        self._stash = [sighting for sighting, taken in pairs if taken or not self._useless(sighting)]
        if not self._missing:
            self._make_certain()

    def _clear(self) -> None:
        self._newest, self._highest_ns, self._missing = None, 0, self._needed
        for slot in self.slots:
            slot.taken.clear()
            slot.certain.clear()

    def _make_certain(self) -> None:
        """Fill the slots with what is over first."""
        if len(self._stash) == self._needed:  # nothing else is kept
            for slot in self.slots:
                slot.certain = slot.taken[:]
            return
        reached = [s for s in self._stash if s.high_ns >= self._floor_ns]
        free = [s for s in reached if id(s.event) not in self._used_for_certain]
        for sighting in sorted(free, key=lambda s: (s.high_ns, s.low_ns, s)):
            fit(sighting, self._base_ns, True, set())
        if len(self.certain()) < self._needed:  # what it would have taken was not kept
            for slot in self.slots:
                slot.certain = slot.taken[:]
        self._highest_ns = max((sighting.high_ns for sighting in self.certain()), default=0)

    def _useless(self, sighting: Sighting) -> bool:
        """Whether an event that was not taken never will be: those that were are earlier in every respect."""
        if sighting.high_ns < self._floor_ns or id(sighting.event) in self._used | self._used_for_certain:
            return False
        if any(s.limit_ns is not None and sighting.low_ns > self._base_ns + s.limit_ns for s in sighting.slots):
            return False
        late = self._newest is not None and sighting < self._newest
        return not late and sighting.high_ns >= self._highest_ns

    def _place(self, sighting: Sighting) -> bool:
        """Take ``sighting`` if it can be reached and there is room, or room can be made."""
        if sighting.high_ns < self._floor_ns or id(sighting.event) in self._used:
            return False
        if not fit(sighting, self._base_ns, False, set()):
            return False
        self._missing -= 1
        self._highest_ns = max(self._highest_ns, sighting.high_ns)
        if self._newest is None or self._newest < sighting:
            self._newest = sighting
        return True

    def store(self, sighting: Sighting) -> None:
        """Keep ``sighting`` for when the stage chooses anew."""
        stash = self._stash
        if not stash or stash[-1] < sighting:
            stash.append(sighting)
        else:
            insort(stash, sighting)
        if len(stash) > STASH + self._needed:
            self.dropped += 1
            del stash[self._least_useful()]

    def _least_useful(self) -> int:
        taken = {id(sighting) for slot in self.slots for sighting in slot.taken}
        return next(index for index, sighting in enumerate(self._stash) if id(sighting) not in taken)
